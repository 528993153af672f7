#include "plumb/stats/correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "plumb/stats/sums.h"

namespace plumb::stats {
namespace {

constexpr std::string_view kTooFew = "fewer than two pairs";
constexpr std::string_view kNotFinite = "a value is not finite";
constexpr std::string_view kConstant = "one of the two sides is constant";

// Below this many draws n^3 fits in 64 bits.
constexpr std::uint64_t kExactTotal = std::uint64_t{1} << 21;

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

// The reason why a correlation of x and y is undefined, or an empty one.
std::string_view obstacle(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  if (x.size() < 2) return kTooFew;
  if (!all_finite(x) || !all_finite(y)) return kNotFinite;
  if (is_constant(x) || is_constant(y)) return kConstant;
  return {};
}

Score bounded(double correlation) { return std::clamp(correlation, -1.0, 1.0); }

std::vector<std::uint32_t> ascending(std::span<const double> values) {
  std::vector<std::pair<double, std::uint32_t>> keyed(values.size());
  for (std::uint32_t i = 0; i < values.size(); ++i) keyed[i] = {values[i], i};
  std::ranges::sort(keyed);
  std::vector<std::uint32_t> order(values.size());
  std::ranges::transform(keyed, order.begin(), [](const auto& key) { return key.second; });
  return order;
}

void subtract_mean(std::span<double> values) {
  const double middle = mean(values);
  for (double& value : values) value -= middle;
}

// The values over a power of two near their largest, less their mean.
std::vector<double> scaled_and_centred(std::span<const double> values) {
  const double largest =
      std::abs(*std::ranges::max_element(values, {}, [](double value) { return std::abs(value); }));
  int exponent = 0;
  std::frexp(largest, &exponent);
  std::vector<double> result(values.begin(), values.end());
  for (double& value : result) value = std::ldexp(value, -exponent);
  subtract_mean(result);
  subtract_mean(result);
  return result;
}

using Pairs = std::vector<std::pair<double, double>>;

// Pairs within runs of equal neighbours.
template <typename Values, typename Equal>
double tied_pairs(const Values& sorted, Equal equal) {
  double tied = 0;
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    while (end < sorted.size() && equal(sorted[begin], sorted[end])) ++end;
    const auto run = static_cast<double>(end - begin);
    tied += run * (run - 1) / 2;
  }
  return tied;
}

// Sorts `values` and returns how many exchanges of neighbours a bubble sort would need.
double sort_counting_exchanges(std::span<double> values, std::span<double> scratch) {
  if (values.size() < 2) return 0;
  const std::size_t half = values.size() / 2;
  const std::span<double> left = values.first(half), right = values.subspan(half);
  double exchanges =
      sort_counting_exchanges(left, scratch) + sort_counting_exchanges(right, scratch);
  for (std::size_t i = 0, j = 0, k = 0; k < values.size(); ++k) {
    const bool from_right = i == left.size() || (j < right.size() && right[j] < left[i]);
    if (from_right) exchanges += static_cast<double>(left.size() - i);
    scratch[k] = from_right ? right[j++] : left[i++];
  }
  std::ranges::copy(scratch.first(values.size()), values.begin());
  return exchanges;
}

template <typename Number>
Number cube(Number value) {
  return value * value * value;
}

// 3 times the sum of products over the root of the product of the spreads.
Score rank_correlation(double products, double spread_x, double spread_y) {
  if (spread_x == 0 || spread_y == 0) return undefined(kConstant);
  return bounded(3 * products / std::sqrt(spread_x * spread_y));
}

}  // namespace

std::vector<double> average_ranks(std::span<const double> values) {
  const std::vector<std::uint32_t> order = ascending(values);
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

Score pearson(std::span<const double> x, std::span<const double> y) {
  const std::string_view reason = obstacle(x, y);
  if (!reason.empty()) return undefined(reason);
  const std::vector<double> dx = scaled_and_centred(x), dy = scaled_and_centred(y);
  return bounded(dot(dx, dy) / std::sqrt(dot(dx, dx) * dot(dy, dy)));
}

Score spearman(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  const std::vector<std::uint32_t> once(x.size(), 1);
  return spearman(CountedRanks(x), CountedRanks(y), once);
}

Score kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  const std::string_view reason = obstacle(x, y);
  if (!reason.empty()) return undefined(reason);

  Pairs pairs(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) pairs[i] = {x[i], y[i]};
  std::ranges::sort(pairs);
  const auto same_x = [](const auto& a, const auto& b) { return a.first == b.first; };
  const double tied_x = tied_pairs(pairs, same_x);
  const double tied_both = tied_pairs(pairs, std::equal_to{});

  std::vector<double> by_x(y.size()), scratch(y.size());
  std::ranges::transform(pairs, by_x.begin(), [](const auto& pair) { return pair.second; });
  const double discordant = sort_counting_exchanges(by_x, scratch);
  const double tied_y = tied_pairs(by_x, std::equal_to{});

  const auto n = static_cast<double>(x.size());
  const double all = n * (n - 1) / 2;
  const double concordant = all - tied_x - tied_y + tied_both - discordant;
  return bounded((concordant - discordant) / std::sqrt((all - tied_x) * (all - tied_y)));
}

CountedRanks::CountedRanks(std::span<const double> values) : finite_(all_finite(values)) {
  if (!finite_) {
    order_.resize(values.size());
    return;
  }
  order_ = ascending(values);
  for (std::uint32_t i = 0; i < order_.size(); ++i) {
    if (i + 1 == order_.size() || values[order_[i]] != values[order_[i + 1]]) {
      blocks_.push_back(i + 1);
    }
  }
  if (blocks_.size() == order_.size()) blocks_.clear();
}

template <typename Visit>
void CountedRanks::each_block(Visit visit) const {
  if (blocks_.empty()) {
    for (std::size_t i = 0; i < order_.size(); ++i) visit(i, i + 1);
    return;
  }
  std::size_t begin = 0;
  for (const std::uint32_t end : blocks_) {
    visit(begin, end);
    begin = end;
  }
}

std::vector<double> CountedRanks::ranks(std::span<const std::uint32_t> counts) const {
  assert(counts.size() == size() && finite_);
  std::vector<double> result(size());
  double before = 0;
  each_block([&](std::size_t begin, std::size_t end) {
    double block = 0;
    for (std::size_t i = begin; i < end; ++i) block += counts[order_[i]];
    for (std::size_t i = begin; i < end; ++i) result[order_[i]] = before + (block + 1) / 2;
    before += block;
  });
  return result;
}

Score spearman(const CountedRanks& x, const CountedRanks& y,
               std::span<const std::uint32_t> counts) {
  return CountedSpearman(x, counts)(y);
}

CountedSpearman::CountedSpearman(const CountedRanks& gold, std::span<const std::uint32_t> counts)
    : counts_(counts), finite_(gold.finite()) {
  assert(gold.size() == counts.size());
  const auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (total < kExactTotal) {
    side_ = prepare<std::int64_t>(gold, total);
  } else {
    side_ = prepare<double>(gold, total);
  }
}

template <typename Number>
CountedSpearman::Side<Number> CountedSpearman::prepare(const CountedRanks& gold,
                                                       std::uint64_t total) const {
  Side<Number> side{.total = static_cast<Number>(total),
                    .gold_spread = cube(static_cast<Number>(total)),
                    .weighted = std::vector<Number>(counts_.size())};
  Number place = -side.total;
  gold.each_block([&](std::size_t begin, std::size_t end) {
    Number block = 0;
    for (std::size_t i = begin; i < end; ++i) block += counts_[gold.order_[i]];
    const Number centred_rank = place + block;
    for (std::size_t i = begin; i < end; ++i) {
      side.weighted[gold.order_[i]] = counts_[gold.order_[i]] * centred_rank;
    }
    side.gold_spread -= cube(block);
    place += 2 * block;
  });
  return side;
}

template <typename Number>
Score CountedSpearman::correlate(const Side<Number>& side, const CountedRanks& model) const {
  if (side.total < 2) return undefined(kTooFew);
  Number products = 0, place = -side.total;
  Number spread = cube(side.total);
  model.each_block([&](std::size_t begin, std::size_t end) {
    Number block = 0, weighted = 0;
    for (std::size_t i = begin; i < end; ++i) {
      block += counts_[model.order_[i]];
      weighted += side.weighted[model.order_[i]];
    }
    products += weighted * (place + block);
    spread -= cube(block);
    place += 2 * block;
  });
  return rank_correlation(static_cast<double>(products), static_cast<double>(side.gold_spread),
                          static_cast<double>(spread));
}

Score CountedSpearman::operator()(const CountedRanks& model) const {
  assert(model.size() == counts_.size());
  if (!finite_ || !model.finite()) return undefined(kNotFinite);
  return std::visit([&](const auto& side) { return correlate(side, model); }, side_);
}

}  // namespace plumb::stats
