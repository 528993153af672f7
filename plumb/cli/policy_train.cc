// plumb policy train: a policy from a reward or from preferences, or the best of n.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "plumb/base/version.h"
#include "plumb/cli/policy_options.h"
#include "plumb/cli/training_line.h"
#include "plumb/report/common.h"
#include "plumb/report/table.h"
#include "plumb/rlhf/policy/best_of_n.h"
#include "plumb/rlhf/policy/policy_run.h"
#include "plumb/rlhf/preferences/preference_data.h"

namespace plumb::cli {
namespace {

constexpr std::string_view kMethods = "best-of-n, rloo, grpo, ppo, dpo";
constexpr std::string_view kDpoLosses = "sigmoid, conservative, robust, hinge, ipo, ipo-per-token";
constexpr std::string_view kTokenMeans = "completion, token, constant";

// Where `name` stands in "one, two, three".
std::size_t place_of(std::string_view names, std::string_view name) {
  std::size_t place = 0;
  while (!names.starts_with(name) || (names.size() > name.size() && names[name.size()] != ',')) {
    names.remove_prefix(names.find(", ") + 2);
    ++place;
  }
  return place;
}

constexpr std::size_t kHeldOut = 64;

struct TrainCommand {
  ModelOptions model;
  PromptFileOptions prompts;
  RewardOptions rewards;
  RunOptions run_options;
  std::string method = "rloo", run_folder, preferences;
  std::string dpo_loss = "sigmoid", token_mean = "completion";
  std::optional<std::size_t> held_out;
  std::size_t batch = 16, samples = 4, epochs = 0;
  RateOptions rates = {.rate = 1e-4, .schedule = "constant"};
  double ratio_clip = 0.2;
  double kl_target = 0, kl_budget = 0, value_rate = 0;
  std::optional<double> beta;
  bool no_deviation = false, json = false;
  rlhf::PolicyOptions options;

  Result<void> run() const;

 private:
  rlhf::PolicyOptions all_options() const;
  Result<std::size_t> held_out_of(std::size_t all) const;
  Result<void> choose_best(const rlhf::PolicyInputs& inputs) const;
  Result<void> train(const rlhf::PolicyInputs& inputs) const;
};

std::string rewards(const rlhf::Meters& meters) {
  std::string text;
  for (const char* name : {"proxy", "gold"}) {
    if (const auto* meter = meters.find(name)) {
      text += fmt::format(" {} {:.3f},", name, meter->value);
    }
  }
  return text;
}

class PolicyLine {
 public:
  void show(const rlhf::PolicyStatus& status) {
    const bool finished = status.step == status.steps;
    ++seen_;
    if (!line_.due(finished)) return;
    const double left = status.seconds / static_cast<double>(seen_) *
                        static_cast<double>(status.steps - status.step);
    line_.draw(fmt::format("step {} of {}:{} KL {:.3f}, {:.0f} tokens/s, {:.0f} s left",
                           status.step, status.steps, rewards(status.meters),
                           status.meters.value("kl"), status.tokens_per_second, left),
               finished);
  }

 private:
  StatusLine line_;
  std::size_t seen_ = 0;
};

rlhf::PolicyOptions TrainCommand::all_options() const {
  rlhf::PolicyOptions all = options;
  all.method = static_cast<rlhf::Method>(place_of(kMethods, method) - 1);
  all.run = run_folder;
  all.prompts = all.pairs = batch;
  all.group = samples;
  all.schedule = rates.values();
  all.schedule.steps = options.steps;
  all.adam.clip = static_cast<float>(rates.clip);
  all.beta = beta.value_or(0);
  all.dpo.beta = beta.value_or(all.dpo.beta);
  all.dpo.kind = static_cast<rlhf::DpoKind>(place_of(kDpoLosses, dpo_loss));
  if (kl_target > 0) all.kl_target = kl_target;
  if (kl_budget > 0) all.kl_budget = kl_budget;
  if (epochs > 0) all.rloo.epochs = all.grpo.epochs = all.ppo.epochs = epochs;
  all.rloo.clip = all.grpo.clip_low = all.grpo.clip_high = all.ppo.clip = ratio_clip;
  if (value_rate > 0 && rates.rate > 0)
    all.ppo.value_rate = static_cast<float>(value_rate / rates.rate);
  all.grpo.mean = static_cast<rlhf::TokenMean>(place_of(kTokenMeans, token_mean));
  all.grpo.normalisation.divide = !no_deviation;
  all.seed = run_options.seed;
  all.threads = run_options.threads;
  return all;
}

// How many of all prompts are held out.
Result<std::size_t> TrainCommand::held_out_of(std::size_t all) const {
  if (all < 2) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: holds {} prompt; a policy needs prompts to learn from and others, "
                            "held out, to be measured on",
                            prompts.file, all));
  }
  if (!held_out) return std::min(kHeldOut, all / 2);
  if (*held_out < all) return *held_out;
  return fail(ErrorKind::kUsage,
              fmt::format("--held-out {}: {} holds {} prompts, and some must stay to learn from",
                          *held_out, prompts.file, all));
}

Json json_of(const rlhf::SelfTest& test) {
  return {{"completions", test.completions},
          {"perturbed_kl", test.perturbed_kl},
          {"perturbed_k1", test.perturbed_k1},
          {"generator_gap", test.generator_gap}};
}

std::string cell(const Json& evaluation, const std::string& name) {
  const Json& ci = evaluation[name + "_ci"];
  const std::string value = fmt::format("{:.3f}", evaluation[name].get<double>());
  if (!ci.is_array()) return value;
  return fmt::format("{} [{:.3f}, {:.3f}]", value, ci[0].get<double>(), ci[1].get<double>());
}

// Each meter of the first and of the last evaluation.
std::string table_of(const Json& first, const Json& last) {
  report::Table table{
      {{"held-out prompts"}, {"start"}, {fmt::format("step {}", to_text(last["step"]))}}, {}};
  for (const auto& [key, value] : first.items()) {
    if (!first.contains(key + "_ci")) continue;
    table.rows.push_back({key, cell(first, key), cell(last, key)});
  }
  return to_terminal(table, terminal_of_stdout());
}

Result<void> TrainCommand::train(const rlhf::PolicyInputs& inputs) const {
  PolicyLine line;
  const rlhf::PolicyOptions all = all_options();
  PLUMB_TRY(report, rlhf::train_policy(inputs, all, [&](const auto& s) { line.show(s); }));
  const Json &first = report.evaluations.front(), &last = report.evaluations.back();
  const bool spent = report.end == rlhf::RunEnd::kBudget;
  if (json) {
    return write_stdout(to_text(Json{{"schema", "plumb.policy-train/1"},
                                     {"version", kVersion},
                                     {"method", method},
                                     {"model", report.model.string()},
                                     {"steps", report.steps},
                                     {"end", spent ? "kl budget" : "steps"},
                                     {"resumed_from", report.resumed_from},
                                     {"self_test", json_of(report.self_test)},
                                     {"first", first},
                                     {"last", last},
                                     {"seconds", report.seconds}},
                                2) +
                        "\n");
  }
  const std::string end = spent ? ", where the KL budget was spent" : "";
  return write_stdout(fmt::format(
      "{} steps of {}{}{}\n\n{}\nthe model is {}\n", report.steps, method, end,
      report.resumed_from > 0 ? fmt::format(" (taken up at {})", report.resumed_from) : "",
      table_of(first, last), report.model.string()));
}

// "0.500 [0.400, 0.600] to 0.900 [0.850, 0.950]"
std::string from_to(double all, const std::optional<stats::Interval>& all_ci, double best,
                    const std::optional<stats::Interval>& best_ci) {
  return fmt::format("{:.3f} {} to {:.3f} {}", all, report::interval(all_ci, 3), best,
                     report::interval(best_ci, 3));
}

Result<void> TrainCommand::choose_best(const rlhf::PolicyInputs& inputs) const {
  PolicyLine line;
  const rlhf::BestOfNOptions chosen{.run = run_folder,
                                    .n = samples,
                                    .max_tokens = options.max_tokens,
                                    .chunk = batch,
                                    .seed = run_options.seed,
                                    .threads = run_options.threads};
  PLUMB_TRY(report, rlhf::best_of_n(inputs, chosen, [&](const auto& s) { line.show(s); }));
  if (json) {
    return write_stdout(to_text(Json{{"schema", "plumb.policy-best-of-n/1"},
                                     {"version", kVersion},
                                     {"n", samples},
                                     {"prompts", report.prompts},
                                     {"proxy", report.proxy},
                                     {"proxy_ci", report::or_null(report.proxy_ci)},
                                     {"best_proxy", report.best_proxy},
                                     {"best_proxy_ci", report::or_null(report.best_proxy_ci)},
                                     {"gold", report::or_null(report.gold)},
                                     {"gold_ci", report::or_null(report.gold_ci)},
                                     {"best_gold", report::or_null(report.best_gold)},
                                     {"best_gold_ci", report::or_null(report.best_gold_ci)},
                                     {"kl", report.kl},
                                     {"kl_is_upper_bound", report.ties},
                                     {"self_test", json_of(report.self_test)},
                                     {"seconds", report.seconds}},
                                2) +
                        "\n");
  }
  const std::string gold = report.gold ? ", gold " + from_to(*report.gold, report.gold_ci,
                                                             *report.best_gold, report.best_gold_ci)
                                       : "";
  return write_stdout(
      fmt::format("the best of {} on {} prompts: proxy {}{}, {}KL {:.3f} nats\nthey are in {}\n",
                  samples, report.prompts,
                  from_to(report.proxy, report.proxy_ci, report.best_proxy, report.best_proxy_ci),
                  gold, report.ties ? "at most " : "", report.kl, run_folder + "/best.jsonl"));
}

Result<void> TrainCommand::run() const {
  if (!preferences.empty() && method != "dpo") {
    return fail(ErrorKind::kUsage,
                fmt::format("--preferences is what dpo learns from; {} takes --reward", method));
  }
  PLUMB_TRY(start, lm::load_language_model(model.files()));
  PLUMB_TRY(all, prompts.read(start));
  PLUMB_TRY(proxy, open_if_named(rewards.proxy));
  PLUMB_TRY(gold, open_if_named(rewards.gold));
  PLUMB_TRY(measured, held_out_of(all.size()));
  const rlhf::PromptSplit split = rlhf::hold_out(std::move(all), measured, run_options.seed);
  rlhf::PreferencePairs pairs;
  if (method == "dpo") {
    if (preferences.empty()) return fail(ErrorKind::kUsage, "dpo learns from --preferences FILE");
    PLUMB_TRY(data, rlhf::read_preferences(preferences, {}, progress_bar("reading preferences")));
    PLUMB_TRY(encoded, rlhf::encode_pairs(data, start));
    pairs = std::move(encoded);
  } else if (proxy == nullptr) {
    return fail(ErrorKind::kUsage, fmt::format("{} learns from --reward REWARD", method));
  }
  const rlhf::PolicyInputs inputs{.start = start,
                                  .tokenizer = lm::tokenizer_path(model.files()),
                                  .training = split.training,
                                  .held_out = split.held_out,
                                  .proxy = proxy.get(),
                                  .gold = gold.get(),
                                  .pairs = pairs.pairs,
                                  .pairs_sha256 = pairs.hash};
  return method == "best-of-n" ? choose_best(inputs) : train(inputs);
}

void declare_steps(CLI::App& verb, TrainCommand& c) {
  declare_count(verb, "--steps", c.options.steps, 1, "updates of the whole training");
  declare_count(verb, "--batch", c.batch, 1, "prompts a step; of dpo, pairs");
  declare_count(verb, "--samples", c.samples, 1, "completions of each prompt; of best-of-n, n");
  declare_count(verb, "--max-tokens", c.options.max_tokens, 1, "of a completion, at most");
  c.rates.declare(verb);
  verb.add_option(
          "--held-out", c.held_out,
          fmt::format("prompts that are only measured on; {}, or half where there are fewer "
                      "than {}, unless given",
                      kHeldOut, 2 * kHeldOut))
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  declare_count(verb, "--evaluate-every", c.options.evaluate_every, 1,
                "steps between two measurements on the held-out prompts");
  declare_count(verb, "--evaluation-samples", c.options.evaluation_group, 1,
                "completions of each held-out prompt");
  declare_count(verb, "--save-every", c.options.save_every, 1, "steps between two saved states");
  verb.add_flag("--keep-checkpoints", c.options.keep_checkpoints,
                "the model at every measurement stays in FOLDER/checkpoints/STEP, for plumb eval");
}

void declare_divergence(CLI::App& verb, TrainCommand& c) {
  verb.add_option("--beta", c.beta, "weight of the divergence: reward a nat; 0, of dpo 0.1")
      ->type_name("X")
      ->check(number(0, 1e6))
      ->group("Divergence");
  const auto grouped = [&](const char* name, double& value, const char* help) {
    declare_number(verb, name, value, 0, 1e9, help);
    verb.get_option(name)->group("Divergence");
  };
  grouped("--kl-budget", c.kl_budget, "nats a completion at which the run ends; 0: none");
  grouped("--kl-target", c.kl_target, "nats that beta follows; 0: beta stays");
  grouped("--kl-horizon", c.options.kl_horizon, "completions in which beta moves by a fifth");
  grouped("--missing-end-penalty", c.options.missing_end_penalty,
          "taken off the reward of a completion that was cut");
}

void declare_method(CLI::App& verb, TrainCommand& c) {
  declare_count(verb, "--epochs", c.epochs, 0, "steps on one batch of completions; 0: 1, of ppo 4");
  declare_count(verb, "--minibatches", c.options.ppo.minibatches, 1, "ppo: parts of a batch");
  declare_number(verb, "--ratio-clip", c.ratio_clip, 1e-9, 1e9, "rloo, grpo, ppo: clip of ratios");
  declare_number(verb, "--value-weight", c.options.ppo.value_weight, 0, 1e6,
                 "ppo: weight of the value loss");
  declare_number(verb, "--value-rate", c.value_rate, 0, 10,
                 "ppo: rate of the values' steps, under the same schedule; 0: --rate");
  declare_number(verb, "--lambda", c.options.ppo.lambda, 0, 1, "ppo: of generalised advantages");
  verb.add_option("--token-mean", c.token_mean,
                  "grpo: over each completion, all tokens, or a constant")
      ->type_name("NAME")
      ->check(one_of(std::string(kTokenMeans)))
      ->capture_default_str();
  verb.add_flag("--no-deviation", c.no_deviation, "grpo: take off the mean of a group alone");
  verb.add_option("--dpo-loss", c.dpo_loss, fmt::format("dpo: {}", kDpoLosses))
      ->type_name("NAME")
      ->check(one_of(std::string(kDpoLosses)))
      ->capture_default_str();
  declare_number(verb, "--flip-rate", c.options.dpo.flip_rate, 0, 0.499,
                 "dpo: share of labels that are wrong (conservative, robust)");
  for (const char* name :
       {"--epochs", "--minibatches", "--ratio-clip", "--value-weight", "--value-rate", "--lambda",
        "--token-mean", "--no-deviation", "--dpo-loss", "--flip-rate"}) {
    verb.get_option(name)->group("Methods");
  }
}

}  // namespace

void add_policy_train(CLI::App& policy, Program& program) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* verb = policy.add_subcommand(
      "train",
      "Example:\n  plumb policy train --method rloo --model run/model --prompts stories.txt "
      "--reward word:happy --run policy --steps 100\n\n"
      "Optimise a policy on a reward, measured at every step; taken up where it was killed.");
  verb->add_option("--method", command->method, std::string(kMethods))
      ->type_name("NAME")
      ->check(one_of(std::string(kMethods)))
      ->capture_default_str();
  command->model.declare(*verb);
  command->prompts.declare(*verb);
  command->rewards.declare(*verb);
  verb->add_option("--preferences", command->preferences,
                   "dpo: pairs, as `plumb reward` reads them")
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_option("--run", command->run_folder, "the run's folder; the model goes to FOLDER/model")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  declare_steps(*verb, *command);
  declare_divergence(*verb, *command);
  declare_method(*verb, *command);
  command->run_options.declare(*verb);
  verb->add_flag("--json", command->json, "one JSON object (docs/formats.md names its schema)")
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
