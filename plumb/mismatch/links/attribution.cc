#include "plumb/mismatch/links/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "plumb/stats/hierarchical.h"

namespace plumb::mismatch {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;

// The regressors, styles first, then the gold; then the score.
constexpr std::size_t kGold = kStyles, kScore = kStyles + 1, kAll = kStyles + 2;
using Products = std::array<double, kAll * kAll>;

struct Data {
  std::vector<Products> prompts;  // about the means of groups
  bool tokens = true, gold = true;
  std::size_t samples = 0;

  Products sum(Counts counts) const {
    Products total{};
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      const double w = counts[p];
      if (w == 0) continue;
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += w * prompts[p][i];
    }
    return total;
  }
};

class Rows {
 public:
  Rows(const SampleTable& table, bool tokens, bool gold)
      : table_(table), tokens_(tokens), gold_(gold) {}

  bool measured(std::size_t i) const {
    return !std::isnan(table_.proxy[i]) && (!gold_ || !std::isnan(table_.gold[i]));
  }
  std::array<double, kAll> at(std::size_t i) const {
    std::array<double, kAll> row{};
    for (std::size_t s = 0; s < kStyles; ++s) row[s] = static_cast<double>(table_.extras[s][i]);
    if (tokens_) row[static_cast<std::size_t>(Style::kLength)] = table_.tokens[i];
    row[kGold] = gold_ ? table_.gold[i] : 0;
    row[kScore] = table_.proxy[i];
    return row;
  }

 private:
  const SampleTable& table_;
  bool tokens_, gold_;
};

void add_group(const Rows& rows, const SampleGroup& group, Products& products,
               std::size_t& samples) {
  std::array<double, kAll> mean{};
  double n = 0;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    if (!rows.measured(i)) continue;
    const auto row = rows.at(i);
    for (std::size_t a = 0; a < kAll; ++a) mean[a] += row[a];
    n += 1;
  }
  if (n < 2) return;
  samples += static_cast<std::size_t>(n);
  for (double& value : mean) value /= n;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    if (!rows.measured(i)) continue;
    auto row = rows.at(i);
    for (std::size_t a = 0; a < kAll; ++a) row[a] -= mean[a];
    for (std::size_t a = 0; a < kAll; ++a) {
      for (std::size_t b = 0; b < kAll; ++b) products[a * kAll + b] += row[a] * row[b];
    }
  }
}

// A style that differs within few prompts is absent from too many resamples of them.
constexpr std::size_t kFewestPrompts = 10;

std::size_t prompts_with(const Data& data, std::size_t style) {
  return static_cast<std::size_t>(std::ranges::count_if(
      data.prompts, [&](const Products& one) { return one[style * kAll + style] > 0; }));
}

Data data_of(const SampleTable& table, std::span<const std::uint32_t> prompts) {
  Data data;
  data.tokens = std::ranges::none_of(table.tokens, [](double value) { return std::isnan(value); });
  data.gold = any_measured(table.gold);
  data.prompts.assign(prompts.size(), Products{});
  std::unordered_map<std::uint32_t, std::size_t> number;
  for (std::size_t p = 0; p < prompts.size(); ++p) number.emplace(prompts[p], p);
  const Rows rows(table, data.tokens, data.gold);
  for (const SampleGroup& group : table.groups) {
    const auto found = number.find(group.prompt);
    if (found != number.end()) add_group(rows, group, data.prompts[found->second], data.samples);
  }
  return data;
}

// Least squares of the score on the columns, by elimination on columns of length one. Nothing where
// they are on one plane.
std::optional<std::vector<double>> solve(const Products& products,
                                         std::span<const std::size_t> columns) {
  const std::size_t n = columns.size();
  std::vector<double> scale, matrix(n * n), right(n);
  for (const std::size_t c : columns) {
    if (!(products[c * kAll + c] > 0)) return std::nullopt;
    scale.push_back(std::sqrt(products[c * kAll + c]));
  }
  for (std::size_t a = 0; a < n; ++a) {
    right[a] = products[columns[a] * kAll + kScore] / scale[a];
    for (std::size_t b = 0; b < n; ++b) {
      matrix[a * n + b] = products[columns[a] * kAll + columns[b]] / scale[a] / scale[b];
    }
  }
  for (std::size_t a = 0; a < n; ++a) {  // positive definite: no pivoting
    if (matrix[a * n + a] < 1e-10) return std::nullopt;
    for (std::size_t b = a + 1; b < n; ++b) {
      const double factor = matrix[b * n + a] / matrix[a * n + a];
      for (std::size_t c = a; c < n; ++c) matrix[b * n + c] -= factor * matrix[a * n + c];
      right[b] -= factor * right[a];
    }
  }
  for (std::size_t a = n; a-- > 0;) {
    for (std::size_t b = a + 1; b < n; ++b) right[a] -= matrix[a * n + b] * right[b];
    right[a] /= matrix[a * n + a];
  }
  for (std::size_t a = 0; a < n; ++a) right[a] /= scale[a];
  return right;
}

// The score's sum of squares that the columns take.
std::optional<double> taken(const Products& products, std::span<const std::size_t> columns) {
  if (columns.empty()) return 0.0;
  const auto slopes = solve(products, columns);
  if (!slopes) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    sum += (*slopes)[i] * products[columns[i] * kAll + kScore];
  }
  return sum;
}

constexpr std::string_view kOnePlane = "styles and gold are on one plane in these samples";

// Slopes of the styles, then the share that they take together.
void fill(const Products& products, std::span<const std::size_t> columns, std::size_t styles,
          std::span<Score> row) {
  std::ranges::fill(row, Score(undefined(kOnePlane)));
  const auto slopes = solve(products, columns);
  if (!slopes) return;
  for (std::size_t s = 0; s < styles; ++s) row[s] = (*slopes)[s];
  const auto by_all = taken(products, columns), by_gold = taken(products, columns.subspan(styles));
  const double left = products[kScore * kAll + kScore] - by_gold.value_or(0);
  if (by_all && by_gold && left > 0)
    row[styles] = std::clamp((*by_all - *by_gold) / left, 0.0, 1.0);
}

double deviation(const stats::Draws& draws, std::size_t column) {
  const auto found = stats::deviation_of(draws, column);
  return found ? found->value : 0;
}

LinkRow finished(LinkRow row, const std::string& run, const Attribution& from, double deviation) {
  row.run = run;
  row.n = from.samples;
  row.of = "samples";
  if (row.ci) row.deviation = deviation;
  return row;
}

}  // namespace

Attribution attribute_score(const SampleTable& table, std::span<const std::uint32_t> prompts,
                            const stats::BootstrapOptions& options) {
  Attribution found;
  const Data data = data_of(table, prompts);
  found.at_equal_gold = data.gold;
  found.samples = data.samples;
  found.prompts = prompts.size();
  const std::vector<std::uint32_t> once(prompts.size(), 1);
  const Products all = data.sum(once);
  if (data.samples == 0 || !(all[kScore * kAll + kScore] > 0)) {
    found.reason = data.samples == 0 ? "no prompt has two samples with a proxy at one checkpoint"
                                     : "samples of a prompt do not differ in the proxy";
    return found;
  }
  std::vector<std::size_t> columns;
  for (std::size_t s = 0; s < kStyles; ++s) {
    const auto style = static_cast<Style>(s);
    const std::size_t differing = prompts_with(data, s);
    if (differing >= std::min(kFewestPrompts, prompts.size())) {
      columns.push_back(s);
    } else {
      found.left_out.push_back(fmt::format(
          "Samples of one checkpoint differ in {} within {} of {} prompts: too few to say what it "
          "earns.",
          style_name(style), differing, prompts.size()));
    }
  }
  const std::size_t styles = columns.size();
  if (styles == 0) {
    found.reason = "samples of a prompt do not differ in style";
    return found;
  }
  if (data.gold && all[kGold * kAll + kGold] > 0) columns.push_back(kGold);
  const auto statistics = [&](Counts counts, std::span<Score> row) {
    fill(data.sum(counts), columns, styles, row);
  };
  const stats::Draws draws = stats::paired_bootstrap(stats::Resampling::of_items(prompts.size()),
                                                     styles + 1, statistics, options);
  const stats::BootstrapOptions expanded = stats::expanded(options, prompts.size());
  for (std::size_t s = 0; s < styles; ++s) {
    const auto style = static_cast<Style>(columns[s]);
    const bool token = style == Style::kLength && data.tokens;
    found.effects.push_back({style, token ? "token" : std::string(style_unit(style)),
                             stats::summarize(draws, s, expanded), deviation(draws, s)});
  }
  found.share = stats::summarize(draws, styles, expanded);
  found.share_deviation = deviation(draws, styles);
  return found;
}

std::vector<LinkRow> attribution_rows(const Attribution& attribution, const std::string& run) {
  const char* held = attribution.at_equal_gold ? " at equal gold" : "";
  const std::string share = fmt::format("share of the score that is style{}", held);
  if (!attribution.reason.empty()) {
    LinkRow row = missing_row(Link::kB, share, attribution.reason);
    row.run = run;
    return {row};
  }
  std::vector<LinkRow> rows = {finished(row_of(Link::kB, share, attribution.share), run,
                                        attribution, attribution.share_deviation)};
  for (const StyleEffect& effect : attribution.effects) {
    rows.push_back(
        finished(row_of(Link::kB, fmt::format("score per {}{}", effect.per, held), effect.result),
                 run, attribution, effect.deviation));
  }
  return rows;
}

}  // namespace plumb::mismatch
