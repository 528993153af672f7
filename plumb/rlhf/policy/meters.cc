#include "plumb/rlhf/policy/meters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "plumb/rlhf/kl.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"
#include "plumb/text/refusal.h"

namespace plumb::rlhf {
namespace {

// One number a completion.
template <typename Of>
std::vector<double> each(const Rollout& rollout, const Of& of) {
  std::vector<double> values(rollout.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = of(i);
  return values;
}

template <typename Estimator>
std::vector<double> estimates(const Rollout& rollout, const Estimator& estimator) {
  return each(rollout, [&](std::size_t i) {
    double sum = 0;
    for (const double l : rollout.log_ratios(i)) sum += estimator(l).value;
    return sum;
  });
}

double entropy_of(const Rollout& rollout, std::size_t i) {
  return stats::mean(rollout.batch.row(std::span(rollout.scores.entropy), i));
}

std::vector<double> duplicates(const Rollout& rollout) {
  std::map<std::string_view, std::set<std::size_t>> prompts;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    prompts[rollout.texts[i]].insert(i / rollout.group);
  }
  return each(rollout, [&](std::size_t i) { return prompts[rollout.texts[i]].size() > 1 ? 1 : 0; });
}

class Collector {
 public:
  Collector(const Rollout& rollout, double level) : group_(rollout.group), level_(level) {
    for (std::size_t i = 0; i < rollout.size(); ++i) {
      prompts_.push_back(static_cast<std::uint32_t>(i / group_));
    }
  }

  void mean(std::string_view name, const std::vector<double>& values) {
    if (values.empty()) return;
    rows.push_back({name, stats::mean(values), clustered_mean_interval(values, group_, level_)});
  }

  // Of values in [0, 1] that may lie between.
  void mean_share(std::string_view name, const std::vector<double>& values) {
    mean(name, values);
    if (values.empty() || !rows.back().ci) return;
    const double value = rows.back().value;
    stats::Interval& ci = *rows.back().ci;
    if (ci.low == ci.high) {
      ci = stats::bounded_mean_interval(value, values.size() / group_, 0, 1, level_);
    }
    ci = {std::max(ci.low, 0.0), std::min(ci.high, 1.0)};
  }

  void share(std::string_view name, const std::vector<double>& values) {
    const auto found = stats::clustered_wilson(values, prompts_, level_);
    const bool several = values.size() > group_;
    rows.push_back(
        {name, stats::mean(values), several && found ? std::optional(found->ci) : std::nullopt});
  }

  std::vector<Meter> rows;

 private:
  std::size_t group_;
  double level_;
  std::vector<std::uint32_t> prompts_;
};

}  // namespace

double repetition(std::span<const TokenId> tokens) {
  if (tokens.size() < 4) return 0;
  std::set<std::array<TokenId, 3>> seen;
  for (std::size_t t = 0; t + 2 < tokens.size(); ++t) {
    seen.insert({tokens[t], tokens[t + 1], tokens[t + 2]});
  }
  const auto runs = static_cast<double>(tokens.size() - 2);
  return 1 - static_cast<double>(seen.size()) / runs;
}

std::optional<stats::Interval> clustered_mean_interval(std::span<const double> values,
                                                       std::size_t group, double level) {
  assert(group >= 1 && values.size() % group == 0);
  std::vector<double> means;
  for (std::size_t i = 0; i < values.size(); i += group) {
    means.push_back(stats::mean(values.subspan(i, group)));
  }
  return stats::student_interval(means, level);
}

const Meter* Meters::find(std::string_view name) const {
  const auto found = std::ranges::find(rows, name, &Meter::name);
  return found == rows.end() ? nullptr : &*found;
}

double Meters::value(std::string_view name) const {
  const Meter* meter = find(name);
  assert(meter != nullptr);
  return meter->value;
}

Meters measure(const Rollout& rollout, double level) {
  const auto tokens = [&](std::size_t i) {
    const Sequence& one = rollout.batch.sequences()[i];
    return std::span(one.tokens).subspan(one.prompt);
  };
  Collector collector(rollout, level);
  collector.mean("proxy", rollout.proxy);
  collector.mean("gold", rollout.gold);
  collector.mean("kl", each(rollout, [&](std::size_t i) { return rollout.kl(i); }));
  collector.mean("k1", estimates(rollout, k1));
  collector.mean("k2", estimates(rollout, k2));
  collector.mean("k3", estimates(rollout, k3));
  const auto lengths =
      each(rollout, [&](std::size_t i) { return static_cast<double>(tokens(i).size()); });
  collector.mean("length", lengths);
  collector.share("ended",
                  each(rollout, [&](std::size_t i) { return rollout.ended[i] != 0 ? 1 : 0; }));
  collector.mean("entropy", each(rollout, [&](std::size_t i) { return entropy_of(rollout, i); }));
  collector.mean_share("repetition",
                       each(rollout, [&](std::size_t i) { return repetition(tokens(i)); }));
  collector.share("duplicates", duplicates(rollout));
  collector.share("refusals", each(rollout, [&](std::size_t i) {
                    return opens_like_refusal(rollout.texts[i], Apostrophes::kFolded) ? 1 : 0;
                  }));
  return {.prompts = rollout.prompts.size(),
          .completions = rollout.size(),
          .tokens = rollout.batch.mask().total(),
          .rows = std::move(collector.rows)};
}

Json meters_json(const Meters& meters) {
  Json json = {
      {"prompts", meters.prompts}, {"completions", meters.completions}, {"tokens", meters.tokens}};
  for (const Meter& meter : meters.rows) {
    const std::string name(meter.name);
    json[name] = meter.value;
    json[name + "_ci"] = meter.ci ? Json{meter.ci->low, meter.ci->high} : Json();
  }
  return json;
}

}  // namespace plumb::rlhf
