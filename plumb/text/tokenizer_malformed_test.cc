// A valid tokenizer.json, changed in one place at a time: each change is an error that names the
// place.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "plumb/base/json.h"
#include "plumb/text/tokenizer.h"

namespace plumb {
namespace {

const Json& valid() {
  static const Json document = Json::parse(R"({
    "version": "1.0",
    "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
    "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"},
    "added_tokens": [
      {"id": 0, "content": "<pad>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 9, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}],
    "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "NFC"},
      {"type": "Replace", "pattern": {"Regex": " +"}, "content": " "},
      {"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "Prepend", "prepend": " "},
      {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated", "invert": false},
      {"type": "Digits", "individual_digits": true},
      {"type": "Punctuation", "behavior": "Isolated"},
      {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true}]},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
      "pair": [],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [
      {"type": "Strip", "content": " ", "start": 1, "stop": 0},
      {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
      {"type": "WordPiece", "prefix": "##", "cleanup": true},
      {"type": "BPEDecoder", "suffix": "</w>"}]},
    "model": {"type": "BPE", "dropout": null, "unk_token": "<pad>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
      "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
      "vocab": {"<pad>": 0, "<s>": 1, "a": 2, "b": 3, "ab": 4, "c": 5, "abc": 6},
      "merges": ["a b", ["ab", "c"]]}})");
  return document;
}

// The value at a JSON pointer becomes `value`, JSON; "" removes it.
struct Change {
  const char* at;
  const char* value;
  const char* words;  // of the error, behind "t.json: "
};

// Models in full, where a change of BPE would not do.
constexpr const char* kWordPiece =
    R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"<pad>":0,"<s>":1,"[UNK]":2}})";

const Change kChanges[] = {
    // the document
    {"", "[]", "the document: must be an object, it is a list"},
    {"", "3", "the document: must be an object, it is a number"},
    {"/version", "\"2.0\"", "the document: version '2.0' is not supported; it is 1.0"},
    {"/version", "1", "version: must be a text, it is a number"},
    {"/extra", "1", "the document: 'extra' is not supported here"},
    {"/model", "", "the document: 'model' is missing"},
    {"/model", "null", "model: must be an object, it is null"},
    {"/model", "[]", "model: must be an object, it is a list"},
    // truncation and padding
    {"/truncation", "7", "truncation: must be an object, it is a number"},
    {"/truncation/max_length", "", "truncation: 'max_length' is missing"},
    {"/truncation/max_length", "0", "truncation.max_length: must be a whole number from 1 to"},
    {"/truncation/max_length", "-4", "truncation.max_length: must be a whole number"},
    {"/truncation/max_length", "1e30", "truncation.max_length: must be a whole number"},
    {"/truncation/direction", "\"Up\"",
     "truncation: direction 'Up' is not supported; it is Left or Right"},
    {"/truncation/strategy", "\"OnlySecond\"",
     "truncation: strategy 'OnlySecond' for a single text is not supported"},
    {"/truncation/stride", "2",
     "truncation: stride 2 is not supported: a text is cut, not wrapped"},
    {"/truncation/word", "2", "truncation: 'word' is not supported here"},
    {"/padding/strategy", "\"Longest\"", "padding.strategy: 'Longest' is not supported"},
    {"/padding/strategy", "", "padding: 'strategy' is missing"},
    {"/padding/strategy", R"({"Fixed":-1})", "padding.strategy.Fixed: must be a whole number"},
    {"/padding/strategy", R"({"Loose":1})", "padding.strategy: 'Loose' is not supported here"},
    {"/padding/direction", "\"Down\"", "padding: direction 'Down' is not supported"},
    {"/padding/pad_id", "1", "padding: pad_id 1 is not the token '<pad>'"},
    {"/padding/pad_id", "5000000", "padding.pad_id: must be a whole number from 0 to 4194303"},
    {"/padding/pad_to_multiple_of", "0",
     "padding.pad_to_multiple_of: must be a whole number from 1"},
    // added tokens
    {"/added_tokens", "{}", "added_tokens: must be a list, it is an object"},
    {"/added_tokens/0", "\"<pad>\"", "added_tokens[0]: must be an object, it is a text"},
    {"/added_tokens/0/id", "", "added_tokens[0]: 'id' is missing"},
    {"/added_tokens/0/id", "-1", "added_tokens[0].id: must be a whole number from 0"},
    {"/added_tokens/0/id", "4000000000", "added_tokens[0].id: must be a whole number from 0"},
    {"/added_tokens/0/id", "2", "added_tokens[0]: '<pad>' has id 2 here and 0 in the vocabulary"},
    {"/added_tokens/2/id", "2", "added_tokens[2]: id 2 has two tokens, 'a' and '<x>'"},
    {"/added_tokens/2/id", "1", "added_tokens[2]: id 1 is added twice"},
    {"/added_tokens/2/content", "\"\"", "added_tokens[2]: content is empty"},
    {"/added_tokens/2/content", "", "added_tokens[2]: 'content' is missing"},
    {"/added_tokens/2/content", "7", "added_tokens[2].content: must be a text, it is a number"},
    {"/added_tokens/2/content", "\"a\"",
     "added_tokens[2]: 'a' has id 9 here and 2 in the vocabulary"},
    {"/added_tokens/1/special", "1",
     "added_tokens[1].special: must be true or false, it is a number"},
    {"/added_tokens/1/lstrip", "\"yes\"",
     "added_tokens[1].lstrip: must be true or false, it is a text"},
    {"/added_tokens/1/colour", "1", "added_tokens[1]: 'colour' is not supported here"},
    // normalizers
    {"/normalizer", "\"NFC\"", "normalizer: must be an object, it is a text"},
    {"/normalizer/type", "", "normalizer: 'type' is missing"},
    {"/normalizer/type", "\"Nmt\"",
     "normalizer: type 'Nmt' is not supported; supported are BertNormalizer"},
    {"/normalizer/normalizers", "", "normalizer: 'normalizers' is missing"},
    {"/normalizer/normalizers", "{}", "normalizer.normalizers: must be a list, it is an object"},
    {"/normalizer/normalizers/0/type", "\"NFX\"",
     "normalizer.normalizers[0]: type 'NFX' is not supported"},
    {"/normalizer/normalizers/0/form", "1",
     "normalizer.normalizers[0]: 'form' is not supported here"},
    {"/normalizer/normalizers/1/pattern", "", "normalizer.normalizers[1]: 'pattern' is missing"},
    {"/normalizer/normalizers/1/pattern", "\" \"",
     "normalizer.normalizers[1].pattern: must be an object, it is a text"},
    {"/normalizer/normalizers/1/pattern", "{}",
     "normalizer.normalizers[1].pattern: must be one of String and Regex"},
    {"/normalizer/normalizers/1/pattern", R"({"Regex":"a","String":"b"})",
     "normalizer.normalizers[1].pattern: must be one of String and Regex"},
    {"/normalizer/normalizers/1/pattern", R"({"String":""})",
     "normalizer.normalizers[1].pattern.String: is empty"},
    {"/normalizer/normalizers/1/pattern", R"({"Glob":"*"})",
     "normalizer.normalizers[1].pattern: 'Glob' is not supported here"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("(a")",
     "normalizer.normalizers[1].pattern.Regex: the pattern is wrong near '(a': missing closing "
     "parenthesis"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("[a")",
     "normalizer.normalizers[1].pattern.Regex: a class of the pattern is not closed"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("[a&&b]")",
     "normalizer.normalizers[1].pattern.Regex: && in a class at byte 2 of the pattern is not "
     "supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("[a[bc]]")",
     "a class in a class at byte 2 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("[[:alpha:]]")",
     "[: in a class at byte 1 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("a{2}+")",
     "+ behind } at byte 4 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("\\R")",
     "\\R at byte 0 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("a\\K")",
     "\\K at byte 1 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"x("(?R)")x",
     "(?R at byte 0 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"x("(*COMMIT)")x",
     "(* at byte 0 of the pattern is not supported"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("a\\")", "the pattern ends in a backslash"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("\\p{Nonsense}")",
     "the pattern is wrong near '\\p{Nonsense}': unknown property"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("a**?{9999999}")",
     "normalizer.normalizers[1].pattern.Regex: the pattern is wrong"},
    {"/normalizer/normalizers/1/pattern/Regex", R"("(?<=a*)b")",
     "lookbehind assertion is not fixed length"},
    {"/normalizer/normalizers/1/content", "", "normalizer.normalizers[1]: 'content' is missing"},
    {"/normalizer/normalizers/2/strip_left", "0",
     "normalizer.normalizers[2].strip_left: must be true or false"},
    {"/normalizer/normalizers/3/prepend", "[]",
     "normalizer.normalizers[3].prepend: must be a text, it is a list"},
    {"/normalizer/normalizers/4/lowercase", "\"yes\"",
     "normalizer.normalizers[4].lowercase: must be true or false"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled","precompiled_charsmap":"***"})",
     "normalizer.normalizers[0].precompiled_charsmap: is not base64"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled","precompiled_charsmap":"AAA="})",
     "precompiled_charsmap: is shorter than its header"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled","precompiled_charsmap":"AAAAAA=="})",
     "precompiled_charsmap: a trie of 0 bytes does not fit in 0"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled","precompiled_charsmap":"AAAAgAAAAAA="})",
     "precompiled_charsmap: a trie of 2147483648 bytes does not fit in 4"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAD/"})",
     "precompiled_charsmap: its replacements are not UTF-8"},
    {"/normalizer/normalizers/0", R"({"type":"Precompiled"})",
     "normalizer.normalizers[0]: 'precompiled_charsmap' is missing"},
    // pre-tokenizers
    {"/pre_tokenizer/type", "\"UnicodeScripts\"",
     "pre_tokenizer: type 'UnicodeScripts' is not supported; supported are BertPreTokenizer"},
    {"/pre_tokenizer/pretokenizers/0/behavior", "",
     "pre_tokenizer.pretokenizers[0]: 'behavior' is missing"},
    {"/pre_tokenizer/pretokenizers/0/behavior", "\"Dropped\"",
     "pre_tokenizer.pretokenizers[0]: behavior 'Dropped' is not supported; it is Removed"},
    {"/pre_tokenizer/pretokenizers/0/invert", "1",
     "pre_tokenizer.pretokenizers[0].invert: must be true or false"},
    {"/pre_tokenizer/pretokenizers/1/individual_digits", "\"x\"",
     "pre_tokenizer.pretokenizers[1].individual_digits: must be true or false"},
    {"/pre_tokenizer/pretokenizers/2/behavior", "\"x\"",
     "pre_tokenizer.pretokenizers[2]: behavior 'x' is not supported"},
    {"/pre_tokenizer/pretokenizers/3/replacement", "\"__\"",
     "pre_tokenizer.pretokenizers[3]: replacement must be one character"},
    {"/pre_tokenizer/pretokenizers/3/replacement", "\"\"",
     "pre_tokenizer.pretokenizers[3]: replacement must be one character"},
    {"/pre_tokenizer/pretokenizers/3/prepend_scheme", "\"often\"",
     "pre_tokenizer.pretokenizers[3]: prepend_scheme 'often' is not supported; it is always, first "
     "or never"},
    {"/pre_tokenizer/pretokenizers/3",
     R"({"type":"Metaspace","add_prefix_space":false,"prepend_scheme":"always"})",
     "pre_tokenizer.pretokenizers[3]: add_prefix_space is false, yet prepend_scheme is not "
     "'never'"},
    {"/pre_tokenizer/pretokenizers/0", R"({"type":"ByteLevel"})",
     "pre_tokenizer.pretokenizers[1]: 'Digits' behind ByteLevel is not supported"},
    {"/pre_tokenizer/pretokenizers/3", R"({"type":"ByteLevel","colour":1})",
     "pre_tokenizer.pretokenizers[3]: 'colour' is not supported here"},
    // post-processors
    {"/post_processor/type", "\"Template\"",
     "post_processor: type 'Template' is not supported; supported are BertProcessing"},
    {"/post_processor/single", "", "post_processor: 'single' is missing"},
    {"/post_processor/single", "[]", "post_processor.single: the text A is missing"},
    {"/post_processor/single/1/Sequence/id", "\"B\"",
     "post_processor.single[1]: must be the text A, once"},
    {"/post_processor/single/0", R"({"Sequence":{"id":"A","type_id":0}})",
     "post_processor.single[1]: must be the text A, once"},
    {"/post_processor/single/0", "{}",
     "post_processor.single[0]: must be one of SpecialToken and Sequence"},
    {"/post_processor/single/0/SpecialToken/type_id", "1",
     "post_processor.single[0].SpecialToken: type_id 1 for a single text is not supported"},
    {"/post_processor/single/0/SpecialToken/id", "\"</s>\"",
     "post_processor.special_tokens: '</s>' is missing"},
    {"/post_processor/special_tokens", "", "post_processor: 'special_tokens' is missing"},
    {"/post_processor/special_tokens/<s>/ids", "[77]",
     "post_processor.special_tokens.<s>.ids[0]: id 77 names no token"},
    {"/post_processor/special_tokens/<s>/ids", "\"1\"",
     "post_processor.special_tokens.<s>.ids: must be a list, it is a text"},
    {"/post_processor", R"({"type":"BertProcessing","cls":["<s>",1]})",
     "post_processor: 'sep' is missing"},
    {"/post_processor", R"({"type":"BertProcessing","cls":["<s>",1],"sep":["<pad>",1]})",
     "post_processor.sep: id 1 is not the token '<pad>'"},
    {"/post_processor", R"({"type":"RobertaProcessing","cls":["<s>"],"sep":["<pad>",0]})",
     "post_processor.cls: must be a token and its id"},
    // decoders
    {"/decoder/type", "\"CTC\"", "decoder: type 'CTC' is not supported; supported are BPEDecoder"},
    {"/decoder/decoders/0/content", "\"ab\"", "decoder.decoders[0]: content must be one character"},
    {"/decoder/decoders/0/start", "-1", "decoder.decoders[0].start: must be a whole number from 0"},
    {"/decoder/decoders/1/pattern/String", "\"\"", "decoder.decoders[1].pattern.String: is empty"},
    {"/decoder/decoders/2/prefix", "2", "decoder.decoders[2].prefix: must be a text"},
    {"/decoder/decoders/3/suffix", "\"\"", "decoder.decoders[3]: suffix is empty"},
    // models
    {"/model/type", "\"LSTM\"",
     "model: type 'LSTM' is not supported; supported are BPE, Unigram, WordLevel, WordPiece"},
    {"/model/dropout", "0.1",
     "model.dropout: dropout makes ids random and is not supported; set it to null"},
    {"/model/unk_token", "\"<unk>\"", "model.unk_token: '<unk>' is not in the vocabulary"},
    {"/model/fuse_unk", "1", "model.fuse_unk: must be true or false"},
    {"/model/byte_fallback", "\"no\"", "model.byte_fallback: must be true or false"},
    {"/model/alpha", "1", "model: 'alpha' is not supported here"},
    {"/model/vocab", "", "model: 'vocab' is missing"},
    {"/model/vocab", "[]", "model.vocab: must be an object, it is a list"},
    {"/model/vocab", "{}", "model.vocab: is empty"},
    {"/model/vocab/a", "\"2\"", "model.vocab: the id of 'a' is no whole number"},
    {"/model/vocab/a", "2.5", "model.vocab: the id of 'a' is no whole number"},
    {"/model/vocab/a", "3", "model.vocab: id 3 has two tokens, 'a' and 'b'"},
    {"/model/vocab/a", "-2", "model.vocab: id -2 is not between 0 and 4194303"},
    {"/model/vocab/a", "4294967295", "model.vocab: id 4294967295 is not between 0 and 4194303"},
    {"/model/merges", "", "model: 'merges' is missing"},
    {"/model/merges", "{}", "model.merges: must be a list, it is an object"},
    {"/model/merges/0", "\"a\"", "model.merges[0]: must be two tokens"},
    {"/model/merges/0", "\"a b c\"", "model.merges[0]: must be two tokens"},
    {"/model/merges/0", R"(["a"])", "model.merges[0]: must be two tokens"},
    {"/model/merges/0", R"(["a",1])", "model.merges[0]: must be two tokens"},
    {"/model/merges/0", "7", "model.merges[0]: must be two tokens"},
    {"/model/merges/0", "\"a z\"", "model.merges[0]: token 'z' is not in the vocabulary"},
    {"/model/merges/1", "\"b a\"",
     "model.merges[1]: the merged token 'ba' is not in the vocabulary"},
    {"/model/merges/1", "\"a b\"", "model: merge 1 repeats the pair 'a' 'b'"},
    {"/model/continuing_subword_prefix", "\"##\"",
     "model.merges[0]: token 'b' lacks the prefix '##'"},
    {"/model", kWordPiece, ""},
    {"/model", R"({"type":"WordPiece","vocab":{"<pad>":0,"<s>":1}})",
     "model: the unknown token '[UNK]' is not in the vocabulary"},
    {"/model", R"({"type":"WordPiece","unk_token":"?","vocab":{"<pad>":0,"<s>":1}})",
     "model.unk_token: '?' is not in the vocabulary"},
    {"/model",
     R"({"type":"WordPiece","unk_token":"<s>","max_input_chars_per_word":0,"vocab":{"<pad>":0,"<s>":1}})",
     "model.max_input_chars_per_word: must be a whole number from 1"},
    {"/model", R"({"type":"WordLevel","vocab":{"<pad>":0,"<s>":1}})",
     "model: the unknown token '<unk>' is not in the vocabulary"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":[]})", "model.vocab: is empty"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":{}})",
     "model.vocab: must be a list, it is an object"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":[["<pad>"]]})",
     "model.vocab[0]: must be a token and its score"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":[["<pad>","high"]]})",
     "model.vocab[0]: must be a token and its score"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":[[1,0.5]]})",
     "model.vocab[0][0]: must be a text, it is a number"},
    {"/model", R"({"type":"Unigram","unk_id":0,"vocab":[["<pad>",0],["<pad>",0]]})",
     "model.vocab[1]: token '<pad>' has two ids, 0 and 1"},
    {"/model", R"({"type":"Unigram","unk_id":2,"vocab":[["<pad>",0],["<s>",0]]})",
     "model.unk_id: must be a whole number from 0 to 1"},
    {"/model", R"({"type":"Unigram","vocab":[["<pad>",0],["<s>",0]]})",
     "model: 'unk_id' is missing"},
};

std::string changed(const Change& change) {
  Json document = valid();
  const Json::json_pointer at(change.at);
  if (*change.value == '\0') {
    document.at(at.parent_pointer()).erase(at.back());
  } else {
    document[at] = Json::parse(change.value);
  }
  return document.dump();
}

TEST(MalformedTokenizer, NamesThePlaceOfEveryChange) {
  std::set<std::string> distinct;
  for (const Change& change : kChanges) {
    const auto tokenizer = parse_tokenizer_json(changed(change), "t.json");
    if (*change.words == '\0') {
      EXPECT_TRUE(tokenizer) << tokenizer.error().message;
      continue;
    }
    ASSERT_FALSE(tokenizer) << change.at << " " << change.value;
    EXPECT_EQ(tokenizer.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(tokenizer.error().message.starts_with("t.json: ")) << tokenizer.error().message;
    EXPECT_NE(tokenizer.error().message.find(change.words), std::string::npos)
        << change.at << " " << change.value << "\n"
        << tokenizer.error().message;
    distinct.insert(tokenizer.error().message);
  }
  EXPECT_GE(std::size(kChanges), 130U);
  EXPECT_GE(distinct.size(), 110U);
}

TEST(MalformedTokenizer, IsReadWhereNothingIsChanged) {
  const auto tokenizer = parse_tokenizer_json(valid().dump(), "t.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("abc <x>")->ids, (std::vector<TokenId>{1, 0, 6, 9}));
}

TEST(MalformedTokenizer, IsNoJson) {
  for (const char* text : {"", "{", "[1,2", "{\"a\":}", "nul", "\xff\xfe{}",
                           "{\"version\":\"\xc3\"}", "{} {}", "\"\\ud800\""}) {
    const auto tokenizer = parse_tokenizer_json(text, "t.json");
    ASSERT_FALSE(tokenizer) << text;
    EXPECT_TRUE(tokenizer.error().message.starts_with("t.json: ")) << tokenizer.error().message;
  }
}

TEST(MalformedTokenizer, RepeatsAKey) {
  std::string text = valid().dump();
  text.insert(1, R"("version":"1.0",)");
  EXPECT_EQ(parse_tokenizer_json(text, "t.json").error().message,
            "t.json: the document: 'version' stands there twice");
  const std::string vocabulary = R"({"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}})";
  EXPECT_EQ(parse_tokenizer_json(vocabulary, "t.json").error().message,
            "t.json: model.vocab: token 'a' has two ids, 0 and 1");
}

TEST(MalformedTokenizer, IsNestedTooDeep) {
  std::string open, close;
  for (int i = 0; i < 12; ++i) {
    open += R"({"type":"Sequence","normalizers":[)";
    close += "]}";
  }
  Json document = valid();
  document["normalizer"] = Json::parse(open + close);
  EXPECT_NE(parse_tokenizer_json(document.dump(), "t.json")
                .error()
                .message.find("sequences are nested too deep"),
            std::string::npos);
  EXPECT_FALSE(parse_tokenizer_json(std::string(1 << 20, '['), "t.json"));
}

TEST(MalformedTokenizer, MakesTextGrowWithoutEnd) {
  Json document = valid();
  const std::string step =
      R"({"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaaaaaaaaaaaa"})";
  document["normalizer"] =
      Json::parse(R"({"type":"Sequence","normalizers":[)" + step + "," + step + "," + step + "]}");
  const auto tokenizer = parse_tokenizer_json(document.dump(), "t.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_TRUE(tokenizer->encode("b"));
  const auto encoding = tokenizer->encode(std::string(1000, 'a'));
  ASSERT_FALSE(encoding);
  EXPECT_EQ(encoding.error().message,
            "the normalizer of the tokenizer makes the text over 32 times as long");
}

TEST(MalformedTokenizer, HasAPatternThatNeverEnds) {
  Json document = valid();
  document["normalizer"] =
      Json::parse(R"({"type":"Replace","pattern":{"Regex":"(a|aa)+!"},"content":""})");
  const auto tokenizer = parse_tokenizer_json(document.dump(), "t.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto encoding = tokenizer->encode(std::string(200, 'a') + "?!");
  ASSERT_FALSE(encoding);
  EXPECT_EQ(encoding.error().message,
            "a pattern of the tokenizer gives up on the text: match limit exceeded");
}

}  // namespace
}  // namespace plumb
