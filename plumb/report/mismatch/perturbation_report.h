// What perturbations of a reward model found (mismatch/perturbations), in the forms in which it
// leaves the program.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/perturbations/perturbed_pairs.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct PerturbationContext {
  std::string reward, file;
  std::size_t comparisons = 0, pairs = 0, prompts = 0;
  std::size_t seen_left_out = 0;  // comparisons of prompts that the reward learnt from
  double deviation = 0;           // of scores, within prompts
  std::vector<mismatch::PerturbationResult> results = {};
  mismatch::TieShares ties = {};
  mismatch::PerturbationOptions options = {};
  std::vector<std::string> notes = {};
  Json provenance = {};
};

Json reward_perturbation_json(const PerturbationContext& context);      // plumb.reward-perturb/1
Table reward_perturbation_table(const PerturbationContext& context);    // for people
Table reward_perturbation_records(const PerturbationContext& context);  // every digit
std::string reward_perturbation_heading(const PerturbationContext& context);
std::string reward_perturbation_notes(const PerturbationContext& context);

}  // namespace plumb::report
