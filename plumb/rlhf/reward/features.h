// The seam to what turns a text into numbers: an embedder, a file of stored vectors. A reward on
// features (feature_reward.h) is a line over them; what makes them is given from outside, so that
// nothing here knows of embedders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::rlhf {

// Rows of one dimension, of which only what is not 0 need be there.
struct FeatureRows {
  struct Entry {
    std::uint32_t column;
    float value;
  };

  std::size_t dimension = 0;
  std::vector<Entry> entries;             // all rows, one after another
  std::vector<std::size_t> starts = {0};  // [rows + 1]

  std::size_t rows() const { return starts.size() - 1; }
  std::span<const Entry> row(std::size_t i) const {
    return std::span(entries).subspan(starts[i], starts[i + 1] - starts[i]);
  }
  // Sums are taken in double, in the order of the entries.
  double dot(std::size_t i, std::span<const double> weights) const;
  void add_to(std::size_t i, double scale, std::span<double> sum) const;
};

class TextFeatures {
 public:
  TextFeatures() = default;
  TextFeatures(const TextFeatures&) = delete;
  TextFeatures& operator=(const TextFeatures&) = delete;
  virtual ~TextFeatures() = default;

  // What it must be opened with again, as a FeatureOpener takes it.
  virtual Json spec() const = 0;

  // What the numbers depend on (hashes of files, settings), without where they lie. Features with
  // another identity are not those that were learnt from.
  virtual Json identity() const = 0;

  // A row a text, in their order. A text has the same row whatever stands beside it. kBadInput: a
  // text that has none.
  virtual Result<FeatureRows> rows(std::span<const std::string_view> texts, int threads) = 0;
};

using FeatureOpener = std::function<Result<std::unique_ptr<TextFeatures>>(const Json& spec)>;

}  // namespace plumb::rlhf
