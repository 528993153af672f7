// NumPy's .npy files of matrices: versions 1 to 3 of the format (NEP 1), floats of 2, 4 or 8 bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "plumb/base/result.h"

namespace plumb::raters {

struct NpyHeader {
  enum class Type { kHalf, kFloat, kDouble };

  Type type = Type::kFloat;
  std::size_t rows = 0, columns = 0;
  std::size_t data_offset = 0;  // where the numbers start

  std::size_t value_bytes() const { return type == Type::kHalf ? 2 : type == Type::kFloat ? 4 : 8; }
};

// kBadInput, naming `file`, without allocating by what the header says: no .npy file, an unknown
// version, a header that is cut short or no dictionary of descr, fortran_order and shape, numbers
// that are no little-endian floats, Fortran order, a shape that is no matrix with columns, a file
// whose size is another than the shape needs.
Result<NpyHeader> parse_npy_header(std::span<const std::byte> bytes, const std::string& file);

// What stands before the floats of a file of version 1 of this shape.
std::string npy_head(std::size_t rows, std::size_t columns);

// The bytes of such a file with these floats, [rows, columns] row-major. REQUIRES: values.size() ==
// rows * columns.
std::string npy_bytes(std::size_t rows, std::size_t columns, std::span<const float> values);

}  // namespace plumb::raters
