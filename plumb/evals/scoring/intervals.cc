#include "plumb/evals/scoring/intervals.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::evals {
namespace {

constexpr std::string_view kNoItems = "there are no items";

std::vector<std::uint32_t> each_its_own(std::size_t items) {
  std::vector<std::uint32_t> clusters(items);
  std::iota(clusters.begin(), clusters.end(), 0U);
  return clusters;
}

std::optional<stats::Interval> interval_of(std::span<const double> values, const Scale& scale,
                                           double level) {
  const bool bounded = scale.floor && scale.ceiling;
  if (stats::is_constant(values)) {
    if (!bounded) return std::nullopt;
    return stats::bounded_mean_interval(values[0], values.size(), *scale.floor, *scale.ceiling,
                                        level);
  }
  auto ci = stats::student_interval(values, level);
  if (!ci || !bounded) return ci;
  return stats::Interval{std::max(ci->low, *scale.floor), std::min(ci->high, *scale.ceiling)};
}

}  // namespace

EvalRow share_row(const RowName& name, std::span<const double> values,
                  std::span<const std::uint32_t> clusters, const Scale& scale, double level) {
  const auto own = clusters.empty() ? each_its_own(values.size()) : std::vector<std::uint32_t>();
  const auto share =
      stats::clustered_wilson(values, clusters.empty() ? std::span(own) : clusters, level);
  if (!share) {
    return make_row(name.eval, name.metric, 0, tl::unexpected(share.error()), {}, scale);
  }
  return make_row(name.eval, name.metric, values.size(), share->value, share->ci, scale);
}

EvalRow mean_row(const RowName& name, std::span<const double> values, const Scale& scale,
                 double level) {
  if (values.empty()) {
    return make_row(name.eval, name.metric, 0, stats::undefined(kNoItems), {}, scale);
  }
  EvalRow row = make_row(name.eval, name.metric, values.size(), stats::mean(values),
                         interval_of(values, scale, level), scale);
  if (!row.ci) row.note = "all values are alike, which does not say how sure that is";
  return row;
}

}  // namespace plumb::evals
