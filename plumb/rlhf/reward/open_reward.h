// Rewards as the command line names them: a program ("length", "word:happy"), a planted world
// ("world:story+noise:0.5"), the folder of a reward model or of an ensemble.
//
//   PLUMB_TRY(proxy, open_reward("word:happy"));
//   PLUMB_TRY(scores, proxy->score(texts, 0));
#pragma once

#include <memory>
#include <string>

#include "plumb/base/result.h"
#include "plumb/rlhf/reward/features.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::rlhf {

// kNotFound: no reward of this name and no such folder, with what there is; kUsage: an argument
// that is missing, or one too many. kBadInput: what open_world() and open_learned_reward() refuse.
Result<std::unique_ptr<Reward>> open_reward(const std::string& spec,
                                            const FeatureOpener& features = {});

}  // namespace plumb::rlhf
