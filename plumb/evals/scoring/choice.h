// Multiple choice by log-likelihood, as lm-evaluation-harness scores it (lm_eval/api/task.py,
// MultipleChoiceTask): every choice is a continuation of one context, and the likeliest wins.
//
//   ChoiceItem item{.choices = {" Paris", " Rome"}, .gold = 0};
//   ChoiceVerdict verdict = judge_choices(item, {.log_likelihoods = {-1.2, -3.4}});
//   verdict.acc;  // 1
//
// Guarantees: where several choices tie for the first place, the gold earns its share of the draw
// (1 / tied), whatever its place, so that a model that says nothing scores chance.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/evals/row.h"

namespace plumb::evals {

struct ChoiceItem {
  std::vector<std::string> choices;  // as they are compared in length: without the delimiter
  std::size_t gold = 0;
};

// What a model said of each choice.
struct ChoiceScores {
  std::vector<double> log_likelihoods;     // nats, of the choice given the context
  std::vector<double> unconditional = {};  // of the choice after no context; empty: not asked
  std::vector<bool> greedy = {};           // it is what greedy decoding writes; empty: unknown
};

struct ChoiceVerdict {
  double acc;       // the largest log-likelihood
  double acc_norm;  // the largest log-likelihood / characters (Unicode) of the choice
  double acc_bytes;
  std::optional<double> acc_mutual_info;  // the largest log-likelihood less the unconditional one
  double brier;  // sum over choices of (softmax - gold)^2, lm-eval's, which goes from 0 to 2
  std::optional<double> greedy;  // whether greedy decoding would write the gold
  std::size_t chosen;            // the first of the likeliest
};

// Choices without a character count as one, so that an empty one has a length.
// REQUIRES: as many scores as choices, at least one; gold is one of them.
ChoiceVerdict judge_choices(const ChoiceItem& item, const ChoiceScores& scores);

// The rows of an evaluation: acc, acc_norm, acc_bytes; acc_mutual_info and greedy where every item
// has them; brier. Chance is the mean of 1 / choices. REQUIRES: as many scores as items.
std::vector<EvalRow> choice_rows(const std::string& eval, std::span<const ChoiceItem> items,
                                 std::span<const ChoiceScores> scores, double level);

// The rows of answers that know nothing, by accuracy: "null" (all choices alike), "constant" (the
// place that is gold most often), "longest" and "shortest" choice. Their notes say "baseline".
std::vector<EvalRow> choice_baselines(const std::string& eval, std::span<const ChoiceItem> items,
                                      double level);

// What a uniform guess gets: the mean of 1 / choices. 0 without items.
double choice_chance(std::span<const ChoiceItem> items);

// What is scored of a context and its continuation, as lm-evaluation-harness cuts them
// (lm_eval/api/model.py, _encode_pair): blanks at the end of the context belong to the
// continuation.
struct ContinuationTexts {
  std::string context, continuation;
};
ContinuationTexts move_blanks(std::string context, std::string continuation);

}  // namespace plumb::evals
