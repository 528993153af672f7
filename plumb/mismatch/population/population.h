// A population of reward models, in one folder: many that differ in size, seed, amount and errors
// of data; what each metric says of them on several distributions of pairs; and the gold of the
// policy that each chooses. Which metric of a reward model foretells what it is good for?
//
//   manifest.json           what the population is; another configuration is refused
//   texts.txt               what the base model wrote, whose beginnings are the prompts
//   comparisons.jsonl, validation.jsonl, shifted.jsonl, pool.jsonl
//                           completions: to learn from; to judge by; to judge by, of shorter
//                           prompts; to choose from
//   data/, bases/, models/  comparisons with errors; checkpoints of fewer layers; reward models
//   records/NAME.json       what was measured of one reward model
//   policies/NAME/          runs of RLOO on each, where asked for
//   population.jsonl        a line a reward model (docs/formats.md); attack.jsonl: heads that keep
//                           their loss and ruin the gold
//
// Completions are drawn and scored by the gold once, whatever the number of reward models; each
// reward model scores each of them once. A study that was killed goes on where it was and ends with
// the same bytes, with any number of threads.
//
//   PLUMB_TRY(report, run_population({.base = {"stories260K.bin"}, .folder = "population"}, {}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/mismatch/population/correlations.h"
#include "plumb/mismatch/population/members.h"
#include "plumb/stats/score.h"

namespace plumb::mismatch {

struct PopulationOptions {
  lm::ModelFiles base;
  std::filesystem::path folder;
  std::string gold = "world:story";  // a reward, as rlhf::open_reward takes it

  MemberGrid grid = {};  // no layers: one, half of the model's, all
  std::size_t epochs = 3;

  std::size_t training_prompts = 250, validation_prompts = 60, measured_prompts = 60;
  std::size_t prompt_words = 12;
  std::size_t max_tokens = 48;  // of a completion
  std::size_t pairs = 8;        // of each training prompt; of each validation prompt
  std::size_t samples = 64;     // of each measured prompt
  std::size_t n = 16;           // of the best of n
  double people_noise = 0.25;   // errors of the people who judge the validation pairs
  std::size_t attacks = 1;      // of the reward models of the highest gold, heads to ruin

  std::size_t rloo_steps = 0;  // 0: no policy is trained
  double rate = 1e-4;          // of its steps

  CorrelationOptions correlation = {};
  std::uint64_t seed = 0;
  int threads = 0;  // never changes a result
};

// The fewest reward models of which a correlation is worth a word.
inline constexpr std::size_t kFewestMembers = 8;

struct PopulationReport {
  std::vector<Json> members;  // as population.jsonl has them
  std::vector<Json> attacks;  // as attack.jsonl
  std::vector<MetricCorrelation> correlations;
  // A mean gold score of the pool as it was drawn: best of one.
  double base_gold = 0;
  std::optional<stats::Interval> base_gold_ci;
  std::vector<std::string> notes;  // metrics that some reward model lacks, and why
};

// Errors are those of the stages. kUsage: fewer than kFewestMembers reward models; n beyond the
// samples; more layers than the model has.
Result<PopulationReport> run_population(const PopulationOptions& options, const ChainWatch& watch);

}  // namespace plumb::mismatch
