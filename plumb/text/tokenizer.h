// Tokenizers: text to the ids that a model was trained on, and back.
//
// Who uses it: language models, encoders, reward models, `plumb tokens`. A tokenizer is read from
// what its model came with: Hugging Face's tokenizer.json, BERT's vocab.txt, GPT-2's vocab.json and
// merges.txt, llama2.c's tokenizer.bin. Guarantees: the ids are those of the original (Hugging Face
// tokenizers; llama2.c's run.c for tokenizer.bin); a construct that is not supported is an error
// that names it, never a silent difference; a Tokenizer never changes and may be used from several
// threads.
//
// Bytes that are not UTF-8: byte-level BPE and tokenizer.bin keep them, so that decode(encode(x))
// is x; every other tokenizer sees U+FFFD for each of them (the maximal subparts of Unicode,
// section 3.9).
//
//   PLUMB_TRY(tokenizer, load_tokenizer("models/stories260k/tok512.bin"));
//   PLUMB_TRY(encoding, tokenizer.encode("Once upon a time"));      // encoding.ids == {1, 403,
//   407, 261, 378} PLUMB_TRY(text, tokenizer.decode(encoding.ids));                // "Once upon a
//   time"
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb {

using TokenId = std::int32_t;

struct ByteRange {
  std::uint32_t begin = 0, end = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct Encoding {
  std::vector<TokenId> ids;
  std::vector<ByteRange>
      offsets;  // [ids.size()], bytes of the text; {0, 0} for the tokens that a template added
  std::size_t truncated = 0;  // tokens of the text that max_tokens left out
};

// max_tokens: what the tokenizer's file says, which usually is no limit; and no limit whatever the
// file says.
inline constexpr std::size_t kFileLimit = 0, kNoLimit = std::numeric_limits<std::size_t>::max();

struct EncodeOptions {
  bool add_special = true;  // the template's tokens: [CLS] and [SEP], the begin token, ...
  bool special_in_text =
      true;  // "</s>" in the text is that token; otherwise it is text like any other
  std::size_t max_tokens =
      kFileLimit;  // with the template's tokens; what is beyond is cut and counted
};

struct DecodeOptions {
  bool skip_special = true;
  bool continues = false;  // the ids continue other ids: a space at their start is kept
};

// The tokens that the files give these roles.
struct SpecialTokens {
  std::optional<TokenId> bos, eos, unk, pad, cls, sep, mask;
};

// Encodings of one batch as a rectangle.
struct TokenBatch {
  std::size_t rows = 0, columns = 0;
  std::vector<TokenId> ids;        // [rows, columns], the padding token where mask is 0
  std::vector<std::uint8_t> mask;  // [rows, columns], 1 where a token stands
};

enum class PaddingSide { kRight, kLeft };

// Rows as long as the longest, rounded up to a multiple.
TokenBatch pad_batch(std::span<const Encoding> encodings, TokenId padding,
                     PaddingSide side = PaddingSide::kRight, std::size_t multiple = 1);

class Tokenizer {
 public:
  struct State;  // tokens/pipeline.h
  explicit Tokenizer(std::shared_ptr<const State> state);

  // kBadInput: a pattern of the tokenizer exceeds its limits on this text; a text of 1 GiB or more;
  // max_tokens does not hold the template's own tokens.
  Result<Encoding> encode(std::string_view text, const EncodeOptions& options = {}) const;

  // Each text as encode() does, from `threads` threads (0: what the machine has); the error of the
  // first that fails.
  Result<std::vector<Encoding>> encode_batch(std::span<const std::string_view> texts,
                                             const EncodeOptions& options = {},
                                             int threads = 0) const;

  // kBadInput: an id that is not in the vocabulary. The bytes are UTF-8 unless ids of byte-level
  // BPE or tokenizer.bin cut a character.
  Result<std::string> decode(std::span<const TokenId> ids, const DecodeOptions& options = {}) const;

  // As the file says: padding token (or `pad`, or 0), side and multiple. A fixed length is not
  // applied.
  TokenBatch pad(std::span<const Encoding> encodings) const;

  // The largest id + 1: what an embedding table must hold.
  std::size_t vocabulary_size() const;

  // The token as its file spells it ("##ing", "Ġthe"); empty where the id names none.
  std::string_view token(TokenId id) const;
  std::optional<TokenId> find(std::string_view token) const;

  const SpecialTokens& special() const;
  bool is_special(TokenId id) const;

  // tokenizer_config.json's model_max_length, where it is a real one.
  std::optional<std::size_t> model_max_tokens() const;

 private:
  std::shared_ptr<const State> state_;
};

// `path` is a folder (tokenizer.json; else tokenizer.bin or the only *.bin that is one; else
// vocab.json and merges.txt; else vocab.txt; with tokenizer_config.json and special_tokens_map.json
// beside it), or one of these files, by whatever name. kNotFound: no tokenizer there. kBadInput:
// the file with the place (a JSON path, a line, a byte) and what is wrong.
Result<Tokenizer> load_tokenizer(const std::filesystem::path& path);

// tokenizer.json from memory; `name` stands in errors.
Result<Tokenizer> parse_tokenizer_json(std::string_view json, const std::string& name);

}  // namespace plumb
