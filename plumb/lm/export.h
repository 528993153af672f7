// A language model as the folder that other tools load: `plumb lm export`.
#pragma once

#include <filesystem>
#include <string>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"

namespace plumb::lm {

// Writes config.json, model.safetensors and the tokenizer's files, which are copied from
// `tokenizer` (a folder or file). Of llama2.c's tokenizer.bin a tokenizer.json is made as well.
// Returns why there is no tokenizer.json, "" where there is one. Errors as save_transformer() and
// read_file().
Result<std::string> export_language_model(const LanguageModel& model,
                                          const std::filesystem::path& tokenizer,
                                          const std::filesystem::path& folder);

}  // namespace plumb::lm
