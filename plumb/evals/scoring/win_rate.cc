#include "plumb/evals/scoring/win_rate.h"

#include <algorithm>
#include <cassert>
#include <map>

#include "plumb/evals/scoring/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::evals {
namespace {

// The judgements of one item, by the order that was shown.
struct Orders {
  std::vector<double> model_first, reference_first;

  bool both() const { return !model_first.empty() && !reference_first.empty(); }
};

std::map<std::uint32_t, Orders> by_item(std::span<const Judgement> judgements) {
  std::map<std::uint32_t, Orders> items;
  for (const Judgement& one : judgements) {
    assert(0 <= one.preference && one.preference <= 1);
    auto& orders = items[one.item];
    (one.model_first ? orders.model_first : orders.reference_first).push_back(one.preference);
  }
  return items;
}

// -1, 0 or 1: who wins.
int winner(double preference) { return (preference > 0.5) - (preference < 0.5); }

bool flips(const Orders& orders) {
  return winner(stats::mean(orders.model_first)) * winner(stats::mean(orders.reference_first)) < 0;
}

double value_of(const Orders& orders) {
  if (!orders.both()) {
    return stats::mean(orders.model_first.empty() ? orders.reference_first : orders.model_first);
  }
  if (flips(orders)) return 0.5;
  return (stats::mean(orders.model_first) + stats::mean(orders.reference_first)) / 2;
}

std::vector<EvalRow> order_rows(const std::string& eval, std::span<const Judgement> judgements,
                                const std::map<std::uint32_t, Orders>& items, double level) {
  std::vector<double> flipped, first;
  std::vector<std::uint32_t> clusters;
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (const auto& [item, orders] : items) {
    if (!orders.both()) continue;
    flipped.push_back(flips(orders) ? 1 : 0);
    numbers.emplace(item, static_cast<std::uint32_t>(numbers.size()));
  }
  if (flipped.empty()) return {};
  for (const Judgement& one : judgements) {
    const auto found = numbers.find(one.item);
    if (found == numbers.end()) continue;
    const double won = (1 + winner(one.preference)) / 2.0;
    first.push_back(one.model_first ? won : 1 - won);
    clusters.push_back(found->second);
  }
  return {share_row({eval, "flip"}, flipped, {}, kShareScale, level),
          share_row({eval, "first"}, first, clusters, kWinRateScale, level)};
}

}  // namespace

std::vector<double> values_by_item(std::span<const Judgement> judgements) {
  std::vector<double> values;
  for (const auto& [item, orders] : by_item(judgements)) values.push_back(value_of(orders));
  return values;
}

std::vector<EvalRow> win_rate_rows(const std::string& eval, std::span<const Judgement> judgements,
                                   const WinRateOptions& options) {
  const auto items = by_item(judgements);
  const std::vector<double> values = values_by_item(judgements);
  std::vector<double> discrete, ties;
  for (const double value : values) {
    discrete.push_back((1 + winner(value)) / 2.0);
    ties.push_back(winner(value) == 0 ? 1 : 0);
  }
  std::vector<EvalRow> rows = {
      mean_row({eval, "win_rate"}, values, kWinRateScale, options.level),
      share_row({eval, "win_rate_discrete"}, discrete, {}, kWinRateScale, options.level),
      share_row({eval, "tie"}, ties, {}, kShareScale, options.level)};
  std::ranges::move(order_rows(eval, judgements, items, options.level), std::back_inserter(rows));
  return rows;
}

}  // namespace plumb::evals
