// Training a reward model on comparisons, in a run folder that survives a kill.
//
// A step takes a batch of comparisons, or of rankings, reads all completions in one forward, and
// turns group_loss() round: the gradient on the two scalars goes back through all layers. Epochs
// are shuffled anew. Conversations that begin alike are either trained on or held out, never both
// (preference_split.h); the held-out ones are measured at intervals and at the end.
//
// The parameter of a model of ties is trained beside the network, by Adam at a step of 0.02 under
// the same schedule; its value and moments are notes of the state.
//
//   PLUMB_TRY(report, train_reward({.model = "stories260K.bin"}, data, options));
//   load_reward_model({.model = report.model});
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "plumb/lm/train.h"
#include "plumb/nn/optimizer.h"
#include "plumb/rlhf/reward/compared_texts.h"
#include "plumb/rlhf/reward/reward_model.h"
#include "plumb/rlhf/reward/training_data.h"

namespace plumb::rlhf {

struct RewardTrainOptions {
  std::filesystem::path run;  // the folder
  std::size_t epochs = 1;
  std::size_t batch = 32;          // comparisons a step, or rankings
  std::size_t save_every = 100;    // steps
  std::size_t evaluate_every = 0;  // steps; 0: a quarter of all
  TrainingDataOptions data = {};
  std::uint64_t seed = 0;  // of the order, and of a new scalar head
  Learnt learnt = Learnt::kPairs;
  RewardLossOptions loss = {};  // the tie parameter is where its training begins; 0: from the data
  nn::RateSchedule schedule = {.rate = 1e-3F, .warmup = 10};  // its steps are set
  nn::AdamOptions adam = {.decay = 0.01F};
  RewardEvaluationOptions evaluation = {};
  int threads = 0;
  std::size_t stop_after = 0;  // end without finishing after this many steps in all; for tests
};

struct RewardTrainReport {
  std::filesystem::path model = {};  // its folder
  std::size_t steps = 0, resumed_from = 0, parameters = 0;
  std::size_t comparisons = 0;           // trained on, each once an epoch
  std::size_t unlabelled = 0;            // left out: equal completions, no vote
  std::size_t truncated = 0;             // texts beyond the context, held out ones with them
  std::size_t held_out_truncated = 0;    // of the texts that `evaluation` counts
  std::size_t tokens = 0;                // of an epoch
  double first_loss = 0, last_loss = 0;  // means of the first and the last tenth of the steps
  double train_accuracy = 0;  // of the last tenth of the steps, before each step; ties half
  std::optional<double> tie_parameter = {};         // log theta, log nu
  PreferenceData held_out = {};                     // with the labels that it was measured against
  std::optional<RewardEvaluation> evaluation = {};  // on it, where it has a decided comparison
  double seconds = 0;                               // of this process
  bool finished = false;
};

// kBadInput: what reward_model_from() refuses, a text that the tokenizer refuses (with its place in
// the data), no comparison to train on, a training that diverged (with the step; the last state
// stays), a damaged run folder. kBusy: the folder holds another run; the first difference is named.
// kExhausted: a full disk; the state before it stays.
Result<RewardTrainReport> train_reward(
    const lm::ModelFiles& base, const PreferenceData& data, const RewardTrainOptions& options,
    const std::function<void(const lm::TrainStatus&)>& watch = {});

}  // namespace plumb::rlhf
