#include "plumb/mismatch/measure/gap_parts.h"

#include <algorithm>
#include <cmath>

#include "plumb/stats/hierarchical.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;

// Columns of a bootstrap: those of the start, then those of each point.
enum StartColumn { kCorrelation, kProxyPerToken, kGoldPerToken, kStartColumns };
enum PointColumn {
  kProxy,
  kGold,
  kGap,
  kRegressional,
  kLength,
  kRest,
  kFalls,
  kAccuracy,
  kPointColumns
};

// Points that are resampled together: their draws are kept at once.
constexpr std::size_t kChunk = 64;

// What a sample of prompts says about the start: deviations, and the lines through it.
struct StartLines {
  Score proxy_deviation = undefined("the proxy is the same in all samples of the start");
  Score gold_deviation = undefined("the gold is the same in all samples of the start");
  Score correlation = undefined("the start has one sample a prompt");
  // Slopes of gold on proxy and tokens, in their own units; undefined together.
  Score gold_by_proxy = undefined("tokens are not measured"), gold_by_tokens = gold_by_proxy;
  Score proxy_by_tokens = gold_by_proxy;
  bool within = true;
};

Moments sum_of(std::span<const Moments> moments, Counts counts, double& freedom) {
  Moments sum;
  for (std::size_t p = 0; p < moments.size(); ++p) {
    const double w = counts[p];
    const Moments& m = moments[p];
    if (w == 0 || m.n == 0) continue;
    sum.n += w * m.n, freedom += w * (m.n - 1);
    sum.pp += w * m.pp, sum.pg += w * m.pg, sum.gg += w * m.gg;
    sum.pt += w * m.pt, sum.gt += w * m.gt, sum.tt += w * m.tt;
  }
  return sum;
}

// Sums of squares about the mean over single samples, where no prompt has two. The mean is taken
// from the first on: of equal values nothing is left.
void over_all(std::span<const Moments> moments, Counts counts, Moments& sum, double& freedom) {
  std::vector<std::size_t> drawn;
  for (std::size_t p = 0; p < moments.size(); ++p) {
    if (counts[p] > 0 && moments[p].n > 0) drawn.push_back(p);
  }
  if (drawn.empty()) return;
  const Moments& first = moments[drawn[0]];
  double proxy = 0, gold = 0;
  for (const std::size_t p : drawn) {
    proxy += counts[p] * (moments[p].proxy - first.proxy) / sum.n;
    gold += counts[p] * (moments[p].gold - first.gold) / sum.n;
  }
  sum.pp = sum.gg = 0;
  for (const std::size_t p : drawn) {
    const double dp = moments[p].proxy - first.proxy - proxy;
    const double dg = moments[p].gold - first.gold - gold;
    sum.pp += counts[p] * dp * dp, sum.gg += counts[p] * dg * dg;
  }
  freedom = sum.n - 1;
}

// Least squares of y on two centred columns a and b; nothing where these are on one line.
struct TwoSlopes {
  double a, b;
};
std::optional<TwoSlopes> two_slopes(double aa, double ab, double bb, double ay, double by) {
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return std::nullopt;
  return TwoSlopes{(bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant};
}

void add_length_lines(const Moments& sum, StartLines& lines) {
  if (std::isnan(sum.tt)) return;
  if (sum.tt == 0) {
    const auto constant = undefined("completions of the start are of one length");
    lines.gold_by_proxy = lines.gold_by_tokens = lines.proxy_by_tokens = constant;
    return;
  }
  const auto collinear = undefined("length and reward are on one line at the start");
  lines.gold_by_proxy = lines.gold_by_tokens = lines.proxy_by_tokens = collinear;
  if (const auto gold = two_slopes(sum.pp, sum.pt, sum.tt, sum.pg, sum.gt)) {
    lines.gold_by_proxy = gold->a;
    lines.gold_by_tokens = gold->b;
  }
  if (const auto proxy = two_slopes(sum.gg, sum.gt, sum.tt, sum.pg, sum.pt)) {
    lines.proxy_by_tokens = proxy->b;
  }
}

StartLines lines_of(const Start& start, Counts counts) {
  StartLines lines;
  double freedom = 0;
  Moments sum = sum_of(start.moments, counts, freedom);
  lines.within = freedom > 0;
  if (!lines.within) over_all(start.moments, counts, sum, freedom);
  if (freedom <= 0) {
    const auto none = undefined("the start lacks samples with proxy and gold");
    lines.proxy_deviation = lines.gold_deviation = lines.correlation = none;
    lines.gold_by_proxy = lines.gold_by_tokens = lines.proxy_by_tokens = none;
    return lines;
  }
  if (sum.pp > 0) lines.proxy_deviation = std::sqrt(sum.pp / freedom);
  if (sum.gg > 0) lines.gold_deviation = std::sqrt(sum.gg / freedom);
  if (!lines.within) {
    lines.gold_by_proxy = lines.gold_by_tokens = lines.proxy_by_tokens = lines.correlation;
    return lines;
  }
  if (sum.pp == 0 || sum.gg == 0) {
    lines.correlation = sum.pp == 0 ? lines.proxy_deviation : lines.gold_deviation;
  } else {
    lines.correlation = std::clamp(sum.pg / std::sqrt(sum.pp * sum.gg), -1.0, 1.0);
  }
  add_length_lines(sum, lines);
  return lines;
}

// Mean gains of a point over the prompts of a sample.
struct Gains {
  double proxy = 0, gold = 0, falls = 0, accuracy = 0;
  double proxies = 0, golds = 0, compared = 0;  // how many are measured
  // The same of the prompts that have both proxy and gold: a difference of means over other
  // prompts each would be one of prompts, too.
  double both_proxy = 0, both_gold = 0, tokens = 0;
  double both = 0, lengths = 0;

  void add(const Cell& cell, double w) {
    if (!std::isnan(cell.accuracy)) accuracy += w * cell.accuracy, compared += w;
    const bool has_proxy = !std::isnan(cell.proxy), has_gold = !std::isnan(cell.gold);
    if (has_proxy) proxy += w * cell.proxy, proxies += w;
    if (has_gold) {
      gold += w * cell.gold, golds += w;
      falls += w * (cell.gold < 0 ? 1 : 0);
    }
    if (!has_proxy || !has_gold) return;
    both_proxy += w * cell.proxy, both_gold += w * cell.gold, both += w;
    if (!std::isnan(cell.tokens)) tokens += w * cell.tokens, lengths += w;
  }
  static Score mean(double sum, double count, std::string_view missing) {
    if (count > 0) return sum / count;
    return undefined(missing);
  }
};

Score first_error(std::initializer_list<const Score*> scores) {
  for (const Score* score : scores) {
    if (!*score) return *score;
  }
  return 0.0;
}

void add_parts(const Gains& gains, const StartLines& lines, std::span<Score> row) {
  row[kProxy] = Gains::mean(gains.proxy, gains.proxies, "the proxy is not measured");
  row[kGold] = Gains::mean(gains.gold, gains.golds, "the gold is not measured");
  row[kFalls] = Gains::mean(gains.falls, gains.golds, "the gold is not measured");
  row[kAccuracy] =
      Gains::mean(gains.accuracy, gains.compared, "no two samples of a prompt differ in gold");
  const Score shared = Gains::mean(1, gains.both, "no prompt has both proxy and gold");
  const Score missing = first_error(
      {&row[kProxy], &row[kGold], &shared, &lines.proxy_deviation, &lines.gold_deviation});
  row[kGap] = row[kRegressional] = row[kLength] = row[kRest] = missing;
  if (!missing) return;
  const double sp = *lines.proxy_deviation, sg = *lines.gold_deviation;
  const double proxy = gains.both_proxy / gains.both, gold = gains.both_gold / gains.both;
  const double zp = proxy / sp, zg = gold / sg;
  row[kGap] = zp - zg;
  row[kRegressional] = row[kLength] = row[kRest] = lines.correlation;
  if (!lines.correlation) return;
  const double by_proxy = *lines.correlation * zp;
  row[kRegressional] = zp - by_proxy;
  const Score tokens = Gains::mean(gains.tokens, gains.lengths, "tokens are not measured");
  row[kLength] = first_error({&tokens, &lines.gold_by_proxy});
  row[kRest] = by_proxy - zg;
  if (!row[kLength]) return;
  const double by_both = (*lines.gold_by_proxy * proxy + *lines.gold_by_tokens * *tokens) / sg;
  row[kLength] = by_proxy - by_both;
  row[kRest] = by_both - zg;
}

Estimate estimate_of(const stats::Draws& draws, std::size_t column,
                     const stats::BootstrapOptions& options) {
  const stats::BootstrapResult result = stats::summarize(draws, column, options);
  return {result.point, result.interval};
}

// Where all prompts of a share agree resamples do not vary: Wilson's interval of n whole trials.
Estimate as_share(Estimate share, double n, double level) {
  const bool flat = share.value && share.ci && share.ci->low == share.ci->high;
  if (!flat || n == 0 || (*share.value != 0 && *share.value != 1)) return share;
  share.ci = stats::wilson(*share.value * n, n, level);
  return share;
}

// `expanded`: the options at the level that percentiles of few prompts need; Wilson's take the
// level itself.
GapPoint point_of(const stats::Draws& draws, std::size_t first, const Gains& gains,
                  const stats::BootstrapOptions& options, const stats::BootstrapOptions& expanded) {
  const auto estimate = [&](PointColumn column) {
    return estimate_of(draws, first + column, expanded);
  };
  const auto count = [](double n) { return static_cast<std::size_t>(n); };
  return {.proxy = estimate(kProxy),
          .gold = estimate(kGold),
          .gap = estimate(kGap),
          .regressional = estimate(kRegressional),
          .length = estimate(kLength),
          .rest = estimate(kRest),
          .accuracy = as_share(estimate(kAccuracy), gains.compared, options.level),
          .falls = as_share(estimate(kFalls), gains.golds, options.level),
          .with_proxy = count(gains.proxies),
          .with_gold = count(gains.golds),
          .with_both = count(gains.both)};
}

// The cells of points begin .. end - 1.
std::span<const Cell> cells_of(const Trajectory& trajectory, std::size_t begin, std::size_t end) {
  const auto before = [](const Cell& cell, std::size_t point) { return cell.point < point; };
  const auto& cells = trajectory.cells;
  const auto first = std::lower_bound(cells.begin(), cells.end(), begin, before);
  return {first, std::lower_bound(first, cells.end(), end, before)};
}

// Of points begin .. end - 1.
std::vector<Gains> gains_of(std::span<const Cell> cells, std::size_t begin, std::size_t end,
                            Counts counts) {
  std::vector<Gains> gains(end - begin);
  for (const Cell& cell : cells) gains[cell.point - begin].add(cell, counts[cell.prompt]);
  return gains;
}

// What the start and the points begin .. end - 1 say in resamples of the prompts.
stats::Draws draw(const Trajectory& trajectory, std::size_t begin, std::size_t end,
                  const stats::BootstrapOptions& options) {
  const auto cells = cells_of(trajectory, begin, end);
  const auto statistics = [&](Counts counts, std::span<Score> values) {
    const StartLines lines = lines_of(trajectory.start, counts);
    values[kCorrelation] = lines.correlation;
    values[kProxyPerToken] = lines.proxy_by_tokens;
    values[kGoldPerToken] = lines.gold_by_tokens;
    const std::vector<Gains> gains = gains_of(cells, begin, end, counts);
    for (std::size_t k = 0; k < gains.size(); ++k) {
      add_parts(gains[k], lines, values.subspan(kStartColumns + k * kPointColumns, kPointColumns));
    }
  };
  return stats::paired_bootstrap(stats::Resampling::of_items(trajectory.prompts.size()),
                                 kStartColumns + (end - begin) * kPointColumns, statistics,
                                 options);
}

}  // namespace

StartDeviations start_deviations(const Start& start, Counts prompts) {
  const StartLines lines = lines_of(start, prompts);
  return {lines.proxy_deviation, lines.gold_deviation};
}

GapReport measure_gap(const Trajectory& trajectory, const stats::BootstrapOptions& options) {
  GapReport report;
  const stats::BootstrapOptions expanded = stats::expanded(options, trajectory.prompts.size());
  const std::vector<std::uint32_t> once(trajectory.prompts.size(), 1);
  const StartLines all = lines_of(trajectory.start, once);
  report.within_prompts = all.within;
  report.proxy_deviation = all.proxy_deviation.value_or(0);
  report.gold_deviation = all.gold_deviation.value_or(0);
  const std::size_t points = trajectory.points.size();
  for (std::size_t begin = 0; begin < points; begin += kChunk) {
    const std::size_t end = std::min(begin + kChunk, points);
    const stats::Draws draws = draw(trajectory, begin, end, options);
    const auto gains = gains_of(cells_of(trajectory, begin, end), begin, end, once);
    for (std::size_t k = 0; k < end - begin; ++k) {
      report.points.push_back(
          point_of(draws, kStartColumns + k * kPointColumns, gains[k], options, expanded));
    }
    if (begin > 0) continue;
    report.correlation = estimate_of(draws, kCorrelation, expanded);
    report.proxy_per_token = estimate_of(draws, kProxyPerToken, expanded);
    report.gold_per_token = estimate_of(draws, kGoldPerToken, expanded);
  }
  return report;
}

}  // namespace plumb::mismatch
