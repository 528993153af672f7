// What the tests of embedders share: golden figures, files in a folder of the test's own, and the
// properties that every embedder has.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/raters/embedders/embedder.h"

namespace plumb::raters::testing {

inline nlohmann::json golden_embedders() {
  std::ifstream file("tests/golden/embedders.json");
  EXPECT_TRUE(file) << "run from the repository root";
  return nlohmann::json::parse(file);
}

inline std::filesystem::path scratch(const std::string& name) {
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    fmt::format("plumb_embed_{}", ::getpid()) / name;
  std::filesystem::create_directories(path.parent_path());
  return path;
}

// Writes the bytes and returns the path.
inline std::filesystem::path file_of(const std::string& name, std::string_view bytes) {
  const auto path = scratch(name);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

inline std::string gzip(std::string_view bytes) {
  const auto path = scratch("packing.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  std::ifstream read(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(read), {}};
}

template <typename Number>
std::string raw_bytes(const std::vector<Number>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number)};
}

inline std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// A row written out, [dimension]; sparse ones by their columns.
inline std::map<std::size_t, float> row_of(const Vectors& vectors, std::size_t row) {
  std::map<std::size_t, float> values;
  if (!vectors.is_dense()) {
    for (const auto& entry : vectors.sparse_row(row)) values[entry.column] = entry.value;
    return values;
  }
  const auto dense = vectors.dense_row(row);
  for (std::size_t i = 0; i < dense.size(); ++i) values[i] = dense[i];
  return values;
}

inline Vectors embedded(Embedder& embedder, const std::vector<std::string>& texts,
                        const EmbedOptions& options = {}) {
  auto vectors = embedder.embed(views(texts), options);
  EXPECT_TRUE(vectors) << vectors.error().message;
  return vectors ? std::move(*vectors) : Vectors{};
}

inline void prepared(Embedder& embedder, const std::vector<std::string>& texts) {
  const auto done = embedder.prepare(views(texts));
  EXPECT_TRUE(done) << done.error().message;
}

// Another order permutes the rows, a repeated text repeats its row, a part of the texts gets its
// part of the rows, and one thread writes the same bytes as two; in prepare() no order matters.
inline void expect_row_a_text(Embedder& embedder, const std::vector<std::string>& texts,
                              TextRole role, std::uint64_t seed) {
  prepared(embedder, texts);
  const Vectors straight = embedded(embedder, texts, {.role = role, .threads = 1});
  Stream stream(seed, "order", 0);
  std::vector<std::size_t> order(texts.size() + 3);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i % texts.size();
  shuffle(std::span(order), stream);
  std::vector<std::string> shuffled, all = texts;
  for (const std::size_t i : order) shuffled.push_back(texts[i]);
  shuffle(std::span(all), stream);
  prepared(embedder, all);
  const Vectors rows = embedded(embedder, shuffled, {.role = role, .threads = 2});
  ASSERT_EQ(rows.rows(), shuffled.size());
  ASSERT_EQ(rows.dimension(), straight.dimension());
  for (std::size_t i = 0; i < order.size(); ++i) {
    ASSERT_EQ(row_of(rows, i), row_of(straight, order[i])) << shuffled[i];
  }
  EXPECT_EQ(embedded(embedder, {}, {.role = role}).rows(), 0U);
}

// Texts of a few words that repeat, with blanks, punctuation and other scripts.
inline std::vector<std::string> random_texts(Stream& stream, std::size_t count) {
  static const std::vector<std::string> kWords = {
      "the", "Ferry", "late", "harbour", "порт", "à", "été", "x", "42", "!", "snow_plough", "مرفأ"};
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (std::size_t words = stream.below(9); words > 0; --words) {
      text += kWords[stream.below(kWords.size())] + " ";
    }
  }
  return texts;
}

}  // namespace plumb::raters::testing
