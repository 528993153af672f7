// Training a policy on a reward, in a run folder that survives a kill:
//
//   manifest.json       what the run's bytes follow from; another configuration is refused
//   events.jsonl        a line an update: the meters of the completions learnt from, and the step
//   evaluations.jsonl   a line a checkpoint: the meters on held-out prompts
//   samples.jsonl       the completions behind them (rlhf/samples.h)
//   state.safetensors   parameters and moments of the last good step
//   model/              the trained policy, once the run has ended
//   last-good/          that of the last state, where the run stopped because it diverged
//   checkpoints/STEP/   the policy at every checkpoint, where they are kept
//
// Before it begins, a self-test (self_check.h). Every checkpoint, the starting policy first,
// completes the same held-out prompts from the same random numbers, so that curves are paired by
// prompt. A state is saved only after completions drawn from it had a finite divergence: where that
// is no number the run stops and the last state is a good one. A run that was killed ends with the
// same bytes as one that was not, with any number of threads.
//
//   PLUMB_TRY(report, train_policy({.start = model, .training = ..., .proxy = &reward}, options));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/policy/dpo.h"
#include "plumb/rlhf/policy/grpo.h"
#include "plumb/rlhf/policy/learner.h"
#include "plumb/rlhf/policy/meters.h"
#include "plumb/rlhf/policy/ppo.h"
#include "plumb/rlhf/policy/rloo.h"
#include "plumb/rlhf/policy/self_check.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::rlhf {

enum class Method : std::uint8_t { kRloo, kGrpo, kPpo, kDpo };

std::string_view method_name(Method method);  // "rloo", as the command line spells it

struct PolicyInputs {
  const lm::LanguageModel& start;   // also the reference
  std::filesystem::path tokenizer;  // its files, to be copied beside the trained model
  std::span<const Prompt> training, held_out;
  Reward* proxy = nullptr;  // what is optimised; of DPO, measured if it is given
  Reward* gold = nullptr;   // what is wanted, where it is known: measured, never learnt from
  std::span<const PreferencePair> pairs = {};  // of DPO
  std::string pairs_sha256 = {};
  const TextMix* mix = nullptr;  // texts whose likelihood is kept in view (text_mix.h)
};

struct PolicyOptions {
  Method method = Method::kRloo;
  std::filesystem::path run;
  std::size_t steps = 200;
  std::size_t prompts = 16, group = 4;  // of a step; completions of each
  std::size_t max_tokens = 64;          // of a completion
  nn::RateSchedule schedule = {.kind = nn::Schedule::kConstant, .rate = 1e-4F};
  nn::AdamOptions adam = kPolicyAdam;

  double beta = 0;                       // of the divergence, in units of the reward a nat
  std::optional<double> kl_target = {};  // beta follows it (kl_controller.h)
  double kl_horizon = 10000;             // completions
  double kl_budget = std::numeric_limits<double>::infinity();  // nats a completion: the run ends
  double missing_end_penalty = 0;  // taken off the reward of a completion cut by a limit

  RlooOptions rloo = {};
  GrpoUpdateOptions grpo = {};
  PpoOptions ppo = {};
  DpoOptions dpo = {};     // its beta is that of the loss
  std::size_t pairs = 32;  // of a step of DPO

  std::size_t evaluate_every = 25, save_every = 25;  // steps
  std::size_t evaluation_group = 4;                  // completions of each held-out prompt
  bool keep_checkpoints = false;                     // the weights of every evaluation
  std::uint64_t seed = 0;
  int threads = 0;
  float temperature = 1.0F;    // of the sampler; for tests of the self-test
  std::size_t stop_after = 0;  // end without finishing after this many steps in all; for tests
};

struct PolicyStatus {
  std::size_t step, steps;   // done, of all
  const Meters& meters;      // of the step's completions, or of the last checkpoint
  double tokens_per_second;  // drawn, since this process began
  double seconds;            // likewise
};

enum class RunEnd : std::uint8_t { kUnfinished, kSteps, kBudget };

struct PolicyReport {
  RunEnd end = RunEnd::kUnfinished;
  std::size_t steps = 0, resumed_from = 0;
  std::vector<Json> evaluations;  // as in evaluations.jsonl
  SelfTest self_test;
  double seconds = 0;  // of this process
  std::filesystem::path model;
};

// kInternal: the self-test found the sampler and the scorer apart. kBusy: the folder holds another
// run. kBadInput: no held-out prompts, a divergence or gradient that is no number (with the step),
// a reward that cannot read a completion.
Result<PolicyReport> train_policy(const PolicyInputs& inputs, const PolicyOptions& options,
                                  const std::function<void(const PolicyStatus&)>& watch = {});

}  // namespace plumb::rlhf
