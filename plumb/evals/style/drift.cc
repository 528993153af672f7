#include "plumb/evals/style/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>

#include "plumb/base/counted.h"
#include "plumb/evals/scoring/intervals.h"
#include "plumb/stats/few_prompts.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/hypothesis.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::evals {
namespace {

// The mean of each meter for each prompt, in the order in which prompts first occur.
struct PromptMeans {
  std::vector<std::string_view> prompts;
  std::vector<std::vector<std::optional<double>>> means;  // [prompts][meters]
};

PromptMeans means_of(const StyleSample& sample) {
  const StyleTable table = read_style(sample.texts);
  const std::size_t meters = style_meters().size();
  std::map<std::string_view, std::size_t> numbers;
  PromptMeans result;
  std::vector<std::vector<std::size_t>> counts;
  for (std::size_t row = 0; row < table.rows; ++row) {
    const std::string_view prompt = sample.texts[row].prompt;
    const auto [found, is_new] = numbers.emplace(prompt, result.prompts.size());
    if (is_new) {
      result.prompts.push_back(prompt);
      result.means.emplace_back(meters);
      counts.emplace_back(meters);
    }
    for (std::size_t m = 0; m < meters; ++m) {
      const auto value = table.value(row, m);
      if (!value) continue;
      auto& mean = result.means[found->second][m];
      mean = mean.value_or(0) + *value;
      ++counts[found->second][m];
    }
  }
  for (std::size_t p = 0; p < result.prompts.size(); ++p) {
    for (std::size_t m = 0; m < meters; ++m) {
      if (result.means[p][m]) *result.means[p][m] /= static_cast<double>(counts[p][m]);
    }
  }
  return result;
}

std::string shortened(std::string_view prompt) {
  constexpr std::size_t kShown = 60;
  if (prompt.size() <= kShown) return std::string(prompt);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(prompt[end]) & 0xc0U) == 0x80U) --end;
  return std::string(prompt.substr(0, end)) + "...";
}

// `other` in the order of the prompts of `first`.
Result<PromptMeans> aligned(const PromptMeans& first, const PromptMeans& other,
                            const std::string& name) {
  std::map<std::string_view, std::size_t> numbers;
  for (std::size_t p = 0; p < other.prompts.size(); ++p) numbers.emplace(other.prompts[p], p);
  PromptMeans result{first.prompts, {}};
  for (const std::string_view prompt : first.prompts) {
    const auto found = numbers.find(prompt);
    if (found == numbers.end()) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{} lacks the prompt \"{}\"", name, shortened(prompt)));
    }
    result.means.push_back(other.means[found->second]);
  }
  if (other.prompts.size() == first.prompts.size()) return result;
  const auto stranger = std::ranges::find_if(other.prompts, [&](std::string_view prompt) {
    return std::ranges::find(first.prompts, prompt) == first.prompts.end();
  });
  return fail(ErrorKind::kBadInput,
              fmt::format("{} has a prompt that the starting policy lacks, \"{}\"", name,
                          shortened(*stranger)));
}

std::vector<std::size_t> shared_prompts(const PromptMeans& a, const PromptMeans& b,
                                        std::size_t meter) {
  std::vector<std::size_t> shared;
  for (std::size_t p = 0; p < a.prompts.size(); ++p) {
    if (a.means[p][meter] && b.means[p][meter]) shared.push_back(p);
  }
  return shared;
}

std::string too_few(std::size_t prompts) {
  return fmt::format("{} {} too few for an interval; {} or more are needed",
                     counted(prompts, "prompt"), prompts == 1 ? "is" : "are", stats::kFewestJudged);
}

// Two-sided, from the share of draws on the smaller side of 0, at least 1 / draws. Draws of n units
// are too narrow, and their deviation is an estimate: the inverse of stats::expanded_level.
double bootstrap_p(const stats::Draws& draws, std::size_t units) {
  double above = 0, below = 0, defined = 0;
  for (const stats::Score& value : draws.values) {
    if (!value) continue;
    defined += 1;
    above += *value >= 0 ? 1 : 0;
    below += *value <= 0 ? 1 : 0;
  }
  if (defined == 0 || units < 2) return 1;
  const auto n = static_cast<double>(units);
  const double tail = std::min(0.5, (std::min(above, below) + 1) / (defined + 1));
  const double t = -stats::normal_quantile(tail) * std::sqrt((n - 1) / n);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(n - 1), t));
}

bool is_between_0_and_1(const StyleMeter& meter) {
  return meter.share || meter.group == "repetition";
}

// All prompts change by the same.
void test_alike(double change, double level, DriftRow& row) {
  row.difference.note = change == 0 ? "no prompt changes" : "all prompts change alike";
  if (!is_between_0_and_1(*row.meter)) {
    row.difference.note += ", which does not say how sure that is";
    return;
  }
  const auto n = static_cast<double>(row.prompts);
  const double others = stats::wilson(0, n, level).high;
  row.difference.ci =
      stats::Interval{change - others * (1 + change), change + others * (1 - change)};
  row.tested = true;
  row.p_value = change == 0 ? 1 : std::exp2(1 - n);
}

void test_drift(std::span<const double> differences, const stats::BootstrapOptions& options,
                DriftRow& row) {
  const std::size_t prompts = differences.size();
  if (stats::too_few_to_judge(prompts)) {
    row.difference.note = too_few(prompts);
    return;
  }
  if (stats::is_constant(differences)) return test_alike(differences[0], options.level, row);
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> values) {
    values[0] = stats::mean(differences, counts);
  };
  const auto draws =
      stats::paired_bootstrap(stats::Resampling::of_items(prompts), 1, statistics, options);
  const auto result = stats::summarize(draws, 0, stats::expanded(options, prompts));
  if (!result.interval) {
    row.difference.note = result.interval.error().reason;
    return;
  }
  row.difference.ci = *result.interval;
  row.tested = true;
  row.p_value = bootstrap_p(draws, prompts);
}

DriftRow drift_of(std::size_t meter, const PromptMeans& before, const PromptMeans& after,
                  const std::vector<std::size_t>& shared, const stats::BootstrapOptions& options) {
  std::vector<double> differences, first, second;
  double rises = 0;
  for (const std::size_t p : shared) {
    first.push_back(*before.means[p][meter]);
    second.push_back(*after.means[p][meter]);
    differences.push_back(second.back() - first.back());
    rises += differences.back() > 0 ? 1 : 0;
  }
  const StyleMeter& kind = style_meters()[meter];
  DriftRow row{.meter = &kind,
               .prompts = shared.size(),
               .before = stats::mean(first),
               .after = stats::mean(second),
               .difference = make_row("style", std::string(kind.id), shared.size(),
                                      stats::mean(differences), std::nullopt, kOpenScale),
               .rises = rises / static_cast<double>(shared.size())};
  test_drift(differences, options, row);
  return row;
}

double slope_of(std::span<const double> d, std::span<const double> y) {
  const double d_mean = stats::mean(d), y_mean = stats::mean(y);
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    products += (d[i] - d_mean) * (y[i] - y_mean);
    squares += (d[i] - d_mean) * (d[i] - d_mean);
  }
  return products / squares;
}

// [checkpoints][prompts] of one meter; empty where a value is missing.
std::vector<std::vector<double>> column_of(std::span<const PromptMeans> all, std::size_t meter) {
  std::vector<std::vector<double>> columns;
  for (const PromptMeans& one : all) {
    columns.emplace_back();
    for (const auto& means : one.means) {
      if (!means[meter]) return {};
      columns.back().push_back(*means[meter]);
    }
  }
  return columns;
}

// But for rounding.
bool is_a_point(const stats::Interval& ci) {
  return ci.high - ci.low <= 1e-9 * std::max(std::abs(ci.low), std::abs(ci.high));
}

EvalRow slope_row(const StyleMeter& meter, std::span<const double> d,
                  const std::vector<std::vector<double>>& columns,
                  const stats::BootstrapOptions& options) {
  const auto statistic = [&](stats::Counts counts) -> stats::Score {
    std::vector<double> means;
    for (const auto& column : columns) means.push_back(*stats::mean(column, counts));
    return slope_of(d, means);
  };
  const std::size_t prompts = columns[0].size();
  const auto result = stats::bootstrap(stats::Resampling::of_items(prompts), statistic,
                                       stats::expanded(options, prompts));
  EvalRow row = make_row("style", fmt::format("slope_{}", meter.id), prompts, result.point,
                         std::nullopt, kOpenScale);
  if (stats::too_few_to_judge(prompts)) {
    row.note = too_few(prompts);
  } else if (!result.interval) {
    row.note = result.interval.error().reason;
  } else if (is_a_point(*result.interval)) {
    row.note = "all prompts change alike, which does not say how sure that is";
  } else {
    row.ci = *result.interval;
  }
  return row;
}

}  // namespace

Result<std::vector<DriftRow>> style_drift(const StyleSample& before, const StyleSample& after,
                                          const stats::BootstrapOptions& options) {
  const PromptMeans first = means_of(before);
  PLUMB_TRY(second, aligned(first, means_of(after), "the policy"));
  std::vector<DriftRow> rows;
  for (std::size_t m = 0; m < style_meters().size(); ++m) {
    const auto shared = shared_prompts(first, second, m);
    if (!shared.empty()) rows.push_back(drift_of(m, first, second, shared, options));
  }
  std::vector<double> p_values;
  for (const DriftRow& row : rows) {
    if (row.tested) p_values.push_back(row.p_value);
  }
  const auto adjusted = stats::benjamini_hochberg(p_values);
  auto next = adjusted.begin();
  for (DriftRow& row : rows) {
    if (row.tested) row.adjusted_p = *next++;
  }
  return rows;
}

Result<std::vector<EvalRow>> style_slopes(std::span<const Checkpoint> checkpoints,
                                          const stats::BootstrapOptions& options) {
  if (checkpoints.size() < 3) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("a slope needs three checkpoints or more, here are {}", checkpoints.size()));
  }
  std::vector<double> d;
  std::vector<PromptMeans> all;
  for (std::size_t c = 0; c < checkpoints.size(); ++c) {
    d.push_back(checkpoints[c].d);
    PromptMeans means = means_of(checkpoints[c].sample);
    if (c == 0) {
      all.push_back(std::move(means));
      continue;
    }
    PLUMB_TRY(in_order, aligned(all[0], means, fmt::format("checkpoint {}", c + 1)));
    all.push_back(std::move(in_order));
  }
  if (std::ranges::max(d) == std::ranges::min(d)) {
    return fail(ErrorKind::kBadInput, "all checkpoints are at one distance from the start");
  }
  std::vector<EvalRow> rows;
  for (std::size_t m = 0; m < style_meters().size(); ++m) {
    const auto columns = column_of(all, m);
    if (!columns.empty()) rows.push_back(slope_row(style_meters()[m], d, columns, options));
  }
  return rows;
}

std::vector<EvalRow> style_rows(const StyleSample& sample, double level) {
  const StyleTable table = read_style(sample.texts);
  const PromptMeans means = means_of(sample);
  std::map<std::string_view, std::uint32_t> numbers;
  for (const std::string_view prompt : means.prompts) {
    numbers.emplace(prompt, static_cast<std::uint32_t>(numbers.size()));
  }
  std::vector<EvalRow> rows;
  for (std::size_t m = 0; m < style_meters().size(); ++m) {
    const StyleMeter& meter = style_meters()[m];
    std::vector<double> values;
    std::vector<std::uint32_t> clusters;
    for (std::size_t row = 0; meter.share && row < table.rows; ++row) {
      const auto value = table.value(row, m);
      if (!value) continue;
      values.push_back(*value);
      clusters.push_back(numbers[sample.texts[row].prompt]);
    }
    for (std::size_t p = 0; !meter.share && p < means.prompts.size(); ++p) {
      values.push_back(*means.means[p][m]);
    }
    if (values.empty()) continue;
    const RowName name{"style", std::string(meter.id)};
    rows.push_back(meter.share ? share_row(name, values, clusters, kShareScale, level)
                               : mean_row(name, values, kOpenScale, level));
  }
  return rows;
}

}  // namespace plumb::evals
