// The whole chain on one small language model, in one folder: what it writes, a truth to judge it
// by, comparisons with the errors that people make, reward models that learn from them, best of n
// and four optimisers on what those reward, and the completions of all of them with proxy and gold.
//
//   manifest.json          what the chain is; another configuration is refused
//   texts.txt              what the model wrote, whose beginnings are the prompts
//   comparisons.jsonl      completions of the training prompts
//   preferences.jsonl      what was preferred
//   gold/                  the gold reward model, where the truth is one
//   bases/, proxies/       checkpoints of fewer layers; the reward models that began as them
//   samples/NAME.jsonl     the measured prompts' completions, each with its scores by one proxy
//   policies/METHOD/       run folders (rlhf/policy/policy_run.h)
//   against-gold/METHOD/   the same optimisers on the truth, where asked for
//
// Every stage is a file that is replaced whole or a run folder that resumes, so a chain that was
// killed goes on where it was and ends with the same bytes.
//
//   PLUMB_TRY(chain, run_chain({.base = {"stories260K.bin"}, .folder = "chain"}, {}));
//   measure what chain.samples and chain.runs name (measure.h)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/policy/policy_run.h"
#include "plumb/rlhf/reward/features.h"

namespace plumb::mismatch {

struct ChainOptions {
  lm::ModelFiles base;
  std::filesystem::path folder;

  std::string gold = "world:story";  // a reward, as rlhf::open_reward takes it
  // The truth is a reward model that learnt from comparisons by `gold` without an error (Gao et al.
  // 2023); else it is `gold` itself.
  bool gold_model = false;
  rlhf::FeatureOpener features = {};  // of a gold on features

  std::size_t measured_prompts = 100, training_prompts = 250;
  std::size_t prompt_words = 12;
  std::size_t samples = 256;    // completions of each measured prompt
  std::size_t max_tokens = 48;  // of a completion
  std::size_t pairs = 8;        // comparisons of each training prompt
  double noise = 0.25;          // share of comparisons that go against the gold
  std::size_t epochs = 2;       // of reward models
  std::size_t members = 3;      // of the ensemble, whose reward models have half of the layers

  std::vector<rlhf::Method> methods = {rlhf::Method::kRloo, rlhf::Method::kGrpo, rlhf::Method::kPpo,
                                       rlhf::Method::kDpo};
  std::size_t steps = 200;  // of each optimiser
  double rate = 1e-4;       // of its steps
  double kl_budget = 60;    // nats at which it ends
  // Each optimiser but DPO, which learns from no reward, once more against the truth itself.
  bool against_gold = false;
  bool keep_checkpoints = false;  // of the optimisers on the proxy (rlhf/policy/policy_run.h)

  std::uint64_t seed = 0;
  int threads = 0;  // never changes a result
};

struct ChainReport {
  std::vector<std::filesystem::path> samples;    // best of n: a file a proxy
  std::vector<std::filesystem::path> runs;       // of optimisers
  std::vector<std::filesystem::path> gold_runs;  // against the truth, in the order of `runs`
  std::string gold;                              // the truth, as rlhf::open_reward takes it
  std::filesystem::path optimised;               // the reward model that `runs` learnt from
  std::filesystem::path optimised_samples;       // best of n by it
};

// The stage, and how far it is; total 0: not known.
using ChainWatch =
    std::function<void(const std::string& stage, std::size_t done, std::size_t total)>;

// Errors are those of the stages. kBadInput also: a model that writes too few different beginnings.
Result<ChainReport> run_chain(const ChainOptions& options, const ChainWatch& watch);

}  // namespace plumb::mismatch
