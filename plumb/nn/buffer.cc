#include "plumb/nn/buffer.h"

#include <sys/mman.h>

#include <cstring>

namespace plumb::nn {

float* Buffer::allocate(std::size_t size) {
  constexpr std::size_t kLine = 64, kHugePage = std::size_t{1} << 21;
  if (size > (~std::size_t{0} - kHugePage) / sizeof(float)) throw std::bad_alloc();
  const std::size_t bytes = size * sizeof(float);
  const std::size_t boundary = bytes >= 4 * kHugePage ? kHugePage : kLine;
  const std::size_t rounded = (bytes + boundary - 1) / boundary * boundary;
  void* memory = std::aligned_alloc(boundary, rounded == 0 ? boundary : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  if (boundary == kHugePage) ::madvise(memory, rounded, MADV_HUGEPAGE);  // a wish, no more
  std::memset(memory, 0, bytes);
  return static_cast<float*>(memory);
}

}  // namespace plumb::nn
