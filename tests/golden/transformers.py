"""Golden figures of tiny transformers: an implementation in NumPy, in double, written from the papers and the model cards.

Weights are drawn by a hash that the test repeats. Gradients are central differences of the loss, one parameter at
a time, so they know nothing of how a backward is written.

    /usr/bin/python3 tests/golden/transformers.py > tests/golden/transformers.json
"""

import json
import math

import numpy as np

SEQUENCES = [[3, 1, 4, 1, 5, 9, 2], [6], [5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8]]
STEP = 1e-5


def hashed(count, tensor):
    """count numbers in [-1, 1) of 24 bits, a hash of (tensor, index)."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + tensor * 40503 + 12345) % 2**32
    x ^= x >> np.uint64(15)
    x = x * 2246822519 % 2**32
    x ^= x >> np.uint64(13)
    x = x * 3266489917 % 2**32
    return (x >> np.uint64(8)).astype(np.float64) / 2**23 - 1


class Weights:
    """Tensors by the name that their files give them."""

    def __init__(self):
        self.rows, self.values = [], {}

    def add(self, name, shape, base=0.0, amplitude=0.4):
        values = base + amplitude * hashed(math.prod(shape), len(self.rows))
        self.values[name] = values.astype(np.float32).astype(np.float64).reshape(shape)
        self.rows.append({"name": name, "shape": list(shape), "base": base, "amplitude": amplitude})

    def linear(self, name, outputs, inputs, bias):
        self.add(name + ".weight", (outputs, inputs))
        if bias:
            self.add(name + ".bias", (outputs,), amplitude=0.1)

    def norm(self, name, width, bias=True):
        self.add(name + ".weight", (width,), base=1.0, amplitude=0.2)
        if bias:
            self.add(name + ".bias", (width,), amplitude=0.1)

    def __getitem__(self, name):
        return self.values[name]


def rms_norm(x, gain, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * gain


def layer_norm(x, gain, bias, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + epsilon) * gain + bias


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_new(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def rotate_half(x, base, rotary):
    """x: [T, heads, width]; the first `rotary` dimensions are turned, i with i + rotary / 2."""
    half = rotary // 2
    angle = np.arange(len(x))[:, None] * base ** (-2.0 * np.arange(half) / rotary)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    a, b, rest = x[..., :half], x[..., half:rotary], x[..., rotary:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin, rest], -1)


def attend(q, k, v, causal, bias=None):
    """q: [T, heads, width]; k, v: [T, key heads, width]; bias: [heads, T, T] -> [T, heads * width]"""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
    scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    if causal:
        scores = np.where(np.tri(len(q), dtype=bool), scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return np.einsum("hqk,khd->qhd", p, v).reshape(len(q), -1)


class Llama:
    def __init__(self, tied=False, scalar=False):
        self.config = {"architectures": ["LlamaForSequenceClassification" if scalar else "LlamaForCausalLM"],
                       "model_type": "llama", "vocab_size": 19, "hidden_size": 16, "num_hidden_layers": 2,
                       "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 20,
                       "max_position_embeddings": 24, "rms_norm_eps": 1e-5, "rope_theta": 500.0,
                       "hidden_act": "silu", "tie_word_embeddings": tied}
        if scalar:
            self.config["id2label"] = {"0": "reward"}
        w = self.weights = Weights()
        w.add("model.embed_tokens.weight", (19, 16))
        for i in range(2):
            at = f"model.layers.{i}."
            w.norm(at + "input_layernorm", 16, False)
            w.linear(at + "self_attn.q_proj", 16, 16, False)
            w.linear(at + "self_attn.k_proj", 8, 16, False)
            w.linear(at + "self_attn.v_proj", 8, 16, False)
            w.linear(at + "self_attn.o_proj", 16, 16, False)
            w.norm(at + "post_attention_layernorm", 16, False)
            w.linear(at + "mlp.gate_proj", 20, 16, False)
            w.linear(at + "mlp.up_proj", 20, 16, False)
            w.linear(at + "mlp.down_proj", 16, 20, False)
        w.norm("model.norm", 16, False)
        if scalar:
            w.add("score.weight", (1, 16))
        elif not tied:
            w.add("lm_head.weight", (19, 16))
        self.tied, self.scalar = tied, scalar

    def hidden(self, ids, segments):
        w, n = self.weights, len(ids)
        x = w["model.embed_tokens.weight"][ids]
        for i in range(2):
            at = f"model.layers.{i}."
            y = rms_norm(x, w[at + "input_layernorm.weight"], 1e-5)
            q, k, v = ((y @ w[f"{at}self_attn.{p}_proj.weight"].T).reshape(n, -1, 4) for p in "qkv")
            y = attend(rotate_half(q, 500.0, 4), rotate_half(k, 500.0, 4), v, True)
            x = x + y @ w[at + "self_attn.o_proj.weight"].T
            y = rms_norm(x, w[at + "post_attention_layernorm.weight"], 1e-5)
            y = silu(y @ w[at + "mlp.gate_proj.weight"].T) * (y @ w[at + "mlp.up_proj.weight"].T)
            x = x + y @ w[at + "mlp.down_proj.weight"].T
        return rms_norm(x, w["model.norm.weight"], 1e-5)

    def head(self):
        return self.weights["model.embed_tokens.weight" if self.tied else "lm_head.weight"]


class Gpt2:
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 19, "n_embd": 16,
              "n_layer": 2, "n_head": 2, "n_positions": 24, "layer_norm_epsilon": 1e-5,
              "activation_function": "gelu_new"}
    scalar = False

    def __init__(self):
        w = self.weights = Weights()
        w.add("transformer.wte.weight", (19, 16))
        w.add("transformer.wpe.weight", (24, 16))
        for i in range(2):
            at = f"transformer.h.{i}."
            w.norm(at + "ln_1", 16)
            for name, inputs, outputs in (("attn.c_attn", 16, 48), ("attn.c_proj", 16, 16),
                                          ("mlp.c_fc", 16, 64), ("mlp.c_proj", 64, 16)):
                w.add(f"{at}{name}.weight", (inputs, outputs))  # "Conv1D": inputs first
                w.add(f"{at}{name}.bias", (outputs,), amplitude=0.1)
            w.norm(at + "ln_2", 16)
        w.norm("transformer.ln_f", 16)

    def hidden(self, ids, segments):
        w, n = self.weights, len(ids)

        def linear(x, name):
            return x @ w[name + ".weight"] + w[name + ".bias"]

        def norm(x, name):
            return layer_norm(x, w[name + ".weight"], w[name + ".bias"], 1e-5)

        x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][:n]
        for i in range(2):
            at = f"transformer.h.{i}."
            q, k, v = np.split(linear(norm(x, at + "ln_1"), at + "attn.c_attn"), 3, -1)
            y = attend(*(z.reshape(n, 2, 8) for z in (q, k, v)), True)
            x = x + linear(y, at + "attn.c_proj")
            x = x + linear(gelu_new(linear(norm(x, at + "ln_2"), at + "mlp.c_fc")), at + "mlp.c_proj")
        return norm(x, "transformer.ln_f")

    def head(self):
        return self.weights["transformer.wte.weight"]


class NeoX:
    scalar = False

    def __init__(self, parallel=True):
        self.parallel = parallel
        self.config = {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": 19,
                       "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
                       "intermediate_size": 24, "max_position_embeddings": 24, "layer_norm_eps": 1e-5,
                       "hidden_act": "gelu", "rotary_pct": 0.5, "rotary_emb_base": 10000,
                       "use_parallel_residual": parallel, "tie_word_embeddings": False}
        w = self.weights = Weights()
        w.add("gpt_neox.embed_in.weight", (19, 16))
        for i in range(2):
            at = f"gpt_neox.layers.{i}."
            w.norm(at + "input_layernorm", 16)
            w.norm(at + "post_attention_layernorm", 16)
            w.linear(at + "attention.query_key_value", 48, 16, True)
            w.linear(at + "attention.dense", 16, 16, True)
            w.linear(at + "mlp.dense_h_to_4h", 24, 16, True)
            w.linear(at + "mlp.dense_4h_to_h", 16, 24, True)
        w.norm("gpt_neox.final_layer_norm", 16)
        w.add("embed_out.weight", (19, 16))

    def hidden(self, ids, segments):
        w, n = self.weights, len(ids)

        def linear(x, name):
            return x @ w[name + ".weight"].T + w[name + ".bias"]

        def norm(x, name):
            return layer_norm(x, w[name + ".weight"], w[name + ".bias"], 1e-5)

        def attention(x, at):
            qkv = linear(norm(x, at + "input_layernorm"), at + "attention.query_key_value")
            q, k, v = np.split(qkv.reshape(n, 2, 24), 3, -1)  # by head: query, key, value
            y = attend(rotate_half(q, 10000.0, 4), rotate_half(k, 10000.0, 4), v, True)
            return linear(y, at + "attention.dense")

        def feed_forward(x, at):
            y = gelu(linear(norm(x, at + "post_attention_layernorm"), at + "mlp.dense_h_to_4h"))
            return linear(y, at + "mlp.dense_4h_to_h")

        x = w["gpt_neox.embed_in.weight"][ids]
        for i in range(2):
            at = f"gpt_neox.layers.{i}."
            if self.parallel:
                x = x + attention(x, at) + feed_forward(x, at)
            else:
                x = x + attention(x, at)
                x = x + feed_forward(x, at)
        return norm(x, "gpt_neox.final_layer_norm")

    def head(self):
        return self.weights["embed_out.weight"]


class Bert:
    """BERT, RoBERTa and MPNet: what differs is where positions begin, segments, names, and relative biases."""

    scalar = True  # their loss is a weighted sum of hidden states

    def __init__(self, kind):
        self.kind, self.offset = kind, 0 if kind == "bert" else 2
        self.config = {"architectures": [{"bert": "Bert", "roberta": "Roberta", "mpnet": "MPNet"}[kind] + "Model"],
                       "model_type": kind, "vocab_size": 19, "hidden_size": 16, "num_hidden_layers": 2,
                       "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 26,
                       "layer_norm_eps": 1e-12, "hidden_act": "gelu", "pad_token_id": 0 if kind == "bert" else 1}
        w = self.weights = Weights()
        if kind == "mpnet":
            self.config["relative_attention_num_buckets"] = 8
        else:
            self.config["type_vocab_size"] = 2 if kind == "bert" else 1
        w.add("embeddings.word_embeddings.weight", (19, 16))
        w.add("embeddings.position_embeddings.weight", (26, 16))
        if kind != "mpnet":
            w.add("embeddings.token_type_embeddings.weight", (self.config["type_vocab_size"], 16))
        w.norm("embeddings.LayerNorm", 16)
        for i in range(2):
            at = f"encoder.layer.{i}."
            for name in self.names(at):
                w.linear(name, 16, 16, True)
            w.norm(at + ("attention.LayerNorm" if kind == "mpnet" else "attention.output.LayerNorm"), 16)
            w.linear(at + "intermediate.dense", 24, 16, True)
            w.linear(at + "output.dense", 16, 24, True)
            w.norm(at + "output.LayerNorm", 16)
        if kind == "mpnet":
            w.add("encoder.relative_attention_bias.weight", (8, 2))

    def names(self, at):
        if self.kind == "mpnet":
            return [f"{at}attention.attn.{p}" for p in "qkvo"]
        return [f"{at}attention.self.{p}" for p in ("query", "key", "value")] + [at + "attention.output.dense"]

    def relative_bias(self, n):
        """As MPNet's compute_position_bias: 8 buckets, half of them for keys behind the query."""
        if self.kind != "mpnet":
            return None
        bias = np.zeros((2, n, n))
        for q in range(n):
            for k in range(n):
                distance = q - k
                bucket = 4 if distance < 0 else 0
                far = abs(distance)
                if far < 2:
                    bucket += far
                else:
                    bucket += min(3, 2 + int(math.log(far / 2) / math.log(128 / 2) * 2))
                bias[:, q, k] = self.weights["encoder.relative_attention_bias.weight"][bucket]
        return bias

    def hidden(self, ids, segments):
        w, n = self.weights, len(ids)

        def linear(x, name):
            return x @ w[name + ".weight"].T + w[name + ".bias"]

        def norm(x, name):
            return layer_norm(x, w[name + ".weight"], w[name + ".bias"], 1e-12)

        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][self.offset:self.offset + n]
        if self.kind == "bert":
            x = x + w["embeddings.token_type_embeddings.weight"][segments]
        elif self.kind == "roberta":
            x = x + w["embeddings.token_type_embeddings.weight"][0]
        x = norm(x, "embeddings.LayerNorm")
        bias = self.relative_bias(n)
        for i in range(2):
            at = f"encoder.layer.{i}."
            *qkv, out = self.names(at)
            y = attend(*(linear(x, name).reshape(n, 2, 8) for name in qkv), False, bias)
            name = "attention.LayerNorm" if self.kind == "mpnet" else "attention.output.LayerNorm"
            x = norm(x + linear(y, out), at + name)
            x = norm(x + linear(gelu(linear(x, at + "intermediate.dense")), at + "output.dense"),
                     at + "output.LayerNorm")
        return x


def segments_of(ids):
    return [0 if i < (len(ids) + 1) // 2 else 1 for i in range(len(ids))]


def loss(model):
    """Mean nats of the next tokens; sum of rewards (or hidden states) times hashed weights where there is no head."""
    total, count, at = 0.0, 0, 0
    for ids in SEQUENCES:
        hidden = model.hidden(ids, segments_of(ids))
        if model.scalar:
            if isinstance(model, Llama):
                hidden = hidden @ model.weights["score.weight"].T
            size = hidden.size
            total += (hidden.reshape(-1) * hashed(at + size, 1000)[at:]).sum()
            at, count = at + size, 1
            continue
        logits = hidden[:-1] @ model.head().T
        high = logits.max(-1, keepdims=True) if len(logits) else 0
        sums = np.log(np.exp(logits - high).sum(-1)) + np.reshape(high, -1)[:len(logits)]
        total += (sums - logits[np.arange(len(logits)), ids[1:]]).sum()
        count += len(logits)
    return total / count


def gradient(model, name):
    values = model.weights[name].reshape(-1)
    result = np.zeros(len(values))
    for i in range(len(values)):
        kept = values[i]
        values[i] = kept + STEP
        up = loss(model)
        values[i] = kept - STEP
        result[i] = (up - loss(model)) / (2 * STEP)
        values[i] = kept
    return result


def figures(values):
    values = np.asarray(values).reshape(-1)
    places = sorted({0, len(values) // 3, len(values) // 2, len(values) - 1})
    return {"norm": float(np.linalg.norm(values)), "entries": [[p, float(values[p])] for p in places]}


def case(name, model):
    hidden = np.concatenate([model.hidden(ids, segments_of(ids)) for ids in SEQUENCES])
    result = {"name": name, "config": model.config, "loss": loss(model), "hidden": figures(hidden),
              "tensors": model.weights.rows}
    if not model.scalar:
        result["logits"] = figures(hidden @ model.head().T)
    for row in result["tensors"]:
        row["gradient"] = figures(gradient(model, row["name"]))
    return result


def main():
    cases = [case("llama", Llama()), case("llama tied", Llama(tied=True)), case("llama scalar", Llama(scalar=True)),
             case("gpt2", Gpt2()), case("gpt_neox", NeoX()), case("gpt_neox sequential", NeoX(False)),
             case("bert", Bert("bert")), case("roberta", Bert("roberta")), case("mpnet", Bert("mpnet"))]
    print(json.dumps({"sequences": SEQUENCES, "cases": cases}))


if __name__ == "__main__":
    main()
