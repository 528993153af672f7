// A language model as people have it: a transformer, its tokenizer, and the tokens between which a
// text stands.
//
//   PLUMB_TRY(model, load_language_model({.model = "models/stories260k/stories260K.bin"}));
//   PLUMB_TRY(ids, model.encode("Once upon a time"));   // the begin token first
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/nn/transformer.h"
#include "plumb/text/tokenizer.h"

namespace plumb::lm {

struct ModelFiles {
  std::filesystem::path model;
  std::filesystem::path tokenizer = {};  // empty: beside the model
};

// The folder or file where a model's tokenizer is looked for: what was named, else the model's
// folder.
std::filesystem::path tokenizer_path(const ModelFiles& files);

// The tokens between which a text stands. A model without a begin token of its own takes the end
// token (GPT-2's "<|endoftext|>").
struct TextFrame {
  std::optional<TokenId> begin, end;
};
TextFrame frame_of(const nn::TransformerConfig& config, const Tokenizer& tokenizer);

// The begin token, where there is one, and the text's tokens; special tokens in the text are text.
// kBadInput: what the tokenizer refuses; no token at all.
Result<std::vector<TokenId>> encode_text(const Tokenizer& tokenizer, const TextFrame& frame,
                                         std::string_view text);

struct LanguageModel {
  std::string name;  // as it was called on the command line
  nn::Transformer transformer;
  Tokenizer tokenizer;
  TextFrame frame;

  Result<std::vector<TokenId>> encode(std::string_view text) const {
    return encode_text(tokenizer, frame, text);
  }
  // What ends a completion: the end token and, for models that were trained on texts one after
  // another, the begin token of the next.
  std::vector<TokenId> stop_tokens() const;
};

// kNotFound; kBadInput: what load_transformer and load_tokenizer refuse, an architecture that
// writes no text (BERT), a tokenizer that check_fit() (tokenizer_fit.h) refuses.
Result<LanguageModel> load_language_model(const ModelFiles& files);

// What a result was computed with: the file's name and the hash of its weights as floats.
Json provenance(const LanguageModel& model);

}  // namespace plumb::lm
