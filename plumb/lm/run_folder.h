// The folder of a training run, which survives a kill:
//
//   manifest.json      what the run is: written first, and compared when it is taken up again
//   events.jsonl       a line a step
//   state.safetensors  parameters and moments at a step: replaced whole
//
// A run that was killed goes on from its last state; the events behind it are dropped and written
// again. Who uses it: every training, of language models, reward models and policies.
//
//   if (auto opened = open_run(folder, manifest); !opened) return opened;
//   PLUMB_TRY(step, load_state(folder, trained, steps));
//   PLUMB_TRY(events, keep_events(folder, step));
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/nn/optimizer.h"
#include "plumb/nn/transformer.h"

namespace plumb::lm {

// Writes a new run's manifest (making the folder), or checks that the folder's is this one. kBusy:
// another run, whose first difference is named, or files without a manifest. kBadInput: a bad one.
Result<void> open_run(const std::filesystem::path& folder, const Json& manifest);

// What a state holds: several where one step trains several (a policy and its values).
struct Trained {
  std::string name;  // "" for the only one
  nn::Transformer& model;
  nn::Optimizer& optimizer;
};

// `more`: what else the training needs to go on, as texts; "step" and "format" are taken.
using StateNotes = std::map<std::string, std::string>;
Result<void> save_state(const std::filesystem::path& folder, std::span<const Trained> trained,
                        std::size_t step, const StateNotes& more = {});

// Restores what was saved and returns its step; 0 where nothing was. kBadInput: a damaged state, or
// one beyond `steps`.
Result<std::size_t> load_state(const std::filesystem::path& folder,
                               std::span<const Trained> trained, std::size_t steps);

// What was saved as `more`; empty where nothing was saved. kBadInput: a damaged state.
Result<StateNotes> load_notes(const std::filesystem::path& folder);

// The first `count` events, or as many as are whole; what stands behind them in the file is
// dropped.
Result<std::vector<Json>> keep_events(const std::filesystem::path& folder, std::size_t count);

// The hash of a model's weights as floats, for manifests.
std::string weights_hash(const nn::Transformer& model);

}  // namespace plumb::lm
