#include "plumb/lm/export.h"

#include <system_error>

#include "plumb/base/files.h"
#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/text/tokenizer_export.h"

namespace plumb::lm {
namespace {

namespace fs = std::filesystem;

// What tools want to know beside tokenizer.json.
std::string tokenizer_config() {
  return to_text(Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                      {"unk_token", "<unk>"},
                      {"bos_token", "<s>"},
                      {"eos_token", "</s>"},
                      {"clean_up_tokenization_spaces", false}},
                 2) +
         "\n";
}

bool has_json(const fs::path& tokenizer) {
  std::error_code code;
  if (fs::is_directory(tokenizer, code)) return fs::exists(tokenizer / "tokenizer.json", code);
  return tokenizer.extension() == ".json" && tokenizer.filename() != "vocab.json";
}

}  // namespace

Result<std::string> export_language_model(const LanguageModel& model, const fs::path& tokenizer,
                                          const fs::path& folder) {
  if (auto saved = nn::save_transformer(folder, model.transformer); !saved) {
    return tl::unexpected(saved.error());
  }
  if (auto copied = copy_tokenizer(tokenizer, folder); !copied) {
    return tl::unexpected(copied.error());
  }
  if (has_json(tokenizer)) return "";
  std::error_code code;
  fs::remove(folder / "tokenizer.json", code);  // of what the folder held before
  const fs::path binary = folder / "tokenizer.bin";
  if (!fs::exists(binary, code)) return "its tokenizer has none";
  PLUMB_TRY(bytes, read_file(binary));
  const auto json = llama2c_as_json(bytes, binary.string());
  if (!json) return json.error().message;
  if (auto written = write_file_atomic(folder / "tokenizer_config.json", tokenizer_config());
      !written) {
    return tl::unexpected(written.error());
  }
  if (auto written = write_file_atomic(folder / "tokenizer.json", *json); !written) {
    return tl::unexpected(written.error());
  }
  return "";
}

}  // namespace plumb::lm
