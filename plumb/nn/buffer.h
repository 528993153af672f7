// Floats at a cache line's boundary, zero at first.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace plumb::nn {

class Buffer {
 public:
  Buffer() = default;
  // Throws std::bad_alloc, as std::vector does. Large buffers take memory as they are touched.
  explicit Buffer(std::size_t size) : values_(allocate(size)), size_(size) {}

  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }
  std::size_t size() const { return size_; }
  std::span<float> span() { return {values_.get(), size_}; }
  std::span<const float> span() const { return {values_.get(), size_}; }

 private:
  struct Free {
    void operator()(float* values) const { std::free(values); }
  };
  static float* allocate(std::size_t size);

  std::unique_ptr<float, Free> values_;
  std::size_t size_ = 0;
};

}  // namespace plumb::nn
