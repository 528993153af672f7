// Training a language model on texts, in a run folder that survives a kill.
//
// Documents are packed: all of them, each between its begin and end tokens, are one stream that is
// cut into blocks of the context's length; blocks are shuffled anew every epoch. In a block no
// document sees another. The folder is that of run_folder.h, with loss, norm of the gradient and
// rate a step, and at the end model/, the trained model as a Hugging Face folder with the
// tokenizer's files. A run that was killed ends with the same bytes as one that was not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/optimizer.h"

namespace plumb::lm {

struct TrainOptions {
  std::vector<std::filesystem::path> files;  // of texts
  std::filesystem::path run;                 // the folder
  std::size_t steps = 1000;
  std::size_t batch = 8;           // blocks a step
  std::size_t save_every = 200;    // steps
  nn::RateSchedule schedule = {};  // its steps are set from `steps`
  nn::AdamOptions adam = {};
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t stop_after = 0;  // end without finishing after this many steps in all; for tests
};

struct TrainStatus {
  std::size_t step, steps;   // done, of all
  double loss;               // nats a token of this step
  double tokens_per_second;  // since this process began
};

struct TrainReport {
  std::size_t steps = 0, resumed_from = 0, parameters = 0, documents = 0, tokens = 0;
  double first_loss = 0, last_loss = 0;  // means of the first and the last tenth of the steps
  double seconds = 0;                    // of this process
  bool finished = false;
  std::filesystem::path model = {};
};

// A new transformer of this shape, or one that was loaded.
using ModelSource = std::function<Result<nn::Transformer>()>;

// `start` is where parameters come from when the run begins. kBadInput: texts that hold fewer
// tokens than one block, a tokenizer that check_fit() refuses, a training that diverged (the
// last state stays), a damaged run folder. kBusy: the folder holds another run. kExhausted: a full
// disk; the state before it stays.
Result<TrainReport> train(const ModelSource& start, const Tokenizer& tokenizer,
                          const std::filesystem::path& tokenizer_files, const TrainOptions& options,
                          const std::function<void(const TrainStatus&)>& watch = {});

// Copies the tokenizer's files into a model's folder: of a folder, those of Hugging Face by name;
// a single file by its own.
Result<void> copy_tokenizer(const std::filesystem::path& from, const std::filesystem::path& folder);

}  // namespace plumb::lm
