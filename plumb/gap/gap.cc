#include "plumb/gap/gap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/gap/score_interval.h"
#include "plumb/gap/trivial.h"
#include "plumb/stats/intervals.h"

namespace plumb::gap {
namespace {

using stats::Interval;
using stats::IntervalScore;

// A score of the board with its interval, both fractions.
struct Measured {
  std::string name;
  double score;
  IntervalScore ci;
};

IntervalScore percent(const IntervalScore& ci) {
  if (!ci) return ci;
  return Interval{100 * ci->low, 100 * ci->high};
}

// Kappa's large-sample error sqrt(po (1 - po) / n) / (1 - pe), with pe = (po - kappa) / (1 - kappa)
// (Fleiss, Levin and Paik 2003, eq. 18.5 without the covariance of the margins).
IntervalScore kappa_interval(const Agreement& agreement, double kappa, double level) {
  const auto observed = agreement.find("mean_percentage_agreement");
  const auto n = agreement.find("n_items");
  if (!observed || !n || kappa >= 1) return stats::undefined("too little was published");
  const double half = stats::normal_quantile((1 + level) / 2) *
                      std::sqrt(*observed * (1 - *observed) / *n) * (1 - kappa) / (1 - *observed);
  return Interval{std::max(-1.0, kappa - half), std::min(1.0, kappa + half)};
}

IntervalScore mean_interval(const Agreement& agreement, double mean, double level) {
  const auto deviation = agreement.find("spearman_std");
  const auto n = agreement.find("n_comparisons");
  if (!deviation || !n || *n < 2) return stats::undefined("too little was published");
  const double half = stats::normal_quantile((1 + level) / 2) * *deviation / std::sqrt(*n - 1);
  return Interval{std::max(-1.0, mean - half), std::min(1.0, mean + half)};
}

AgreementScore agreement_score(const Agreement& agreement, double value, double level) {
  const auto n = agreement.find("n_items");
  IntervalScore ci = stats::undefined("cannot be had from the published aggregate");
  if (agreement.metric == "fleiss_kappa") ci = kappa_interval(agreement, value, level);
  if (agreement.metric == "mean_spearman") ci = mean_interval(agreement, value, level);
  if (agreement.metric == "mean_pairwise_spearman" && n) {
    ci = stats::spearman_interval(value, static_cast<std::size_t>(*n), level);
  }
  return {agreement.metric, value, ci};
}

std::vector<std::size_t> models_with(const Board& board, std::size_t s) {
  std::vector<std::size_t> rows;
  for (std::size_t c = 0; c < board.competitors.size(); ++c) {
    const Competitor& row = board.competitors[c];
    if (row.kind == RaterKind::kModel && row.scores[s]) rows.push_back(c);
  }
  std::ranges::stable_sort(rows, std::greater<>(),
                           [&board, s](std::size_t c) { return *board.competitors[c].scores[s]; });
  return rows;
}

bool has_name(const Competitor& row, std::string_view name) {
  return row.name == name || row.name.ends_with(fmt::format("/{}", name));
}

// The level of each interval: the whole family of "best of m" shares the error.
double level_for(const GapOptions& options, std::size_t models) {
  if (options.against != "best" || !options.corrected) return options.level;
  return 1 - (1 - options.level) / static_cast<double>(models);
}

// The best of the suite's trivial answers and the board's lexical baselines.
std::optional<NamedScore> best_trivial(const Board& board, std::size_t s) {
  std::optional<NamedScore> best;
  const tasks::SuiteTask* suite = board.subsets[s].suite;
  if (const auto answer = suite ? best_trivial_answer(*suite) : std::nullopt) {
    best = NamedScore{std::string(answer->name), 100 * answer->score};
  }
  for (const Competitor& row : board.competitors) {
    if (row.kind != RaterKind::kBaseline || !row.cells[s]) continue;
    if (!best || 100 * *row.scores[s] > best->score)
      best = NamedScore{row.name, 100 * *row.scores[s]};
  }
  return best;
}

std::string unknown_agreement(std::size_t annotators) {
  return fmt::format("agreement unknown: {}", annotators == 1 ? "one annotator" : "not published");
}

void set_verdict(SubsetGap& gap) {
  const bool disagree = gap.agreement && gap.agreement->value < kLowAgreement;
  const bool beaten = gap.trivial && gap.trivial->score > gap.human;
  if (disagree) {
    gap.warnings.push_back(fmt::format("annotators agree too little ({} {:.3f} < {})",
                                       gap.agreement->metric, gap.agreement->value, kLowAgreement));
  }
  if (beaten) {
    gap.warnings.push_back(fmt::format("a trivial answer beats the human ({} {:.1f})",
                                       gap.trivial->name, gap.trivial->score));
  }
  if (!gap.agreement) gap.warnings.push_back(unknown_agreement(gap.annotators.size()));
  if (!gap.ci) gap.warnings.push_back(fmt::format("no verdict: {}", gap.ci.error().reason));
  if (disagree || beaten) {
    gap.verdict = Verdict::kNotInterpretable;
  } else if (!gap.ci) {
    gap.verdict = Verdict::kNone;
  } else if (gap.ci->low <= 0 && gap.ci->high >= 0) {
    gap.verdict = Verdict::kNotSeparable;
  } else {
    gap.verdict = gap.difference > 0 ? Verdict::kHumanAhead : Verdict::kModelAhead;
  }
}

void set_scores(const Board& board, std::size_t s, const Measured& human, const Measured& model,
                SubsetGap& gap) {
  gap.subset = board.subsets[s];
  gap.human = 100 * human.score;
  gap.human_ci = percent(human.ci);
  for (const double score : board.people[s].annotators) gap.annotators.push_back(100 * score);
  gap.model = 100 * model.score;
  gap.model_name = model.name;
  gap.model_ci = percent(model.ci);
  gap.trivial = best_trivial(board, s);
  if (gap.subset.suite) gap.chance = 100 * trivial_answers(*gap.subset.suite).front().score;
}

// Measures one board under one set of options; keeps what is slow to simulate.
class GapMeter {
 public:
  GapMeter(const Board& board, const GapOptions& options) : board_(board), options_(options) {}

  // Nothing where the subset lacks a human or an opponent.
  std::optional<SubsetGap> measure(std::size_t s);

 private:
  Measured score(std::size_t row, std::size_t s, double level);
  Measured mean_of(const std::vector<std::size_t>& rows, std::size_t s, double level);
  std::optional<Measured> opponent(const std::vector<std::size_t>& models, std::size_t s,
                                   double level);
  void set_difference(const std::vector<std::size_t>& models, std::size_t s, SubsetGap& gap);

  const Board& board_;
  const GapOptions& options_;
  NoiseCurves curves_;
};

// Experiments of a model are draws of the training set; those of a person are other people.
Measured GapMeter::score(std::size_t row, std::size_t s, double level) {
  const Competitor& competitor = board_.competitors[row];
  Measured measured{competitor.name, *competitor.scores[s],
                    score_interval(board_.subsets[s], *competitor.scores[s], level, curves_)};
  if (!measured.ci) return measured;
  const bool human = competitor.kind == RaterKind::kHuman;
  const Cell* cell = competitor.cells[s];
  const std::vector<double> none;
  const std::vector<double>& repeats = human  ? board_.people[s].annotators
                                       : cell ? cell->experiments
                                              : none;
  measured.ci = with_spread(*measured.ci, measured.score, repeats,
                            score_range(board_.subsets[s].type), level);
  return measured;
}

// The mean of several models, its interval the mean of theirs: their errors share the items.
Measured GapMeter::mean_of(const std::vector<std::size_t>& rows, std::size_t s, double level) {
  Measured mean{fmt::format("mean of {} models", rows.size()), 0, Interval{0, 0}};
  const auto count = static_cast<double>(rows.size());
  for (const std::size_t row : rows) {
    const Measured one = score(row, s, level);
    mean.score += one.score / count;
    if (!one.ci) mean.ci = one.ci;
    if (!mean.ci) continue;
    mean.ci->low += one.ci->low / count;
    mean.ci->high += one.ci->high / count;
  }
  return mean;
}

std::optional<Measured> GapMeter::opponent(const std::vector<std::size_t>& models, std::size_t s,
                                           double level) {
  if (options_.against == "best") return score(models.front(), s, level);
  if (options_.against == "mean") return mean_of(models, s, level);
  const auto named = std::ranges::find_if(board_.competitors, [&](const Competitor& row) {
    return row.kind != RaterKind::kHuman && has_name(row, options_.against) && row.scores[s];
  });
  if (named == board_.competitors.end()) return std::nullopt;
  return score(static_cast<std::size_t>(named - board_.competitors.begin()), s, level);
}

// REQUIRES: there is such an opponent.
void GapMeter::set_difference(const std::vector<std::size_t>& models, std::size_t s,
                              SubsetGap& gap) {
  const double level = level_for(options_, models.size());
  const Measured human = score(*board_.human(), s, level);
  const Measured model = *opponent(models, s, level);
  gap.difference = 100 * (human.score - model.score);
  if (!human.ci || !model.ci) {
    gap.ci = !human.ci ? human.ci : model.ci;
    return;
  }
  const Interval ci = stats::difference_interval(human.score, *human.ci, model.score, *model.ci);
  gap.ci = Interval{100 * ci.low, 100 * ci.high};
  const double z = stats::normal_quantile((1 + level) / 2);
  gap.detectable = 100 * (ci.high - ci.low) / 2 * (z + stats::normal_quantile(0.8)) / z;
}

std::optional<SubsetGap> GapMeter::measure(std::size_t s) {
  const std::vector<std::size_t> models = models_with(board_, s);
  const std::size_t human_row = *board_.human();
  if (!board_.competitors[human_row].scores[s] || models.empty()) return std::nullopt;
  const Measured human = score(human_row, s, options_.level);
  const auto model = opponent(models, s, options_.level);
  if (!model) return std::nullopt;

  SubsetGap gap;
  set_scores(board_, s, human, *model, gap);
  set_difference(models, s, gap);
  if (const Agreement* agreement = board_.people[s].agreement) {
    gap.agreement = agreement_score(*agreement, *agreement->value(), options_.level);
  }
  set_verdict(gap);
  const auto paper = paper_interval(gap.subset, human.score, options_.level);
  if (paper && gap.subset.suite != nullptr) {
    gap.outside_paper_interval = model->score < paper->low || model->score > paper->high;
  }
  for (const std::size_t row : models) {
    gap.models.push_back({board_.competitors[row].name, 100 * *board_.competitors[row].scores[s]});
  }
  return gap;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHumanAhead:
      return "human ahead";
    case Verdict::kModelAhead:
      return "model ahead";
    case Verdict::kNotSeparable:
      return "not separable";
    case Verdict::kNotInterpretable:
      return "not interpretable";
    case Verdict::kNone:
      break;
  }
  return "no verdict";
}

Result<std::vector<SubsetGap>> measure_gaps(const Board& board, const GapOptions& options) {
  if (!board.human())
    return fail(ErrorKind::kNotFound, "these figures hold no people; a gap needs them");
  std::vector<SubsetGap> gaps;
  GapMeter meter(board, options);
  for (std::size_t s = 0; s < board.subsets.size(); ++s) {
    if (auto gap = meter.measure(s)) gaps.push_back(std::move(*gap));
  }
  if (gaps.empty()) {
    return fail(ErrorKind::kNotFound,
                fmt::format("no subset has both a human score and one of '{}'", options.against));
  }
  return gaps;
}

}  // namespace plumb::gap
