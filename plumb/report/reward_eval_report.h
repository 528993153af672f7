// How good reward models are on comparisons (rlhf/reward/reward_metrics.h), in the forms in which
// it leaves the program: each beside the trivial rewards that it has to beat, which are rows of
// every table.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/report/table.h"
#include "plumb/rlhf/reward/reward_metrics.h"

namespace plumb::report {

struct EvaluatedReward {
  std::string name;
  rlhf::RewardEvaluation evaluation;  // of scores whose differences are logits
  std::size_t truncated = 0;          // texts beyond its context
  Json provenance = {};
};

// The rewards were all evaluated on the same comparisons.
struct RewardEvalContext {
  const rlhf::PreferenceData* data;
  std::vector<EvaluatedReward> rewards;  // one or more; the first is what the reader asked for
  rlhf::RewardEvaluationOptions options;
  std::size_t seen_left_out = 0;  // comparisons of prompts that a reward learnt from
  std::vector<std::string> notes;
};

// plumb.reward-eval/1
Json reward_eval_json(const RewardEvalContext& context);
Table reward_eval_table(const RewardEvalContext& context);      // for people
Table reward_reliability_table(const EvaluatedReward& reward);  // the same, by margin
Table reward_eval_records(const RewardEvalContext& context);
std::string reward_eval_heading(const RewardEvalContext& context);
std::string reward_eval_notes(const RewardEvalContext& context);

}  // namespace plumb::report
