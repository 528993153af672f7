// The gap: people against one model on every subset, with intervals, agreement, and a verdict that
// says what the evidence carries.
//
//   Result<std::vector<SubsetGap>> gaps = measure_gaps(board, {.against = "best"});
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/board.h"
#include "plumb/stats/score.h"

namespace plumb::gap {

// A human score below this agreement is not interpretable (the paper's own threshold).
inline constexpr double kLowAgreement = 0.4;

enum class Verdict {
  kHumanAhead,
  kModelAhead,
  kNotSeparable,
  kNotInterpretable,
  kNone,  // no interval, so nothing can be said
};
std::string_view verdict_name(Verdict verdict);  // "human ahead", ..., "no verdict"

// The agreement of a subset's annotators with an interval, or why it has none.
struct AgreementScore {
  std::string metric;
  double value;
  stats::IntervalScore ci;
};

struct NamedScore {
  std::string name;
  double score;
};

// All scores and intervals in percent.
struct SubsetGap {
  BoardSubset subset;
  double human = 0;
  stats::IntervalScore human_ci;  // of the stated level, like model_ci
  std::vector<double> annotators;
  std::optional<AgreementScore> agreement;  // nothing: one annotator, or not published
  double model = 0;
  std::string model_name;
  stats::IntervalScore model_ci;
  double difference = 0;  // human minus model
  stats::IntervalScore ci;
  std::optional<double> detectable;  // the least difference found with power 0.8
  std::optional<NamedScore>
      trivial;  // the best trivial answer, lexical baselines of the board included
  std::optional<double> chance;
  Verdict verdict = Verdict::kNone;
  std::vector<std::string> warnings;
  // Of the suite's subsets: the model lies outside the paper's human interval.
  std::optional<bool> outside_paper_interval;
  std::vector<NamedScore> models;  // all models of the board, by score
};

struct GapOptions {
  std::string against =
      "best";  // the best model of each subset, the mean of all, or a model's name
  double level = 0.95;
  bool corrected = true;  // for the choice of the best
};

// Against "best" of m models, the interval of the difference is widened to the level 1 - (1 -
// level) / m (Bonferroni), because the best was chosen after the fact; not where `corrected` is
// false. Subsets without a human or a model score are left out. kNotFound: no people on the board,
// or no model of that name.
Result<std::vector<SubsetGap>> measure_gaps(const Board& board, const GapOptions& options);

}  // namespace plumb::gap
