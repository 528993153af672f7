// Checkpoints of llama2.c, the legacy layout: seven 32-bit integers, then all tensors as floats.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "plumb/base/result.h"
#include "plumb/nn/transformer.h"

namespace plumb::nn {

// kBadInput: a size that cannot be, or a file that is not exactly as long as its sizes say.
Result<Transformer> parse_llama2c(std::span<const std::byte> bytes, const std::string& file);

}  // namespace plumb::nn
