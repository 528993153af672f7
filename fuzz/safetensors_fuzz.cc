// Whatever the bytes are, a header is read or refused with words; tensors lie inside the bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "plumb/nn/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto header = plumb::nn::parse_safetensors(bytes, "fuzz");
  if (!header) {
    if (header.error().message.empty()) std::abort();
    return 0;
  }
  for (const plumb::nn::Tensor& tensor : header->tensors) {
    if (!tensor.bytes.empty() &&
        (tensor.bytes.data() < bytes.data() ||
         tensor.bytes.data() + tensor.bytes.size() > bytes.data() + bytes.size())) {
      std::abort();
    }
    std::vector<float> values(tensor.elements());
    (void)tensor.copy_to(values);
    (void)tensor.check_finite();
  }
  return 0;
}
