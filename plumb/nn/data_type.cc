#include "plumb/nn/data_type.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace plumb::nn {
namespace {

struct Row {
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<Row, 15> kDataTypes = {{{"BOOL", 1},
                                             {"U8", 1},
                                             {"I8", 1},
                                             {"F8_E5M2", 1},
                                             {"F8_E4M3", 1},
                                             {"I16", 2},
                                             {"U16", 2},
                                             {"F16", 2},
                                             {"BF16", 2},
                                             {"I32", 4},
                                             {"U32", 4},
                                             {"F32", 4},
                                             {"I64", 8},
                                             {"U64", 8},
                                             {"F64", 8}}};

const Row& row_of(DataType type) { return kDataTypes[static_cast<std::size_t>(type)]; }

// Files give no alignment, so elements are copied out.
template <typename Stored, typename Convert>
void copy_as(std::span<const std::byte> bytes, std::span<float> values, const Convert& convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
}

}  // namespace

std::string_view data_type_name(DataType type) { return row_of(type).name; }

std::optional<DataType> parse_data_type(std::string_view name) {
  const auto* found = std::ranges::find(kDataTypes, name, &Row::name);
  if (found == kDataTypes.end()) return std::nullopt;
  return static_cast<DataType>(found - kDataTypes.begin());
}

std::size_t data_type_bytes(DataType type) { return row_of(type).bytes; }

bool is_float_format(DataType type) {
  return type == DataType::kF32 || type == DataType::kF16 || type == DataType::kBF16 ||
         type == DataType::kF64;
}

float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1.0p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

void copy_floats(DataType type, std::span<const std::byte> bytes, std::span<float> values) {
  switch (type) {
    case DataType::kF16:
      return copy_as<std::uint16_t>(bytes, values, float_of_half);
    case DataType::kBF16:
      return copy_as<std::uint16_t>(bytes, values, float_of_bf16);
    case DataType::kF64:
      return copy_as<double>(bytes, values, [](double x) { return static_cast<float>(x); });
    default:
      if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
}

}  // namespace plumb::nn
