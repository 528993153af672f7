#include "plumb/lm/language_model.h"

#include <fmt/format.h>

#include <system_error>

#include "plumb/base/hash.h"
#include "plumb/lm/tokenizer_fit.h"
#include "plumb/nn/checkpoint.h"

namespace plumb::lm {

std::filesystem::path tokenizer_path(const ModelFiles& files) {
  if (!files.tokenizer.empty()) return files.tokenizer;
  std::error_code ignored;
  if (std::filesystem::is_directory(files.model, ignored)) return files.model;
  return files.model.has_parent_path() ? files.model.parent_path() : std::filesystem::path(".");
}

TextFrame frame_of(const nn::TransformerConfig& config, const Tokenizer& tokenizer) {
  const SpecialTokens& special = tokenizer.special();
  TextFrame frame{config.begin_token, config.end_token};
  if (!frame.begin) frame.begin = special.bos;
  if (!frame.end) frame.end = special.eos;
  if (!frame.begin) frame.begin = frame.end;
  return frame;
}

Result<std::vector<TokenId>> encode_text(const Tokenizer& tokenizer, const TextFrame& frame,
                                         std::string_view text) {
  PLUMB_TRY(encoding,
            tokenizer.encode(
                text, {.add_special = false, .special_in_text = false, .max_tokens = kNoLimit}));
  std::vector<TokenId> ids;
  if (frame.begin) ids.push_back(*frame.begin);
  ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
  if (ids.empty()) {
    return fail(ErrorKind::kBadInput,
                "the text is empty, and the model has no begin token to start from");
  }
  return ids;
}

std::vector<TokenId> LanguageModel::stop_tokens() const {
  std::vector<TokenId> tokens;
  if (frame.end) tokens.push_back(*frame.end);
  if (frame.begin && frame.begin != frame.end) tokens.push_back(*frame.begin);
  return tokens;
}

Result<LanguageModel> load_language_model(const ModelFiles& files) {
  PLUMB_TRY(transformer, nn::load_transformer(files.model));
  if (!transformer.config().causal || !transformer.config().language_head) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a {} model{} writes no text", files.model.string(),
                            nn::architecture_name(transformer.config().architecture),
                            transformer.config().causal ? " without a language head" : ""));
  }
  PLUMB_TRY(tokenizer, load_tokenizer(tokenizer_path(files)));
  const TextFrame frame = frame_of(transformer.config(), tokenizer);
  if (auto fits = check_fit(files, transformer.config(), tokenizer, frame); !fits) {
    return tl::unexpected(fits.error());
  }
  return LanguageModel{files.model.string(), std::move(transformer), std::move(tokenizer), frame};
}

Json provenance(const LanguageModel& model) {
  const auto values = model.transformer.values();
  return {{"model", model.name},
          {"architecture", nn::architecture_name(model.transformer.config().architecture)},
          {"weights_sha256",
           sha256({reinterpret_cast<const char*>(values.data()), values.size_bytes()})}};
}

}  // namespace plumb::lm
