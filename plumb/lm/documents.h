// Texts to train on and to measure: documents of a file, and the windows in which a model sees
// them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/text/tokenizer.h"

namespace plumb::lm {

// The documents of a text file, plain or gzip: what stands between blank lines, its own lines
// joined by a line feed. "-" reads standard input. kBadInput: bytes that are no UTF-8, or
// no text at all; kNotFound: the file is missing.
Result<std::vector<std::string>> read_documents(const std::filesystem::path& file);

// Characters as Unicode counts them. REQUIRES: UTF-8.
std::size_t characters(std::string_view text);

}  // namespace plumb::lm
