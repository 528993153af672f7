#include "plumb/tasks/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plumb/base/random.h"

namespace plumb::tasks {
namespace {

constexpr int kRatingBins = 5;

std::string stratum(const Task& task, const Item& item) {
  if (task.kind == Kind::kReranking) return fmt::format("{} candidates", item.texts.size() - 1);
  if (item.gold.empty()) return "no gold";
  if (task.kind != Kind::kSts) return fmt::format("{}", item.gold[0]);
  const Scale scale = task.scale.value_or(Scale{});
  const double place = (item.gold[0] - scale.low) / (scale.high - scale.low);
  return fmt::format("fifth {}", std::min(kRatingBins - 1, static_cast<int>(place * kRatingBins)));
}

// How many to take of each stratum: in proportion to the weights, by largest remainder; of equal
// remainders the earlier stratum.
std::vector<std::size_t> allocation(const std::vector<double>& weights, std::size_t items) {
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<std::size_t> counts;
  std::vector<std::pair<double, std::size_t>> remainders;
  std::size_t given = 0;
  for (std::size_t s = 0; s < weights.size(); ++s) {
    const double share = static_cast<double>(items) * weights[s] / total;
    counts.push_back(static_cast<std::size_t>(share));
    remainders.emplace_back(std::floor(share) - share, s);
    given += counts.back();
  }
  std::ranges::stable_sort(remainders);
  for (std::size_t i = 0; given < items; ++i, ++given) ++counts[remainders[i].second];
  return counts;
}

}  // namespace

std::vector<std::string> strata_of(const Task& task, Strata strata) {
  std::vector<std::string> names;
  for (const Item& item : task.items) {
    names.push_back(strata == Strata::kNone ? "all" : stratum(task, item));
  }
  return names;
}

Result<Task> sample_task(const Task& task, const SampleOptions& options) {
  if (options.items == 0 || options.items > task.items.size()) {
    return fail(ErrorKind::kUsage, fmt::format("cannot draw {} of the {} items of the task",
                                               options.items, task.items.size()));
  }
  std::map<std::string, std::vector<std::size_t>> places;
  const std::vector<std::string> names = strata_of(task, options.strata);
  for (std::size_t i = 0; i < names.size(); ++i) places[names[i]].push_back(i);

  std::vector<double> weights;
  for (const auto& [name, members] : places) {
    const bool balanced = options.strata == Strata::kBalanced;
    weights.push_back(balanced ? 1 : static_cast<double>(members.size()));
  }
  const std::vector<std::size_t> counts = allocation(weights, options.items);

  std::vector<std::size_t> drawn;
  std::size_t s = 0;
  for (auto& [name, members] : places) {
    if (counts[s] > members.size()) {
      return fail(ErrorKind::kUsage,
                  fmt::format("a balanced sample of {} needs {} items of \"{}\", and there are {}; "
                              "draw fewer, or in proportion",
                              options.items, counts[s], name, members.size()));
    }
    Stream stream(options.seed, "sample of " + name, 0);
    shuffle(std::span(members), stream);
    drawn.insert(drawn.end(), members.begin(),
                 members.begin() + static_cast<std::ptrdiff_t>(counts[s]));
    ++s;
  }
  std::ranges::sort(drawn);
  Task sample = task;
  sample.items.clear();
  for (const std::size_t i : drawn) sample.items.push_back(task.items[i]);
  return sample;
}

}  // namespace plumb::tasks
