// Rewards by name, as the command line takes them: "length", "word:happy", "world:story", or the
// folder of a reward model or of an ensemble.
//
//   PLUMB_TRY(proxy, open_reward("word:happy"));
//   PLUMB_TRY(scores, proxy->score(texts, 0));
#pragma once

#include <memory>
#include <string>

#include "plumb/base/result.h"
#include "plumb/rlhf/reward.h"

namespace plumb::rlhf {

// "NAME" or "NAME:ARGUMENT", or a path. Errors of open_world() and open_learned_reward();
// kNotFound: no reward of this name, with those that there are; kUsage: an argument that is
// missing, or one too many.
Result<std::unique_ptr<Reward>> open_reward(const std::string& spec);

// The names with what they mean, a line each, for help and errors.
std::string reward_names();

}  // namespace plumb::rlhf
