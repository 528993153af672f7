// plumb policy: models that write completions for a reward. Training has a file of its own.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/policy_options.h"
#include "plumb/rlhf/policy/meters.h"
#include "plumb/rlhf/policy/rollout.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::cli {

void PromptFileOptions::declare(CLI::App& verb) {
  verb.add_option(
          "--prompts", file,
          "JSON lines or a table with \"prompt\", or texts whose beginnings are the prompts")
      ->type_name("FILE")
      ->check(not_empty())
      ->required();
  verb.add_option("--words", words, "words of each text that are its prompt; 0: all of it")
      ->type_name("N")
      ->check(whole_number(0, 1'000'000))
      ->capture_default_str();
}

void RewardOptions::declare(CLI::App& verb) {
  verb.add_option("--reward", proxy,
                  "what is optimised: length, word:WORD, ended, a planted world:NAME "
                  "(docs/mismatch.md), or the "
                  "folder of a reward model or an ensemble")
      ->type_name("REWARD")
      ->check(not_empty());
  verb.add_option("--gold", gold, "what is wanted, where it is known; measured, never learnt from")
      ->type_name("REWARD")
      ->check(not_empty());
}

Result<std::unique_ptr<rlhf::Reward>> open_if_named(const std::string& spec) {
  if (spec.empty()) return std::unique_ptr<rlhf::Reward>();
  return rlhf::open_reward(spec, feature_opener());
}

namespace {

constexpr std::size_t kPromptsAtOnce = 32;

struct SampleCommand {
  ModelOptions model;
  PromptFileOptions prompts;
  RewardOptions rewards;
  RunOptions run_options;
  std::string reference, file;
  std::size_t samples = 1, max_tokens = 64;

  Result<void> run() const;
};

// The policy itself where none is named.
Result<std::optional<lm::LanguageModel>> load_reference(const SampleCommand& command,
                                                        const lm::LanguageModel& policy) {
  if (command.reference.empty()) return std::optional<lm::LanguageModel>();
  PLUMB_TRY(reference, lm::load_language_model({command.reference, command.model.tokenizer}));
  const std::size_t own = policy.transformer.config().vocabulary;
  const std::size_t other = reference.transformer.config().vocabulary;
  if (own != other) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a vocabulary of {} tokens, where {} has {}: no divergence is "
                            "defined between them",
                            command.reference, other, policy.name, own));
  }
  return std::optional(std::move(reference));
}

std::string lines_of(const rlhf::Rollout& rollout, bool with_reference) {
  std::string lines;
  for (rlhf::Sample& sample : rlhf::samples_of(rollout, 0)) {
    if (!with_reference) {
      sample.kl.reset();
      sample.reference_log_probability.reset();
    }
    lines += to_text(rlhf::sample_json(sample)) + "\n";
  }
  return lines;
}

Result<void> SampleCommand::run() const {
  PLUMB_TRY(policy, lm::load_language_model(model.files()));
  PLUMB_TRY(reference_model, load_reference(*this, policy));
  PLUMB_TRY(all, prompts.read(policy));
  PLUMB_TRY(proxy, open_if_named(rewards.proxy));
  PLUMB_TRY(gold, open_if_named(rewards.gold));
  const nn::Generator generator(policy.transformer);
  rlhf::Scorer scorer(policy.transformer,
                      reference_model ? reference_model->transformer : policy.transformer,
                      run_options.threads);
  const Progress progress = progress_bar("prompts");
  std::string lines;
  for (std::size_t first = 0; first < all.size(); first += kPromptsAtOnce) {
    const std::size_t count = std::min(kPromptsAtOnce, all.size() - first);
    const auto some = rlhf::pointers(std::span(all).subspan(first, count));
    PLUMB_TRY(rollout, rlhf::draw(policy, generator, scorer, some,
                                  {.group = samples,
                                   .max_tokens = max_tokens,
                                   .seed = run_options.seed,
                                   .first_index = first * samples,
                                   .threads = run_options.threads}));
    auto scored = reward_rollout(rollout, proxy.get(), gold.get(), run_options.threads);
    if (!scored) return scored;
    lines += lines_of(rollout, reference_model.has_value());
    progress(first + count, all.size());
  }
  return file.empty() ? write_stdout(lines) : write_file_atomic(file, lines);
}

void add_policy_sample(CLI::App& policy, Program& program) {
  auto command = std::make_shared<SampleCommand>();
  CLI::App* verb = policy.add_subcommand(
      "sample",
      "Example:\n  plumb policy sample --model run/model --prompts stories.txt --samples 8 -o "
      "samples.jsonl\n\n"
      "Completions of prompts with their log-probabilities and rewards, a JSON line each.");
  command->model.declare(*verb);
  command->prompts.declare(*verb);
  command->rewards.declare(*verb);
  declare_count(*verb, "--samples", command->samples, 1, "completions of each prompt");
  declare_count(*verb, "--max-tokens", command->max_tokens, 1, "of a completion, at most");
  verb->add_option("--reference", command->reference,
                   "the model that the divergence is measured from")
      ->type_name("PATH")
      ->check(not_empty());
  command->run_options.declare(*verb);
  verb->add_option("-o,--output", command->file, "write there instead of to stdout")
      ->type_name("FILE")
      ->check(not_empty())
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace

void add_policy(CLI::App& app, Program& program) {
  CLI::App* policy = app.add_subcommand(
      "policy",
      "Example:\n  plumb policy train --method rloo --model run/model --prompts stories.txt "
      "--reward word:happy --run policy\n\n"
      "Policies: models that learn to write what a reward asks for.");
  policy->require_subcommand(1);
  add_policy_train(*policy, program);
  add_policy_sample(*policy, program);
}

}  // namespace plumb::cli
