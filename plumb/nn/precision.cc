#include "plumb/nn/precision.h"

#include <dnnl.h>
#include <fmt/format.h>

namespace plumb::nn {
namespace {

struct Row {
  Precision precision;
  std::string_view name, instructions;
  unsigned isa;  // of oneDNN; each holds the bits of those below it
};

constexpr Row kRows[] = {
    {Precision::kF32, "f32", "", 0},
    {Precision::kBf16, "bf16", "AVX-512 BF16", dnnl_cpu_isa_avx512_core_bf16},
    {Precision::kInt8, "int8", "AVX-512 VNNI", dnnl_cpu_isa_avx512_core_vnni},
};

const Row& row_of(Precision precision) { return kRows[static_cast<std::size_t>(precision)]; }

}  // namespace

std::string_view precision_name(Precision precision) { return row_of(precision).name; }

std::optional<Precision> parse_precision(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.precision;
  }
  return std::nullopt;
}

Result<void> check_precision(Precision precision) {
  const Row& row = row_of(precision);
  const auto here = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  if ((here & row.isa) == row.isa) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("precision {}: this processor has no {}, without which {} is slower than "
                          "f32; take f32",
                          row.name, row.instructions, row.name));
}

}  // namespace plumb::nn
