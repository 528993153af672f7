#include "plumb/stats/krippendorff.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kResamplesPerStep = 8;

// The pairable items, compressed: items with the same answers, in any order, share a pattern.
struct Patterns {
  std::vector<std::uint32_t> codes;    // the answers of pattern 0, of pattern 1, ...; sorted
  std::vector<std::size_t> begin;      // [patterns + 1] where each starts in `codes`
  std::vector<std::uint32_t> of_item;  // [pairable items]

  std::size_t size() const { return begin.size() - 1; }
  std::span<const std::uint32_t> operator[](std::size_t pattern) const {
    return std::span(codes).subspan(begin[pattern], begin[pattern + 1] - begin[pattern]);
  }
};

// The answers of each item with two or more, sorted, one after the other. Not yet compressed: every
// item is its own pattern.
Patterns pairable_items(const Ratings& ratings) {
  Patterns items;
  items.begin.push_back(0);
  std::vector<std::uint32_t> answers;
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    answers.clear();
    for (const int code : ratings.item(i)) {
      if (code >= 0) answers.push_back(static_cast<std::uint32_t>(code));
    }
    if (answers.size() < 2) continue;
    std::sort(answers.begin(), answers.end());
    items.codes.insert(items.codes.end(), answers.begin(), answers.end());
    items.begin.push_back(items.codes.size());
  }
  return items;
}

Patterns compress(const Ratings& ratings) {
  const Patterns items = pairable_items(ratings);
  std::vector<std::uint32_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::ranges::lexicographical_compare(items[a], items[b]);
  });

  Patterns patterns;
  patterns.begin.push_back(0);
  patterns.of_item.resize(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto answers = items[order[i]];
    if (i == 0 || !std::ranges::equal(answers, items[order[i - 1]])) {
      patterns.codes.insert(patterns.codes.end(), answers.begin(), answers.end());
      patterns.begin.push_back(patterns.codes.size());
    }
    patterns.of_item[order[i]] = static_cast<std::uint32_t>(patterns.size() - 1);
  }
  return patterns;
}

double square(double x) { return x * x; }

double ratio_difference(double c, double k) { return c == k ? 0 : square((c - k) / (c + k)); }

// sum_ck n_uc n_uk d(c, k)^2 / (m_u - 1) for one pattern, d = the difference of positions. Half an
// integer if the positions are midranks, and then exact.
double spread_of_positions(std::span<const std::uint32_t> answers,
                           std::span<const double> positions) {
  const auto count = static_cast<double>(answers.size());
  const double origin = positions[answers.front()];
  double sum = 0, squares = 0;
  for (const std::uint32_t code : answers) {
    const double x = positions[code] - origin;
    sum += x;
    squares += x * x;
  }
  return 2 * (count * squares - sum * sum) / (count - 1);
}

template <typename Difference>
double spread_of_pairs(std::span<const std::uint32_t> answers, Difference difference) {
  double sum = 0;
  for (const std::uint32_t c : answers) {
    for (const std::uint32_t k : answers) sum += difference(c, k);
  }
  return sum / static_cast<double>(answers.size() - 1);
}

// What a resample needs room for.
struct Scratch {
  std::vector<std::uint32_t> draws;    // [patterns] how often each was drawn
  std::vector<std::int64_t> marginal;  // [values] n_c
  std::vector<double> midranks;        // [values]
};

// Alpha of any multiset of patterns.
class Alpha {
 public:
  Alpha(const Ratings& ratings, Level level)
      : patterns_(compress(ratings)), values_(ratings.values), level_(level) {
    if (level == Level::kOrdinal) return;  // its differences change with the draws
    for (std::size_t i = 0; i < patterns_.size(); ++i) within_.push_back(fixed_within(i));
  }

  const Patterns& patterns() const { return patterns_; }

  Score operator()(Scratch& scratch) const {
    count_answers(scratch);
    std::int64_t answers = 0;
    for (const std::int64_t count : scratch.marginal) answers += count;
    if (level_ == Level::kOrdinal) rank_values(scratch);
    const auto n = static_cast<double>(answers);
    const double expected = between(scratch, n);
    if (!(expected > 0)) return undefined("all answers are equal");
    return 1 - (n - 1) * within(scratch) / expected;
  }

 private:
  double fixed_within(std::size_t pattern) const {
    const auto answers = patterns_[pattern];
    if (level_ == Level::kInterval) return spread_of_positions(answers, values_);
    return spread_of_pairs(answers, [&](std::uint32_t c, std::uint32_t k) {
      return level_ == Level::kRatio ? ratio_difference(values_[c], values_[k]) : c != k;
    });
  }

  void count_answers(Scratch& scratch) const {
    scratch.marginal.assign(values_.size(), 0);
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (scratch.draws[i] == 0) continue;
      for (const std::uint32_t code : patterns_[i]) scratch.marginal[code] += scratch.draws[i];
    }
  }

  static void rank_values(Scratch& scratch) {
    scratch.midranks.resize(scratch.marginal.size());
    std::int64_t below = 0;
    for (std::size_t c = 0; c < scratch.marginal.size(); ++c) {
      const std::int64_t count = scratch.marginal[c];
      scratch.midranks[c] = static_cast<double>(below) + static_cast<double>(count + 1) / 2;
      below += count;
    }
  }

  double within(const Scratch& scratch) const {
    double sum = 0;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (scratch.draws[i] == 0) continue;
      sum += scratch.draws[i] * (level_ == Level::kOrdinal
                                     ? spread_of_positions(patterns_[i], scratch.midranks)
                                     : within_[i]);
    }
    return sum;
  }

  double between(const Scratch& scratch, double n) const {
    switch (level_) {
      case Level::kNominal:
        return nominal_between(scratch, n);
      case Level::kOrdinal:
        return position_between(scratch, scratch.midranks, n);
      case Level::kInterval:
        return position_between(scratch, values_, n);
      case Level::kRatio:
        return ratio_between(scratch);
    }
    return 0;
  }

  static double nominal_between(const Scratch& scratch, double n) {
    double equal = 0;
    for (const std::int64_t count : scratch.marginal) equal += square(static_cast<double>(count));
    return n * n - equal;
  }

  static double position_between(const Scratch& scratch, std::span<const double> positions,
                                 double n) {
    double mean = 0, squares = 0;
    for (std::size_t c = 0; c < positions.size(); ++c) {
      mean += static_cast<double>(scratch.marginal[c]) * positions[c] / n;
    }
    std::size_t used = 0;
    for (std::size_t c = 0; c < positions.size(); ++c) {
      squares += static_cast<double>(scratch.marginal[c]) * square(positions[c] - mean);
      used += scratch.marginal[c] > 0 ? 1 : 0;
    }
    return used < 2 ? 0 : 2 * n * squares;
  }

  double ratio_between(const Scratch& scratch) const {
    double sum = 0;
    for (std::size_t c = 0; c < values_.size(); ++c) {
      double row = 0;
      for (std::size_t k = 0; k < c; ++k) {
        row += static_cast<double>(scratch.marginal[k]) * ratio_difference(values_[c], values_[k]);
      }
      sum += static_cast<double>(scratch.marginal[c]) * row;
    }
    return 2 * sum;
  }

  Patterns patterns_;
  std::span<const double> values_;
  Level level_;
  std::vector<double> within_;  // [patterns], empty for kOrdinal
};

std::string_view problem(const Ratings& ratings, Level level) {
  if (level != Level::kRatio || ratings.values.empty()) return "";
  if (ratings.values.front() < 0) return "the ratio level has no negative values";
  if (ratings.categories() > kMostRatioValues) {
    return "the ratio level takes at most 2000 distinct values";
  }
  return "";
}

Score point_of(const Alpha& alpha) {
  if (alpha.patterns().of_item.empty()) return undefined("no item has two answers");
  Scratch scratch;
  scratch.draws.resize(alpha.patterns().size());
  for (const std::uint32_t pattern : alpha.patterns().of_item) ++scratch.draws[pattern];
  return alpha(scratch);
}

Score resampled(const Alpha& alpha, Stream stream, Scratch& scratch) {
  const auto& of_item = alpha.patterns().of_item;
  scratch.draws.assign(alpha.patterns().size(), 0);
  for (std::size_t i = 0; i < of_item.size(); ++i) {
    ++scratch.draws[of_item[stream.below(of_item.size())]];
  }
  return alpha(scratch);
}

}  // namespace

Score krippendorff_alpha(const Ratings& ratings, Level level) {
  if (const auto why = problem(ratings, level); !why.empty()) return undefined(why);
  return point_of(Alpha(ratings, level));
}

tl::expected<AlphaBootstrap, Undefined> krippendorff_bootstrap(
    const Ratings& ratings, Level level, const AlphaBootstrapOptions& options) {
  assert(options.resamples > 0 && options.level > 0 && options.level < 1);
  if (const auto why = problem(ratings, level); !why.empty()) return undefined(why);
  const Alpha alpha(ratings, level);
  const Score point = point_of(alpha);
  if (!point) return tl::unexpected(point.error());

  std::vector<Score> draws(options.resamples);
  parallel_for(draws.size(), kResamplesPerStep, options.threads,
               [&](std::size_t begin, std::size_t end) {
                 Scratch scratch;
                 for (std::size_t i = begin; i < end; ++i) {
                   draws[i] = resampled(alpha, Stream(options.seed, "krippendorff", i), scratch);
                 }
               });

  std::vector<double> defined;
  for (const Score& draw : draws) {
    if (draw) defined.push_back(*draw);
  }
  if (defined.empty()) return undefined("no resample has an alpha");
  std::sort(defined.begin(), defined.end());
  const double tail = (1 - options.level) / 2;
  const Interval interval{sorted_quantile(defined, tail), sorted_quantile(defined, 1 - tail)};
  return AlphaBootstrap{*point, interval, draws.size(), draws.size() - defined.size()};
}

}  // namespace plumb::stats
