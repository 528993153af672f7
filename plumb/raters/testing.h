// Small embedded tasks for tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters::testing {

// What stands under `key` in a file of tests/golden; by value, so that a loop may run over it.
inline nlohmann::json golden(const std::string& name, const char* key) {
  std::ifstream file("tests/golden/" + name);
  EXPECT_TRUE(file) << "run from the repository root";
  nlohmann::json found = nlohmann::json::parse(file)[key];
  EXPECT_FALSE(found.empty()) << name << " has no " << key;
  return found;
}

// {"dimension": d, "vectors": [tenths, ...]}
inline Vectors vectors_in_tenths(const nlohmann::json& c) {
  std::vector<float> values;
  for (const auto& tenths : c["vectors"]) {
    values.push_back(static_cast<float>(tenths.get<int>() / 10.0));
  }
  return Vectors::dense(c["dimension"], std::move(values));
}

// The same rows without their zeros.
inline Vectors as_sparse(const Vectors& dense) {
  std::vector<Vectors::Entry> entries;
  std::vector<std::size_t> starts = {0};
  for (std::size_t row = 0; row < dense.rows(); ++row) {
    for (std::size_t i = 0; i < dense.dimension(); ++i) {
      const float value = dense.dense_row(row)[i];
      if (value != 0) entries.push_back({static_cast<std::uint32_t>(i), value});
    }
    starts.push_back(entries.size());
  }
  return Vectors::sparse(dense.dimension(), std::move(entries), std::move(starts));
}

// [n, dimension] in clouds around `labels`; values with two decimals, a third of them 0.
inline Vectors clouds(std::span<const int> labels, std::size_t dimension, Stream& stream) {
  std::vector<float> values;
  for (const int label : labels) {
    for (std::size_t i = 0; i < dimension; ++i) {
      const auto noise = static_cast<float>(stream.below(300)) / 100 - 1.5F;
      const float centre = static_cast<int>(i % 7) == label ? 2 : 0;
      values.push_back(stream.below(3) == 0 ? 0 : centre + noise);
    }
  }
  return Vectors::dense(dimension, std::move(values));
}

inline std::vector<std::size_t> all_rows(const Vectors& vectors) {
  std::vector<std::size_t> rows(vectors.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

inline std::vector<int> random_labels(std::size_t count, int labels, Stream& stream) {
  std::vector<int> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(i < static_cast<std::size_t>(labels)
                         ? static_cast<int>(i)
                         : static_cast<int>(stream.below(static_cast<std::uint64_t>(labels))));
  }
  return result;
}

}  // namespace plumb::raters::testing
