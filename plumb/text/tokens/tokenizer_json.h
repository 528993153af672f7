// tokenizer.json of Hugging Face, whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plumb/text/tokens/pipeline.h"

namespace plumb::tokens {

// kBadInput, with the JSON path: see json_steps.h. `file` stands in errors.
Result<std::shared_ptr<Tokenizer::State>> read_tokenizer_json(std::string_view json,
                                                              const std::string& file);

}  // namespace plumb::tokens
