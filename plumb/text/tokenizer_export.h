// Tokenizers written in the form that other tools read.
#pragma once

#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb {

// tokenizer.json of the bytes of llama2.c's tokenizer.bin: byte-pair encoding with byte fallback,
// U+2581 for blanks, <s> before each text, as Hugging Face writes Llama's. Ids are the same but for
// texts that hold U+2581 themselves (a blank to tokenizer.json) or are no UTF-8.
// kBadInput: no tokenizer.bin; tokens that tokenizer.json cannot express: of one spelling, of one
// score, or no UTF-8. `file` stands in errors.
Result<std::string> llama2c_as_json(std::string_view bytes, const std::string& file);

}  // namespace plumb
