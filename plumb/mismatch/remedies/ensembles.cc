// Ensembles (Coste et al. 2024): reward models that differ by their seed, combined so that what one
// of them alone likes earns little.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::mismatch {
namespace {

// The plain proxy is the first member.
Result<RemedyPath> with_ensemble(RemedyStudy& study, const std::string& name,
                                 const rlhf::EnsembleOptions& how) {
  double spent = study.proxy().tokens;
  std::vector<std::unique_ptr<rlhf::SingleReward>> members;
  PLUMB_TRY(first, rlhf::open_single_reward({study.proxy().model, {}}));
  members.push_back(std::move(first));
  for (std::size_t i = 1; i < study.options().members; ++i) {
    PLUMB_TRY(trained, study.train_reward(fmt::format("seed-{}", i), study.preferences(), {}, i));
    PLUMB_TRY(member, rlhf::open_single_reward({trained.model, {}}));
    members.push_back(std::move(member));
    spent += trained.tokens;
  }
  const std::size_t count = members.size();
  PLUMB_TRY(ensemble, rlhf::RewardEnsemble::make(name, std::move(members), how));
  PLUMB_TRY(path, study.optimise(name, *ensemble, spent, {}, count));
  path.note = fmt::format("{} reward models", count);
  return std::move(path);
}

}  // namespace

Result<RemedyPath> ensemble_worst(RemedyStudy& study) {
  return with_ensemble(study, "ensemble-worst", {.combination = rlhf::Combination::kWorst});
}

Result<RemedyPath> ensemble_uncertain(RemedyStudy& study) {
  return with_ensemble(
      study, "ensemble-uncertain",
      {.combination = rlhf::Combination::kUncertain, .weight = study.options().weight});
}

}  // namespace plumb::mismatch
