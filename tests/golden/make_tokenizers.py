"""Makes the small tokenizers of tests/golden/tokenizers, trained on the sentences of tokenizer_texts.py.

    python3 tests/golden/make_tokenizers.py

The vocabularies of byte-pair encoding are learnt here; that of Unigram, with its compiled normalisation, by SentencePiece
(Debian's python3-sentencepiece).
"""

import base64
import collections
import json
import re
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as sp_model

from tokenizer_texts import SENTENCES, WORDS

FOLDER = Path(__file__).parent / "tokenizers"
TEXT = SENTENCES.replace("\\n", "\n").replace("\\t", "\t") * 2 + " ".join(WORDS)


def byte_alphabet():
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = (256 + i for i in range(256))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]


def learn_merges(words, count):
    """Sennrich et al. 2016 on {tuple of symbols: times}; ties in the order of the symbols."""
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged = {}
        for word, times in words.items():
            symbols, i = [], 0
            while i < len(word):
                if word[i:i + 2] == best:
                    symbols.append(word[i] + word[i + 1])
                    i += 2
                else:
                    symbols.append(word[i])
                    i += 1
            merged[tuple(symbols)] = merged.get(tuple(symbols), 0) + times
        words = merged
    return merges


def byte_level(count):
    alphabet = byte_alphabet()
    words = collections.Counter(re.findall(r" ?\w+| ?[^\w\s]+|\s+", TEXT))
    merges = learn_merges({tuple(alphabet[b] for b in word.encode()): n for word, n in words.items()}, count)
    tokens = list(dict.fromkeys(alphabet + [a + b for a, b in merges]))
    return {token: i for i, token in enumerate(tokens)}, [f"{a} {b}" for a, b in merges]


def metaspace_bpe(count):
    words = collections.Counter(("▁" + word) for word in re.findall(r"[^\s]+", TEXT))
    merges = learn_merges({tuple(word): n for word, n in words.items()}, count)
    common = [c for c, n in collections.Counter("".join(words.elements())).items() if n > 3]
    known = set(common)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + sorted(known)
    kept = []
    for a, b in merges:
        if a in known and b in known:
            kept.append([a, b])
            known.add(a + b)
            tokens.append(a + b)
    return {token: i for i, token in enumerate(dict.fromkeys(tokens))}, kept


def added(first, *contents, **fields):
    return [{"id": first + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True, **fields} for i, content in enumerate(contents)]


def document(**parts):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, **parts}


def bpe(vocab, merges, **fields):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges, **fields}


def level(prefix=False, trim=False, regex=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def template(before, after=()):
    token = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    return {"type": "TemplateProcessing",
            "single": [token(name) for name, _ in before] + [{"Sequence": {"id": "A", "type_id": 0}}] + [token(name) for name, _ in after],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]} for name, i in [*before, *after]}}


def qwen(parts):
    vocab, merges = byte_level(300)
    n = len(vocab)
    return document(added_tokens=added(n, "<|endoftext|>", "<|im_start|>", "<|im_end|>"), normalizer={"type": "NFC"},
                    pre_tokenizer={"type": "Sequence", "pretokenizers": [parts["qwen"], level()]},
                    post_processor=level(), decoder=level(), model=bpe(vocab, merges))


def pythia(_):
    vocab, merges = byte_level(260)
    n = len(vocab)
    runs = added(n + 2, "    ", "   ", "  ", normalized=True, special=False)
    return document(added_tokens=added(n, "<|endoftext|>", "<|padding|>") + runs, normalizer={"type": "NFC"},
                    pre_tokenizer=level(regex=True, trim=True), post_processor=level(trim=True), decoder=level(regex=True, trim=True),
                    model=bpe(vocab, merges))


def llama3(parts):
    vocab, merges = byte_level(280)
    whole = "".join(byte_alphabet()[b] for b in " plumb".encode())
    vocab.setdefault(whole, len(vocab))  # reached by no merge, only by ignore_merges
    n = len(vocab)
    return document(added_tokens=added(n, "<|begin_of_text|>", "<|end_of_text|>"),
                    pre_tokenizer={"type": "Sequence", "pretokenizers": [parts["llama 3"], level()]},
                    post_processor={"type": "Sequence", "processors": [level(), template([("<|begin_of_text|>", n)])]},
                    decoder=level(), model=bpe(vocab, merges, ignore_merges=True))


def roberta(_):
    vocab, merges = byte_level(220)
    n = len(vocab)
    tokens = added(n, "<s>", "<pad>", "</s>", "<unk>") + added(n + 4, "<mask>", lstrip=True)
    tokens += added(n + 5, "llama", single_word=True, rstrip=True, special=False, normalized=True)
    return document(added_tokens=tokens, pre_tokenizer=level(prefix=True, regex=True, trim=True),
                    post_processor={"type": "RobertaProcessing", "sep": ["</s>", n + 2], "cls": ["<s>", n], "trim_offsets": True,
                                    "add_prefix_space": True},
                    decoder=level(prefix=True, regex=True, trim=True), model=bpe(vocab, merges))


def mistral(_):
    vocab, merges = metaspace_bpe(300)
    specials = added(0, "<unk>", "<s>", "</s>")
    return document(added_tokens=specials,
                    pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
                    post_processor=template([("<s>", 1)]),
                    decoder={"type": "Sequence", "decoders": [
                        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                    model=bpe(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))


def old_bpe(_):
    """As the first GPT and CLIP: an end of word, no byte fallback, unknown characters one by one."""
    words = collections.Counter(word.lower() for word in re.findall(r"\w+|[^\w\s]", TEXT))
    end = "</w>"
    merges = learn_merges({(*word[:-1], word[-1] + end): n for word, n in words.items()}, 200)
    letters = sorted({c for word in words for c in word if ord(c) < 0x180})
    known = set(letters) | {c + end for c in letters}
    kept = []
    for a, b in merges:
        if a in known and b in known:
            kept.append(f"{a} {b}")
            known.add(a + b)
    tokens = ["<unk>"] + letters + [c + end for c in letters] + [(m.replace(" ", "")) for m in kept]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return document(added_tokens=added(0, "<unk>"), normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                                                               "strip_accents": False, "lowercase": True},
                    pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "BPEDecoder", "suffix": end},
                    model=bpe(vocab, kept, unk_token="<unk>", end_of_word_suffix=end))


RULES = [("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬀ", "ff"), ("½", "1/2"), ("②", "2"), ("Ⅷ", "VIII"), ("™", "TM"), ("℃", "°C"), ("　", " "),
         ("\u00a0", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("e\u0301", "é"), ("A\u030a", "Å"), ("が", "が"), ("ｶ", "カ"),
         ("ｶﾞ", "ガ"), ("１", "1"), ("２", "2"), ("３", "3"), ("\u200b", " "), ("\ufeff", ""), ("“", '"'), ("”", '"'), ("…", "...")]


def train_unigram():
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules.tsv")
        code = lambda text: " ".join(f"{ord(c):X}" for c in text)
        rules.write_text("".join(f"{code(a)}\t{code(b)}\n" for a, b in RULES))
        text = Path(folder, "text.txt")
        text.write_text("\n".join(line for line in TEXT.split("\n") if "\0" not in line))
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=f"{folder}/m", vocab_size=760, model_type="unigram", character_coverage=0.98,
            normalization_rule_tsv=str(rules), hard_vocab_limit=False, num_threads=1, minloglevel=2)
        model = sp_model.ModelProto()
        model.ParseFromString(Path(folder, "m.model").read_bytes())
    charsmap = base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    return [(piece.piece, round(piece.score, 6)) for piece in model.pieces], charsmap


def xlm_roberta(_, pieces, charsmap):
    vocab = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]] + [list(p) for p in pieces[3:]]
    tokens = added(0, "<s>", "<pad>", "</s>", "<unk>")
    return document(added_tokens=tokens, normalizer={"type": "Precompiled", "precompiled_charsmap": charsmap},
                    pre_tokenizer={"type": "Sequence", "pretokenizers": [
                        {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}]},
                    post_processor=template([("<s>", 0)], [("</s>", 2)]),
                    decoder={"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
                    model={"type": "Unigram", "unk_id": 3, "vocab": vocab})


def t5(_, pieces, charsmap):
    vocab = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]] + [list(p) for p in pieces[3:]]
    vocab += [[f"<0x{b:02X}>", -20.0] for b in range(256)]
    tokens = added(0, "<pad>", "</s>", "<unk>")
    return document(added_tokens=tokens,
                    normalizer={"type": "Sequence", "normalizers": [
                        {"type": "Precompiled", "precompiled_charsmap": charsmap}, {"type": "Strip", "strip_left": False, "strip_right": True},
                        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]},
                    pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
                    post_processor=template([], [("</s>", 1)]),
                    decoder={"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]},
                    model={"type": "Unigram", "unk_id": 2, "vocab": vocab, "byte_fallback": True})


def main():
    FOLDER.mkdir(exist_ok=True)
    parts = json.loads((Path(__file__).parent / "tokenizer_parts.json").read_text())["pre_tokenizers"]
    pieces, charsmap = train_unigram()
    made = {"qwen": qwen(parts), "pythia": pythia(parts), "llama3": llama3(parts), "roberta": roberta(parts), "mistral": mistral(parts),
            "old_bpe": old_bpe(parts), "xlm_roberta": xlm_roberta(parts, pieces, charsmap), "t5": t5(parts, pieces, charsmap)}
    for name, tokenizer in made.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
