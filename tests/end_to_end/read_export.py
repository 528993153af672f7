"""Reads a folder that `plumb lm export` wrote, with nothing but Python, and predicts a file of texts.

A second reader of config.json, model.safetensors and tokenizer.json, written from Hugging Face's description of a Llama:
it knows nothing of plumb. Documents are separated by blank lines; each stands behind the begin token, and every
token of it but that one is predicted. Prints one JSON object.

    python3 tests/end_to_end/read_export.py FOLDER TEXTS
"""

import array
import json
import math
import operator
import struct
import sys
from pathlib import Path


def dot(a, b):
    return sum(map(operator.mul, a, b))


def tensors(path):
    """{name: (shape, floats)} of a safetensors file."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", entry["dtype"]
        begin, end = entry["data_offsets"]
        found[name] = (entry["shape"], array.array("f", data[8 + size + begin:8 + size + end]))
    return found


class Tokenizer:
    """Byte-pair encoding with byte fallback, as tokenizer.json describes it."""

    def __init__(self, path):
        root = json.loads(path.read_text(encoding="utf-8"))
        model = root["model"]
        assert model["type"] == "BPE" and model["byte_fallback"]
        self.vocabulary = model["vocab"]
        self.ranks = {}
        for rank, merge in enumerate(model["merges"]):
            self.ranks[tuple(merge.split(" ") if isinstance(merge, str) else merge)] = rank
        self.steps = root["normalizer"]["normalizers"]
        (begin,) = (part["SpecialToken"]["id"] for part in root["post_processor"]["single"] if "SpecialToken" in part)
        self.begin = self.vocabulary[begin]

    def normalize(self, text):
        for step in self.steps:
            if step["type"] == "Prepend":
                text = step["prepend"] + text if text else text
            else:
                assert step["type"] == "Replace"
                text = text.replace(step["pattern"]["String"], step["content"])
        return text

    def encode(self, text):
        symbols = []
        for character in self.normalize(text):
            known = character in self.vocabulary
            symbols += [character] if known else [f"<0x{byte:02X}>" for byte in character.encode()]
        while len(symbols) > 1:
            ranked = [(self.ranks.get(pair, math.inf), i) for i, pair in enumerate(zip(symbols, symbols[1:]))]
            rank, i = min(ranked)
            if rank == math.inf:
                break
            symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]
        return [self.begin] + [self.vocabulary[symbol] for symbol in symbols]


class Llama:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        assert self.config["model_type"] == "llama" and self.config["hidden_act"] == "silu"
        self.tensors = tensors(folder / "model.safetensors")
        self.rows = {}

    def matrix(self, name):
        """The rows of a weight; of a tied head, the embedding's."""
        if name not in self.rows:
            stored = name if name in self.tensors else "model.embed_tokens.weight"
            assert stored == name or self.config["tie_word_embeddings"], name
            (rows, columns), values = self.tensors[stored]
            self.rows[name] = [values[i * columns:(i + 1) * columns].tolist() for i in range(rows)]
        return self.rows[name]

    def linear(self, name, x):
        return [[dot(row, token) for row in self.matrix(name)] for token in x]

    def norm(self, name, x):
        gain = self.tensors[name][1]
        epsilon = self.config["rms_norm_eps"]
        scales = [1 / math.sqrt(dot(token, token) / len(token) + epsilon) for token in x]
        return [[value * scale * g for value, g in zip(token, gain)] for token, scale in zip(x, scales)]

    def heads(self, x, count):
        """[token][head][value]"""
        width = len(x[0]) // count
        return [[token[h * width:(h + 1) * width] for h in range(count)] for token in x]

    def turn(self, x):
        """Rotary positions: pairs (i, i + half)."""
        for position, token in enumerate(x):
            for head in token:
                half = len(head) // 2
                for i in range(half):
                    angle = position * self.config["rope_theta"] ** (-i / half)
                    a, b = head[i], head[i + half]
                    head[i] = a * math.cos(angle) - b * math.sin(angle)
                    head[i + half] = b * math.cos(angle) + a * math.sin(angle)
        return x

    def attention(self, name, x):
        heads, key_heads = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        queries = self.turn(self.heads(self.linear(name + "q_proj.weight", x), heads))
        keys = self.turn(self.heads(self.linear(name + "k_proj.weight", x), key_heads))
        values = self.heads(self.linear(name + "v_proj.weight", x), key_heads)
        mixed = []
        for t, token in enumerate(queries):
            row = []
            for h, query in enumerate(token):
                k = h * key_heads // heads
                scores = [dot(query, keys[s][k]) / math.sqrt(len(query)) for s in range(t + 1)]
                top = max(scores)
                weights = [math.exp(score - top) for score in scores]
                total = sum(weights)
                row += [dot(weights, column) / total for column in zip(*(values[s][k] for s in range(t + 1)))]
            mixed.append(row)
        return self.linear(name + "o_proj.weight", mixed)

    def feed_forward(self, name, x):
        gate, up = self.linear(name + "gate_proj.weight", x), self.linear(name + "up_proj.weight", x)
        active = [[g / (1 + math.exp(-g)) * u for g, u in zip(*pair)] for pair in zip(gate, up)]
        return self.linear(name + "down_proj.weight", active)

    def logits(self, ids):
        embedding = self.matrix("model.embed_tokens.weight")
        add = lambda x, y: [[a + b for a, b in zip(*pair)] for pair in zip(x, y)]
        x = [embedding[i] for i in ids]
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}."
            x = add(x, self.attention(name + "self_attn.", self.norm(name + "input_layernorm.weight", x)))
            x = add(x, self.feed_forward(name + "mlp.", self.norm(name + "post_attention_layernorm.weight", x)))
        return self.linear("lm_head.weight", self.norm("model.norm.weight", x))


def main():
    folder = Path(sys.argv[1])
    tokenizer, model = Tokenizer(folder / "tokenizer.json"), Llama(folder)
    nats, tokens = 0.0, 0
    for document in Path(sys.argv[2]).read_text(encoding="utf-8").split("\n\n"):
        if not document.strip():
            continue
        ids = tokenizer.encode(document.strip("\n"))
        for row, target in zip(model.logits(ids[:-1]), ids[1:]):
            top = max(row)
            nats += top + math.log(sum(math.exp(value - top) for value in row)) - row[target]
            tokens += 1
    print(json.dumps({"tokens": tokens, "nats_per_token": nats / tokens}))


if __name__ == "__main__":
    main()
