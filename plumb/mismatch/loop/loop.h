// Rounds of asking: people answer what the reward model knows least about the policy that it has
// led to, the reward model learns their answers, and a policy learns from it again (Lambert and
// Calandra 2023, figure 4 and section 6).
//
// Round r, in rounds/r of the folder:
//   samples.jsonl   completions by the policy of the round before; of the first, by the base model
//   task.jsonl      the questions (questions.h); in the first round random ones
//   answers.jsonl   plumb.answers/1: of people, or of simulated annotators who err by the gold
//   models/, ensemble/
//                   reward models that have learnt all answers so far, each from the base model
//   policy/         RLOO from the base model on the ensemble
//   round.json      the round's figures; rounds.jsonl beside rounds/ has all of them
//
// The reward model of the round before is scored on the new answers before anything learns them
// (prequentially): what it says of its own policy's completions. A loop that was killed goes on
// where it was and ends with the same bytes; more rounds can be asked for later.
//
//   PLUMB_TRY(report, run_loop({.base = {"stories260K.bin"}, .folder = "loop"}, {}));
//   if (report.waiting_for) // put report.task to people, then take_answers("loop", files)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/mismatch/loop/questions.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::mismatch {

struct LoopOptions {
  lm::ModelFiles base;
  std::filesystem::path folder;
  std::string gold = "world:story";  // "": none is known; needs people
  bool people = false;               // they answer; else simulated annotators
  std::size_t rounds = 3;            // in all; no part of what a loop is

  Choosing choosing = Choosing::kVariance;
  std::size_t questions = 60;  // a round
  std::size_t annotators = 1;  // simulated ones, for each question
  double noise = 0.25;         // the share of their answers that go against the gold
  std::size_t members = 3;     // of the ensemble
  rlhf::Combination combination = rlhf::Combination::kMean;
  std::size_t epochs = 2;  // of reward models
  std::size_t steps = 40;  // of each policy
  double rate = 1e-4;      // of these steps
  double kl_budget = 30;   // nats at which a policy ends

  std::size_t training_prompts = 100, measured_prompts = 60;
  std::size_t prompt_words = 12;
  std::size_t samples = 6;      // of each training prompt, a round
  std::size_t max_tokens = 48;  // of a completion
  std::uint64_t seed = 0;
  int threads = 0;  // never changes a result
};

struct LoopReport {
  LoopOptions options;
  std::vector<Json> rounds;                // finished ones, as rounds.jsonl has them
  std::optional<std::size_t> waiting_for;  // the round whose questions people have to answer
  std::filesystem::path task;              // of that round
};

// Errors are those of the stages. kUsage: no gold and no people; fewer than two members where the
// ensemble's variance chooses.
Result<LoopReport> run_loop(const LoopOptions& options, const ChainWatch& watch);

// The options of a loop that was begun, its model and number of rounds with them. kNotFound: the
// folder holds none. kBadInput: a damaged manifest, with the field.
Result<LoopOptions> read_loop(const std::filesystem::path& folder);

struct TakenAnswers {
  std::size_t round = 1;
  std::size_t answers = 0, annotators = 0;
  std::size_t questions = 0, answered = 0;  // that somebody answered
};

// Answers to the round that waits for them, checked and put into its folder: files of
// plumb.answers/1 as `plumb study export` writes them. kUsage: no round waits. kBadInput: answers
// to other questions (the round that they belong to is named), no answer at all.
Result<TakenAnswers> take_answers(const std::filesystem::path& folder,
                                  std::span<const std::string> files);

}  // namespace plumb::mismatch
