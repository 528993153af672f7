#include "plumb/gap/score_interval.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/stats/clustering.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::gap {
namespace {

using stats::Interval;
using stats::IntervalScore;

constexpr std::size_t kSteps = 40;          // of the noise grid
constexpr std::size_t kSimulations = 1000;  // at each step

// V-measures of simulated answers at every noise level, each level's sorted; [kSteps +
// 1][kSimulations].
using NoiseCurve = std::vector<std::vector<double>>;

double simulate_v(const std::vector<int>& classes, int groups, double keep, Stream& stream) {
  std::vector<int> answer(classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool kept = stream.uniform() < keep;
    answer[i] =
        kept ? classes[i] : static_cast<int>(stream.below(static_cast<std::uint64_t>(groups)));
  }
  return stats::v_measure(*stats::contingency(classes, answer));
}

NoiseCurve simulate_curve(std::span<const int> class_sizes) {
  std::vector<int> classes;
  for (std::size_t k = 0; k < class_sizes.size(); ++k) {
    classes.insert(classes.end(), static_cast<std::size_t>(class_sizes[k]), static_cast<int>(k));
  }
  NoiseCurve curve(kSteps + 1);
  for (std::size_t step = 0; step <= kSteps; ++step) {
    Stream stream(0, "v-measure noise", step);
    const double keep = static_cast<double>(step) / kSteps;
    for (std::size_t i = 0; i < kSimulations; ++i) {
      curve[step].push_back(
          simulate_v(classes, static_cast<int>(class_sizes.size()), keep, stream));
    }
    std::ranges::sort(curve[step]);
  }
  return curve;
}

double quantile(const std::vector<double>& sorted, double p) {
  return sorted[static_cast<std::size_t>(std::lround(p * static_cast<double>(sorted.size() - 1)))];
}

// The least or greatest expected V among the noise levels whose central region of `level` holds
// `score`.
IntervalScore v_interval(const NoiseCurve& curve, double score, double level) {
  std::optional<Interval> held;
  for (const std::vector<double>& values : curve) {
    const double tail = (1 - level) / 2;
    if (score < quantile(values, tail) || score > quantile(values, 1 - tail)) continue;
    if (!held) held = Interval{stats::mean(values), stats::mean(values)};
    held->high = stats::mean(values);
  }
  if (!held) return Interval{std::min(score, stats::mean(curve.front())), score};
  return Interval{std::min(held->low, score), std::max(held->high, score)};
}

// Published scores may lie outside their range by a rounding error; each rule cuts that off first.
constexpr double kRounding = 0.005;

Interval share_interval(const BoardSubset& subset, double score, double level) {
  return stats::wilson(std::clamp(score, 0.0, 1.0) * subset.items, subset.items, level);
}

// The least AP that a query can have: all relevant documents last.
double least_ap(const tasks::SuiteTask& task) {
  double sum = 0;
  for (int i = 1; i <= task.relevant; ++i) {
    sum += static_cast<double>(i) / (task.documents - task.relevant + i);
  }
  return sum / task.relevant;
}

}  // namespace

const NoiseCurve& NoiseCurves::of(std::span<const int> class_sizes) {
  std::vector<int> key(class_sizes.begin(), class_sizes.end());
  const auto found = curves_.find(key);
  if (found != curves_.end()) return found->second;
  return curves_.emplace(std::move(key), simulate_curve(class_sizes)).first->second;
}

IntervalScore score_interval(const BoardSubset& subset, double score, double level,
                             NoiseCurves& curves) {
  const auto n = static_cast<std::size_t>(subset.items);
  if (n == 0) return stats::undefined("the number of items was not published");
  switch (subset.type) {
    case tasks::TaskType::kClassification:
      return share_interval(subset, score, level);
    case tasks::TaskType::kClustering:
      if (subset.suite == nullptr) {
        return stats::undefined("the sizes of the classes were not published");
      }
      return v_interval(curves.of(subset.suite->class_sizes), score, level);
    case tasks::TaskType::kReranking: {
      const double least = subset.suite == nullptr ? 0 : least_ap(*subset.suite);
      if (score < least - kRounding) {
        return stats::undefined("the score is less than any order of these documents can earn");
      }
      return stats::bounded_mean_interval(std::clamp(score, least, 1.0), n, least, 1, level);
    }
    case tasks::TaskType::kSts:
      return stats::spearman_interval(std::clamp(score, -1.0, 1.0), n, level);
    case tasks::TaskType::kOther:
      break;
  }
  return stats::undefined("no interval is known for this metric");
}

IntervalScore paper_interval(const BoardSubset& subset, double score, double level) {
  if (subset.items == 0) return stats::undefined("the number of items was not published");
  if (subset.type == tasks::TaskType::kClassification) return share_interval(subset, score, level);
  return stats::fisher_z(std::clamp(score, -1.0, 1.0), static_cast<std::size_t>(subset.items),
                         level);
}

Interval score_range(tasks::TaskType type) {
  return {type == tasks::TaskType::kSts ? -1.0 : 0.0, 1};
}

Interval with_spread(Interval interval, double score, std::span<const double> repeats,
                     Interval range, double level) {
  if (repeats.size() < 2) return interval;
  const double center = stats::mean(repeats);
  double squares = 0;
  for (const double value : repeats) squares += (value - center) * (value - center);
  const auto count = static_cast<double>(repeats.size());
  const double half =
      stats::normal_quantile((1 + level) / 2) * std::sqrt(squares / (count - 1) / count);
  return {std::max(range.low, score - std::hypot(score - interval.low, half)),
          std::min(range.high, score + std::hypot(interval.high - score, half))};
}

}  // namespace plumb::gap
