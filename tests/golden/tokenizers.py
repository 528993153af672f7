"""Ids, offsets and decoded texts of independent origin for every text of tokenizer_texts.jsonl.

    python3 tests/golden/tokenizers.py NODE_MODULES [DUMP.json]

NODE_MODULES is a folder in which `npm install --ignore-scripts tokenizers` was run: the original library. llama2.c's tokenizer.bin
is read by bpe_encode below, written after run.c. Bytes that are no UTF-8 have no meaning there: only llama2.c's are encoded as
they are, all others as Python replaces them. Writes tokenizers.json: for each tokenizer and text a hash of ids, of byte
offsets, and of the decoded text (fnv below); DUMP.json has them in full.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE.parent.parent.parent / "shared" / "data"


def fnv(data):
    """FNV-1a, 64 bits, folded to 16."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return f"{(value ^ value >> 16 ^ value >> 32 ^ value >> 48) % 2**16:04x}"


def hash_ids(ids):
    return fnv(struct.pack(f"<{len(ids)}i", *ids))


def hash_offsets(offsets):
    return fnv(b"".join(struct.pack("<2I", *pair) for pair in offsets))


def read_texts():
    for line in (HERE / "tokenizer_texts.jsonl").read_text().rstrip("\n").split("\n"):
        text = json.loads(line)
        yield bytes.fromhex(text["hex"]) if isinstance(text, dict) else text.encode()


def read_tokenizer_bin(path):
    data = path.read_bytes()
    tokens, at = [], 4
    while at < len(data):
        score, length = struct.unpack_from("<fi", data, at)
        tokens.append((data[at + 8:at + 8 + length], score))
        at += 8 + length
    return tokens


def bpe_encode(text, tokens):
    """The loop of run.c: the neighbours whose joined text is the token with the highest score, leftmost first."""
    ids = {token: i for i, (token, _) in enumerate(tokens)}
    out = [1]
    if text:
        out.append(ids[b" "])
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and text[end] & 0xc0 == 0x80 and end - at < 4:
            end += 1
        piece = text[at:end]
        out += [ids[piece]] if piece in ids else [byte + 3 for byte in piece]
        at = end
    while True:
        best, where = -1e10, None
        for i in range(len(out) - 1):
            joined = ids.get(tokens[out[i]][0] + tokens[out[i + 1]][0])
            if joined is not None and tokens[joined][1] > best:
                best, where, what = tokens[joined][1], i, joined
        if where is None:
            return out
        out[where:where + 2] = [what]


def documents():
    """Every tokenizer.json, and what is built around single parts: normalizers before the 256 bytes, pre-tokenizers before a
    model that knows nothing, so that its offsets are the pieces."""
    for path in sorted((HERE / "tokenizers").glob("*.json")):
        yield path.stem, json.loads(path.read_text())
    parts = json.loads((HERE / "tokenizer_parts.json").read_text())
    from make_tokenizers import bpe, byte_alphabet, document, level
    for name, normalizer in parts["normalizers"].items():
        yield f"normalizer: {name}", document(normalizer=normalizer, pre_tokenizer=level(),
                                              model=bpe({c: i for i, c in enumerate(byte_alphabet())}, []), decoder=level())
    for name, pre_tokenizer in parts["pre_tokenizers"].items():
        yield f"pre-tokenizer: {name}", document(pre_tokenizer=pre_tokenizer,
                                                 model={"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"})


def shared_documents():
    for name in ("tokenizers/bert-uncased", "models/tinystories-656k"):
        yield name, {**json.loads((SHARED / name / "tokenizer.json").read_text()), "truncation": None, "padding": None}
    from make_tokenizers import added, bpe, document, level
    vocab = json.loads((SHARED / "tokenizers/gpt2/gpt2_vocab.json").read_text())
    merges = (SHARED / "tokenizers/gpt2/gpt2_merges.txt").read_text().split("\n")
    merges = [line for line in merges if line and not line.startswith("#version")]
    yield "tokenizers/gpt2", document(added_tokens=added(vocab["<|endoftext|>"], "<|endoftext|>"), pre_tokenizer=level(regex=True),
                                      post_processor=level(), decoder=level(), model=bpe(vocab, merges))


def byte_offsets(text, offsets):
    """Of characters to of bytes; where an empty range lies is of no account."""
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [(at[begin], at[end]) if begin < end else (0, 0) for begin, end in offsets]


def hashes(name, rows):
    """Of a normalizer the ids say all, of a pre-tokenizer the offsets. Where a normalizer or a prepended character stands between,
    the two draw different borders."""
    found = {}
    if not name.startswith("pre-tokenizer"):
        found["ids"] = "".join(hash_ids(row["ids"]) for row in rows)
    if name.startswith("pre-tokenizer") or name in ("tokenizers/gpt2", "llama3", "roberta"):
        found["offsets"] = "".join(hash_offsets(row["offsets"]) for row in rows)
    if ":" not in name and "decoded" in rows[0]:
        found["decoded"] = "".join(fnv(row["decoded"].encode()) for row in rows)
    return found


def main():
    raw = list(read_texts())
    texts = [text.decode(errors="replace") for text in raw]
    asked = dict([*documents(), *shared_documents()])
    answer = subprocess.run(["node", HERE / "tokenizers.mjs", sys.argv[1]], input=json.dumps({"tokenizers": asked, "texts": texts}),
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    made = json.loads(answer)
    for name, rows in made.items():
        for text, row in zip(texts, rows):
            row["offsets"] = byte_offsets(text, row["offsets"])
    tokens = read_tokenizer_bin(SHARED / "models/stories260k/tok512.bin")
    made["models/stories260k/tok512.bin"] = [{"ids": bpe_encode(text, tokens)} for text in raw]
    golden = {name: hashes(name, rows) for name, rows in made.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(hashes)}" for name, hashes in golden.items())
    (HERE / "tokenizers.json").write_text("{\n" + lines + "\n}\n")
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(json.dumps(made))


if __name__ == "__main__":
    main()
