// How exactly a model is computed where it only predicts. f32 is the reference; bf16 and int8 trade
// a stated loss for speed (docs/engine.md) on processors that multiply them natively.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb::nn {

enum class Precision : std::uint8_t { kF32, kBf16, kInt8 };

// "f32", "bf16", "int8"
std::string_view precision_name(Precision precision);
std::optional<Precision> parse_precision(std::string_view name);

// kUsage: this processor has no instructions for it, so that it would be slower than f32.
// Words of the environment that oneDNN obeys (ONEDNN_MAX_CPU_ISA) count as the processor's.
Result<void> check_precision(Precision precision);

}  // namespace plumb::nn
