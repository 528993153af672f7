#include "plumb/nn/kernels.h"

#include <cstring>
#include <initializer_list>

namespace plumb::nn {

extern const Kernels kPortableKernels, kAvx2Kernels, kAvx512Kernels;

namespace {

constexpr std::size_t kWidestTile = 64;  // queries and keys of a tile of attention

bool has(const Kernels& table) {
#if defined(__x86_64__)
  if (&table == &kAvx2Kernels) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  }
  if (&table == &kAvx512Kernels) {
    return has(kAvx2Kernels) && __builtin_cpu_supports("avx512f") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0;
  }
#endif
  return &table == &kPortableKernels;
}

const Kernels& best() {
  if (has(kAvx512Kernels)) return kAvx512Kernels;
  return has(kAvx2Kernels) ? kAvx2Kernels : kPortableKernels;
}

}  // namespace

std::size_t attention_scratch(std::size_t head_width) {
  return 3 * head_width * kWidestTile + 2 * kWidestTile * kWidestTile;
}

const Kernels& kernels() {
  static const Kernels& chosen = best();
  return chosen;
}

const Kernels* kernels_named(const char* name) {
  for (const Kernels* table : {&kPortableKernels, &kAvx2Kernels, &kAvx512Kernels}) {
    if (std::strcmp(table->name, name) == 0) return has(*table) ? table : nullptr;
  }
  return nullptr;
}

std::size_t packed_size(const Kernels& kernels, std::size_t n, std::size_t k) {
  return (n + kernels.panel - 1) / kernels.panel * kernels.panel * k;
}

}  // namespace plumb::nn
