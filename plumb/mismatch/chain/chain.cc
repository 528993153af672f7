#include "plumb/mismatch/chain/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/lm/run_folder.h"
#include "plumb/mismatch/chain/models.h"
#include "plumb/mismatch/chain/samples.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/worlds/comparers.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

Json manifest_of(const ChainOptions& o, const lm::LanguageModel& base) {
  std::vector<std::string> methods;
  for (const rlhf::Method method : o.methods) methods.emplace_back(rlhf::method_name(method));
  Json manifest = {{"schema", "plumb.chain-run/1"},
                   {"base_sha256", lm::weights_hash(base.transformer)},
                   {"gold", o.gold},
                   {"gold_model", o.gold_model},
                   {"measured_prompts", o.measured_prompts},
                   {"training_prompts", o.training_prompts},
                   {"prompt_words", o.prompt_words},
                   {"samples", o.samples},
                   {"max_tokens", o.max_tokens},
                   {"pairs", o.pairs},
                   {"noise", o.noise},
                   {"epochs", o.epochs},
                   {"members", o.members},
                   {"methods", methods},
                   {"steps", o.steps},
                   {"rate", o.rate},
                   {"kl_budget", o.kl_budget},
                   {"seed", o.seed}};
  if (o.against_gold) manifest["against_gold"] = true;
  if (o.keep_checkpoints) manifest["keep_checkpoints"] = true;
  return manifest;
}

class Chain {
 public:
  Chain(const ChainOptions& options, const ChainWatch& watch, const lm::LanguageModel& base)
      : options_(options), watch_(watch), base_(base) {}

  Result<void> write_prompts();
  Result<void> write_comparisons();
  Result<void> find_gold();
  Result<void> write_preferences();
  Result<void> train_proxies();
  Result<void> measure_best_of_n();
  Result<void> train_policies();
  Result<void> train_against_gold();

  ChainReport report() && { return std::move(report_); }

 private:
  fs::path in(const char* name) const { return options_.folder / name; }
  Progress progress(std::string stage) const {
    return [this, stage = std::move(stage)](std::size_t done, std::size_t total) {
      if (watch_) watch_(stage, done, total);
    };
  }
  RewardTraining training(std::string stage) const {
    return {.epochs = options_.epochs,
            .seed = options_.seed,
            .threads = options_.threads,
            .watch = progress(std::move(stage))};
  }
  rlhf::PolicyOptions optimising(rlhf::Method method, const char* folder) const;
  rlhf::PolicyInputs inputs(rlhf::Reward& reward) const {
    return {.start = base_,
            .tokenizer = lm::tokenizer_path(options_.base),
            .training = training_,
            .held_out = measured_,
            .proxy = &reward,
            .gold = gold_.get()};
  }
  Result<void> train(const rlhf::PolicyInputs& inputs, const rlhf::PolicyOptions& how,
                     std::string stage, std::vector<fs::path>& runs) const;
  DrawOptions drawing(std::string stage, std::size_t group) const {
    return {.group = group,
            .max_tokens = options_.max_tokens,
            .seed = options_.seed,
            .threads = options_.threads,
            .progress = progress(std::move(stage))};
  }

  const ChainOptions& options_;
  const ChainWatch& watch_;
  const lm::LanguageModel& base_;
  std::vector<rlhf::Prompt> training_, measured_;
  std::unique_ptr<rlhf::Reward> gold_;
  std::vector<Proxy> proxies_;
  ChainReport report_;
};

Result<void> Chain::write_prompts() {
  const fs::path file = in("texts.txt");
  const std::size_t wanted = options_.measured_prompts + options_.training_prompts;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    const TextOptions how{.texts = wanted,
                          .words = options_.prompt_words,
                          .seed = options_.seed,
                          .threads = options_.threads,
                          .progress = progress("writing texts")};
    PLUMB_TRY(texts, write_texts(base_, how));
    if (auto written = write_file_atomic(file, texts); !written) return written;
  }
  PLUMB_TRY(prompts, rlhf::read_prompts(file, base_, {.words = options_.prompt_words}));
  if (prompts.size() < wanted) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: {} different beginnings of {} words, fewer than the {} prompts "
                            "asked for; take more words, or fewer prompts",
                            file.string(), prompts.size(), options_.prompt_words, wanted));
  }
  auto split = rlhf::hold_out(std::move(prompts), options_.measured_prompts, options_.seed);
  training_ = std::move(split.training);
  measured_ = std::move(split.held_out);
  return {};
}

Result<void> Chain::write_comparisons() {
  // n completions have n (n - 1) / 2 pairs, of which n are compared, and 2 n for a gold model.
  const std::size_t group = std::max<std::size_t>(options_.pairs, 2);
  return draw_samples(base_, training_, nullptr, drawing("completing training prompts", group),
                      in("comparisons.jsonl"));
}

Result<void> Chain::find_gold() {
  PLUMB_TRY(planted, rlhf::open_reward(options_.gold, options_.features));
  gold_ = std::move(planted);
  report_.gold = options_.gold;
  if (!options_.gold_model) return {};
  PLUMB_TRY(samples, rlhf::read_samples(in("comparisons.jsonl")));
  PLUMB_TRY(labels, rlhf::compare_samples(samples, *gold_,
                                          {.pairs_per_prompt = 2 * options_.pairs,
                                           .seed = options_.seed + 1,
                                           .threads = options_.threads}));
  const fs::path data = in("gold.jsonl");
  if (auto written = write_file_atomic(data, rlhf::preference_lines(labels)); !written) {
    return written;
  }
  PLUMB_TRY(model, train_reward_model(options_.base, data, in("gold"),
                                      training("training the gold reward model")));
  PLUMB_TRY(opened, rlhf::open_reward(model.string()));
  gold_ = std::move(opened);
  report_.gold = model.string();
  return {};
}

Result<void> Chain::write_preferences() {
  const fs::path file = in("preferences.jsonl");
  std::error_code ignored;
  if (fs::exists(file, ignored)) return {};
  PLUMB_TRY(samples, rlhf::read_samples(in("comparisons.jsonl")));
  PLUMB_TRY(labels, rlhf::compare_samples(samples, *gold_,
                                          {.noise = {.flip = options_.noise},
                                           .pairs_per_prompt = options_.pairs,
                                           .seed = options_.seed,
                                           .threads = options_.threads}));
  return write_file_atomic(file, rlhf::preference_lines(labels));
}

Result<void> Chain::train_proxies() {
  const ProxyOptions how{.folder = options_.folder, .members = options_.members};
  PLUMB_TRY(proxies,
            train_proxy_models(options_.base, base_, how, training("training reward models")));
  proxies_ = std::move(proxies.all);
  report_.optimised = proxies.optimised;
  return {};
}

Result<void> Chain::measure_best_of_n() {
  const fs::path drawn = in("drawn.jsonl");
  if (auto done = draw_samples(base_, measured_, gold_.get(),
                               drawing("completing measured prompts", options_.samples), drawn);
      !done) {
    return done;
  }
  PLUMB_TRY(samples, rlhf::read_samples(drawn));
  const auto texts = completed_texts(samples);
  ProxyScorer scorer(texts, options_.threads);
  for (const Proxy& proxy : proxies_) {
    const fs::path file = options_.folder / "samples" / (proxy.name + ".jsonl");
    report_.samples.push_back(file);
    if (!proxy.combination && proxy.members.front() == report_.optimised) {
      report_.optimised_samples = file;
    }
    std::error_code ignored;
    if (fs::exists(file, ignored)) continue;
    PLUMB_TRY(scores, scorer.score(proxy, progress(fmt::format("scoring by {}", proxy.name))));
    if (auto written = write_scored(samples, scores, file); !written) return written;
  }
  return {};
}

rlhf::PolicyOptions Chain::optimising(rlhf::Method method, const char* folder) const {
  rlhf::PolicyOptions how;
  how.method = method;
  how.run = options_.folder / folder / rlhf::method_name(method);
  how.steps = options_.steps;
  how.max_tokens = options_.max_tokens;
  how.schedule.rate = static_cast<float>(options_.rate);
  how.kl_budget = options_.kl_budget;
  how.evaluate_every = std::max<std::size_t>(options_.steps / 20, 1);
  how.save_every = how.evaluate_every;
  how.seed = options_.seed;
  how.threads = options_.threads;
  return how;
}

Result<void> Chain::train(const rlhf::PolicyInputs& inputs, const rlhf::PolicyOptions& how,
                          std::string stage, std::vector<fs::path>& runs) const {
  const Progress bar = progress(std::move(stage));
  const auto run = rlhf::train_policy(
      inputs, how, [&](const rlhf::PolicyStatus& status) { bar(status.step, status.steps); });
  if (!run) return tl::unexpected(run.error());
  runs.push_back(how.run);
  return {};
}

Result<void> Chain::train_policies() {
  PLUMB_TRY(proxy, rlhf::open_reward(report_.optimised.string()));
  PLUMB_TRY(data, rlhf::read_preferences(in("preferences.jsonl").string(), {}));
  PLUMB_TRY(pairs, rlhf::encode_pairs(data, base_));
  for (const rlhf::Method method : options_.methods) {
    rlhf::PolicyOptions how = optimising(method, "policies");
    how.keep_checkpoints = options_.keep_checkpoints;
    rlhf::PolicyInputs all = inputs(*proxy);
    all.pairs = pairs.pairs;
    all.pairs_sha256 = pairs.hash;
    const auto trained =
        train(all, how, fmt::format("optimising by {}", rlhf::method_name(method)), report_.runs);
    if (!trained) return trained;
  }
  return {};
}

Result<void> Chain::train_against_gold() {
  if (!options_.against_gold) return {};
  for (const rlhf::Method method : options_.methods) {
    if (method == rlhf::Method::kDpo) continue;
    const auto trained = train(inputs(*gold_), optimising(method, "against-gold"),
                               fmt::format("optimising the gold by {}", rlhf::method_name(method)),
                               report_.gold_runs);
    if (!trained) return trained;
  }
  return {};
}

}  // namespace

Result<ChainReport> run_chain(const ChainOptions& options, const ChainWatch& watch) {
  PLUMB_TRY(base, lm::load_language_model(options.base));
  if (auto opened = lm::open_run(options.folder, manifest_of(options, base)); !opened) {
    return tl::unexpected(opened.error());
  }
  Chain chain(options, watch, base);
  using Stage = Result<void> (Chain::*)();
  constexpr Stage kStages[] = {&Chain::write_prompts,  &Chain::write_comparisons,
                               &Chain::find_gold,      &Chain::write_preferences,
                               &Chain::train_proxies,  &Chain::measure_best_of_n,
                               &Chain::train_policies, &Chain::train_against_gold};
  for (const Stage stage : kStages) {
    if (auto done = (chain.*stage)(); !done) return tl::unexpected(done.error());
  }
  return std::move(chain).report();
}

}  // namespace plumb::mismatch
