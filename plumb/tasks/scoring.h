// Scores of answer sheets against gold: one code for people, models and baselines.
//
//   PLUMB_TRY(scorer, Scorer::make(task, sheet, {}));       // the main metric of the task's kind
//   stats::Score score = scorer.score();                    // on all items
//   stats::Score again = scorer.score(counts);              // on a resample of them
//   stats::Score chance = scorer.chance();                  // these answers, dealt at random
//
// The chance level is that of the very answers: what they would earn on average if they were dealt
// to the items (reranking: to the documents of a query) in random order. A constant answer
// therefore scores exactly its chance level under every metric, or has no score where the metric is
// a correlation; a score above chance is knowledge, not habit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/metrics.h"
#include "plumb/stats/ranking.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// The bit of the kind in the metric table.
stats::TaskKinds metric_kind(Kind kind);

// "spearman", "accuracy", "v_measure", "ap", "accuracy": as MTEB has them.
std::string_view main_metric(Kind kind);

// What becomes of an item that a rater did not answer.
enum class Missing {
  kLeaveOut,    // the item does not count; how many were answered is reported
  kUninformed,  // it counts as the answer that knows nothing: all labels alike, one group, all
                // documents alike, the middle of the scale, a tie
};

struct MetricOptions {
  std::string metric = {};  // an id of the metric table; "": main_metric()
  std::size_t cutoff = 0;   // of ndcg, rr and p_at_k; 0: 10, 10 for rr, 1 for p_at_k
  stats::TieRule ties = stats::TieRule::kExpected;
  Missing missing = Missing::kLeaveOut;
};

// The metric of these options, or kUsage: no such metric, or not one of this kind of task.
Result<const stats::Metric*> metric_of(Kind kind, const MetricOptions& options);

class Scorer {
 public:
  // Refers to nothing that it was made from. kUsage: see metric_of(). kBadInput: the sheet has not
  // as many answers as the task has items, or an answer another shape than its item.
  static Result<Scorer> make(const Task& task, const AnswerSheet& sheet,
                             const MetricOptions& options);

  // counts: [items of the task] how often each was drawn; empty: once each. Undefined where the
  // metric is, and where no item with gold and answer is left. Safe to call from several threads.
  stats::Score score(stats::Counts counts = {}) const { return score_(counts); }
  stats::Score chance(stats::Counts counts = {}) const { return chance_(counts); }

  // The score of each item, where the metric is a mean over items; empty otherwise. [items of the
  // task], NaN where an item does not count.
  const std::vector<double>& per_item() const { return per_item_; }

  std::size_t scored() const { return scored_; }      // items that count
  std::size_t left_out() const { return left_out_; }  // no gold, no answer, or nothing to find

 private:
  using Function = std::function<stats::Score(stats::Counts)>;

  Scorer() = default;

  Function score_, chance_;
  std::vector<double> per_item_;
  std::size_t scored_ = 0;
  std::size_t left_out_ = 0;
};

// Classification: the shares of an answer or gold over the labels: 1 for the label it names, or as
// it is where it is spread ([labels]).
std::vector<double> label_shares(const Answer& answer, std::size_t labels);

// The answer that knows nothing about this item.
Answer uninformed_answer(const Task& task, const Item& item);

// (score - chance) / (1 - chance): 0 for an answer without knowledge, 1 for a perfect one.
// Undefined where either is, and for a chance of 1.
stats::Score chance_normalised(const stats::Score& score, const stats::Score& chance);

}  // namespace plumb::tasks
