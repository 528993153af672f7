// The number formats of checkpoint files, and their way to and from float.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace plumb::nn {

// In the order of kDataTypes below.
enum class DataType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kI64,
  kU64,
  kF64
};

std::string_view data_type_name(DataType type);  // "F32", as safetensors files spell it
std::optional<DataType> parse_data_type(std::string_view name);
std::size_t data_type_bytes(DataType type);

// f32, f16, bf16, f64: what copy_floats() takes.
bool is_float_format(DataType type);

// values[i] = element i of `bytes`, little-endian. REQUIRES: is_float_format(type), bytes.size() ==
// values.size() * data_type_bytes(type).
void copy_floats(DataType type, std::span<const std::byte> bytes, std::span<float> values);

// IEEE 754 binary16 to float, exact.
float float_of_half(std::uint16_t half);

// bfloat16 is the upper half of a float; rounded to the nearest, ties to even.
inline float float_of_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
inline std::uint16_t bf16_of_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace plumb::nn
