// What the tests of the engine share.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::nn {

// A folder of its own for each test.
class FolderTest : public testing::Test {
 protected:
  FolderTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                fmt::format("nn_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

// tests/golden/transformers.py draws its weights by the same hash.
inline double hashed(std::uint64_t index, std::uint64_t tensor) {
  std::uint64_t x = (index * 2654435761U + tensor * 40503U + 12345U) & 0xffffffffU;
  x ^= x >> 15;
  x = x * 2246822519U & 0xffffffffU;
  x ^= x >> 13;
  x = x * 3266489917U & 0xffffffffU;
  return static_cast<double>(x >> 8) / 8388608.0 - 1.0;
}

inline std::vector<float> random_floats(std::size_t count, std::uint64_t index,
                                        double amplitude = 1.0) {
  Stream stream(7, "floats", index);
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(amplitude * (2.0 * stream.uniform() - 1.0));
  }
  return values;
}

}  // namespace plumb::nn
