// What the verbs of `plumb lm` share.
#pragma once

#include <string>

#include "plumb/cli/options.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/optimizer.h"

namespace plumb::cli {

// --model, --tokenizer.
struct ModelOptions {
  std::string model, tokenizer;

  void declare(CLI::App& verb, bool required = true);
  lm::ModelFiles files() const { return {model, tokenizer}; }
};

// --seed, --threads.
struct RunOptions {
  std::uint64_t seed = 0;
  int threads = 0;

  void declare(CLI::App& verb);
};

// --rate, --schedule, --warmup, --final-share, --clip: how a training steps.
struct RateOptions {
  double rate = 1e-3, final_share = 0.1, clip = 1;
  std::string schedule = "cosine";
  std::size_t warmup = 0;

  void declare(CLI::App& verb);
  nn::RateSchedule values() const;
};

// The verbs, one file each.
void add_lm_train(CLI::App& lm, Program& program);
void add_lm_sample(CLI::App& lm, Program& program);
void add_lm_eval(CLI::App& lm, Program& program);
void add_lm_export(CLI::App& lm, Program& program);
void add_lm_stories(CLI::App& lm, Program& program);

}  // namespace plumb::cli
