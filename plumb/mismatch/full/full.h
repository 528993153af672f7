// Everything that the mismatch instrument measures on one small language model, in one folder: the
// chain with its optimisers (chain.h), the same optimisers against the gold, a population of reward
// models (population.h), remedies (remedies.h), rounds of asking (loop.h), evaluations of every
// checkpoint, and the three links of the optimisers' runs with all of that beside them (links.h).
//
//   manifest.json                        what it is; other settings are refused
//   chain/, population/, remedies/, loop/
//                                        run folders of the parts, as their own verbs write them
//   chain/policies/METHOD/evals.jsonl    evaluations of its checkpoints
//   pairs.jsonl                          right and wrong answers of the evaluations, as the reward
//                                        model scores them
//   times.json                           seconds by part, of all processes that worked on it
//
// All parts share the model and the gold: where the truth is a reward model (gold_model), it is
// trained once, by the chain. They share no samples, for each holds other prompts out. What was
// killed goes on where it was and ends with the same bytes, with any number of threads; times.json
// alone says how it went.
//
//   FullOptions options;
//   options.base.model = "stories260K.bin";
//   options.folder = "full";
//   PLUMB_TRY(report, run_full(options, {}));
//   report.links.report.sentence;
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/mismatch/full/checkpoint_evals.h"
#include "plumb/mismatch/full/full_links.h"
#include "plumb/mismatch/full/time_left.h"
#include "plumb/mismatch/loop/loop.h"
#include "plumb/mismatch/population/population.h"
#include "plumb/mismatch/remedies/remedies.h"

namespace plumb::mismatch {

struct FullOptions {
  lm::ModelFiles base;
  std::filesystem::path folder;
  std::string gold = "world:cheerful";  // of any text, as rlhf::open_reward takes it
  rlhf::FeatureOpener features = {};

  // The parts; their model, folder, gold, seed and threads are those here.
  ChainOptions chain;
  PopulationOptions population;
  RemedyOptions remedies;
  LoopOptions loop;
  CheckpointEvalOptions evaluations;
  LinkOptions links;

  std::uint64_t seed = 0;
  int threads = 0;  // never changes a result
};

// Prompts, samples, steps and questions of all parts, times `share`, but never so few that a part
// could not be measured. For a first look; sizes and numbers of reward models stay.
void scale(FullOptions& options, double share);

struct PartTime {
  std::string part;
  double seconds = 0, processor_seconds = 0;  // of all processes
};

struct FullReport {
  ChainReport chain;
  PopulationReport population;
  RemedyReport remedies;
  LoopReport loop;
  FullLinks links;
  std::vector<PartTime> times;
};

struct FullStatus {
  const std::string& part;
  std::size_t number, parts;  // from 1
  const std::string& stage;
  std::size_t done, total;             // of the stage; total 0: not known
  std::optional<double> seconds_left;  // of the whole
};
using FullWatch = std::function<void(const FullStatus&)>;

// Errors are those of the parts. kBusy: the folder was begun with other settings, the first of
// which is named. kUsage: no optimiser that learns from the reward model.
Result<FullReport> run_full(const FullOptions& options, const FullWatch& watch);

// The stages of the parts with their cost in processor seconds of the reference machine, as a model
// of 260,000 parameters takes them.
std::vector<PlannedStages> plan_of(const FullOptions& options);

}  // namespace plumb::mismatch
