// What the tests of the engine share.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/nn/transformer.h"

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

// A tiny decoder with random weights, large enough that its logits differ.
inline Transformer tiny_decoder(Architecture architecture, std::uint64_t seed = 1) {
  TransformerConfig c;
  c.architecture = architecture;
  c.vocabulary = 31;
  c.width = 16;
  c.layers = 2;
  c.heads = 4;
  c.key_heads = 2;
  c.head_width = c.rotary_width = 4;
  c.hidden = 24;
  c.context = 40;
  if (architecture != Architecture::kLlama) {
    c.key_heads = 4;
    c.norm = Norm::kLayer;
    c.gated = false;
    c.activation = Activation::kGeluTanh;
    c.query_bias = c.linear_bias = true;
    c.parallel_residual = architecture == Architecture::kGptNeoX;
    c.tied = architecture == Architecture::kGpt2;
    if (architecture == Architecture::kGpt2) {
      c.positions = Positions::kLearned;
      c.position_rows = c.context;
      c.rotary_width = 0;
    } else {
      c.rotary_width = 2;
    }
  }
  Transformer model(c);
  initialise(model, seed);
  for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 20.0F;
  return model;
}

}  // namespace plumb::nn
