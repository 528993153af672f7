#include "plumb/rlhf/policy/policy_run.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/lm/run_folder.h"
#include "plumb/lm/run_lines.h"
#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/rlhf/kl_controller.h"

namespace plumb::rlhf {
namespace {

using Clock = std::chrono::steady_clock;

Json method_options(const PolicyInputs& inputs, const PolicyOptions& o) {
  switch (o.method) {
    case Method::kRloo:
      return {{"clip", o.rloo.clip}, {"epochs", o.rloo.epochs}};
    case Method::kGrpo:
      return {{"clip_low", o.grpo.clip_low},
              {"clip_high", o.grpo.clip_high},
              {"epochs", o.grpo.epochs},
              {"token_mean", static_cast<int>(o.grpo.mean)},
              {"divide_by_deviation", o.grpo.normalisation.divide}};
    case Method::kPpo:
      return {{"clip", o.ppo.clip},
              {"value_clip", o.ppo.value_clip},
              {"value_weight", o.ppo.value_weight},
              {"value_rate", o.ppo.value_rate},
              {"gamma", o.ppo.gamma},
              {"lambda", o.ppo.lambda},
              {"whiten_rewards", o.ppo.whiten_rewards},
              {"whiten_advantages", o.ppo.whiten_advantages},
              {"epochs", o.ppo.epochs},
              {"minibatches", o.ppo.minibatches}};
    case Method::kDpo:
      break;
  }
  return {{"dpo_loss", static_cast<int>(o.dpo.kind)}, {"dpo_beta", o.dpo.beta},
          {"dpo_flip_rate", o.dpo.flip_rate},         {"pairs", o.pairs},
          {"data_pairs", inputs.pairs.size()},        {"data_pairs_sha256", inputs.pairs_sha256}};
}

// Steps of the optimiser in one update.
std::size_t optimizer_steps(const PolicyOptions& o) {
  switch (o.method) {
    case Method::kRloo:
      return o.rloo.epochs;
    case Method::kGrpo:
      return o.grpo.epochs;
    case Method::kPpo:
      return o.ppo.epochs * o.ppo.minibatches;
    case Method::kDpo:
      break;
  }
  return 1;
}

void drop_paths(Json& json) {
  if (json.is_object()) json.erase("model");
  for (Json& part : json) {
    if (part.is_structured()) drop_paths(part);
  }
}

// A run may be moved with its reward models: where they lie is no part of what they are.
Json identity_of(const Reward* reward) {
  if (reward == nullptr) return {};
  Json identity = reward->provenance();
  drop_paths(identity);
  return identity;
}

Json manifest_of(const PolicyInputs& inputs, const PolicyOptions& o, std::size_t shards) {
  Json manifest = {{"schema", "plumb.policy-run/1"},
                   {"method", method_name(o.method)},
                   {"start", lm::provenance(inputs.start)["weights_sha256"]},
                   {"config", nn::config_json(inputs.start.transformer.config())},
                   {"proxy", identity_of(inputs.proxy)},
                   {"gold", identity_of(inputs.gold)},
                   {"training_prompts", inputs.training.size()},
                   {"training_prompts_sha256", prompts_hash(inputs.training)},
                   {"held_out_prompts", inputs.held_out.size()},
                   {"held_out_prompts_sha256", prompts_hash(inputs.held_out)},
                   {"seed", o.seed},
                   {"steps", o.steps},
                   {"prompts", o.prompts},
                   {"group", o.group},
                   {"max_tokens", o.max_tokens},
                   {"schedule", nn::schedule_name(o.schedule.kind)},
                   {"rate", o.schedule.rate},
                   {"final_share", o.schedule.final_share},
                   {"warmup", o.schedule.warmup},
                   {"beta1", o.adam.beta1},
                   {"beta2", o.adam.beta2},
                   {"epsilon", o.adam.epsilon},
                   {"decay", o.adam.decay},
                   {"clip_norm", o.adam.clip},
                   {"beta", o.beta},
                   {"kl_target", o.kl_target ? Json(*o.kl_target) : Json()},
                   {"kl_horizon", o.kl_horizon},
                   {"kl_budget", o.kl_budget},
                   {"missing_end_penalty", o.missing_end_penalty},
                   {"evaluate_every", o.evaluate_every},
                   {"evaluation_group", o.evaluation_group},
                   {"shards", shards},
                   {"kernels", nn::kernels().name}};
  manifest.update(method_options(inputs, o));
  if (inputs.mix != nullptr) manifest.update(mix_json(*inputs.mix));
  if (o.keep_checkpoints) manifest["keep_checkpoints"] = true;
  return manifest;
}

// Where a run stands between two updates.
struct Standing {
  std::optional<Rollout> rollout;  // what the next update learns from
  Meters meters;                   // of it, or of the last checkpoint
  bool evaluated = false;
  RunEnd end = RunEnd::kUnfinished;
};

class PolicyRun {
 public:
  PolicyRun(const PolicyInputs& inputs, const PolicyOptions& options,
            const std::function<void(const PolicyStatus&)>& watch)
      : inputs_(inputs),
        o_(options),
        watch_(watch),
        learner_(inputs.start,
                 {.adam = options.adam, .threads = options.threads, .mix = inputs.mix}),
        penalty_{.beta = options.beta,
                 .target_nats = options.kl_target.value_or(1),
                 .horizon = options.kl_horizon} {
    if (o_.method != Method::kPpo) return;
    values_.emplace(inputs.start.transformer,
                    LearnerOptions{.adam = options.adam, .threads = options.threads});
  }

  Result<PolicyReport> run();

 private:
  std::vector<lm::Trained> trained();
  Result<std::size_t> resume();
  Result<Rollout> drawn(std::span<const Prompt* const> prompts, const Drawing& how);
  Result<Rollout> draw_step(std::size_t step);
  Result<Meters> evaluate(std::size_t step);
  Result<void> look(std::size_t step, Standing& now);
  Result<void> checkpoint(std::size_t step, std::size_t first, const Standing& now);
  Update learn(std::size_t step, const Rollout* rollout, float rate);
  Result<void> update(std::size_t step, const Standing& now);
  Result<void> save_model(const std::filesystem::path& folder);
  void show(std::size_t step, const Meters& meters);
  void follow_target(double kl, double completions) {
    if (o_.kl_target) penalty_.update(kl, completions);
  }
  bool on_policy() const { return o_.method != Method::kDpo; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }
  std::string keep_last_good();
  tl::unexpected<Error> broken(std::size_t step, std::string_view what);

  const PolicyInputs& inputs_;
  const PolicyOptions& o_;
  const std::function<void(const PolicyStatus&)>& watch_;
  Learner learner_;
  std::optional<ValueModel> values_;
  AdaptiveKl penalty_;
  std::optional<lm::LineFile> events_, evaluations_, samples_;
  PolicyReport report_;
  std::size_t tokens_ = 0;  // learnt from by this process
  Clock::time_point began_ = Clock::now();
};

// The last state, which is a good one, as a model that can be sampled; in words what became of it.
std::string PolicyRun::keep_last_good() {
  const auto step = lm::load_state(o_.run, trained(), o_.steps);
  if (!step) return step.error().message;
  if (*step == 0) return "no state was saved, the last good policy is the model that it began from";
  const std::filesystem::path folder = o_.run / "last-good";
  if (auto saved = save_model(folder); !saved) return saved.error().message;
  return fmt::format("the policy of step {}, the last that was saved and good, is {}", *step,
                     folder.string());
}

tl::unexpected<Error> PolicyRun::broken(std::size_t step, std::string_view what) {
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: {} at step {}: the training diverged; {}; begin anew with a lower "
                          "--rate or a higher --beta",
                          o_.run.string(), what, step, keep_last_good()));
}

std::vector<lm::Trained> PolicyRun::trained() {
  std::vector<lm::Trained> all;
  all.emplace_back(lm::Trained{"", learner_.policy(), learner_.trainer().optimizer()});
  if (values_) {
    all.emplace_back(lm::Trained{"value", values_->model(), values_->trainer().optimizer()});
  }
  return all;
}

// What the last state left: the step it stands at, and the events and samples before it.
Result<std::size_t> PolicyRun::resume() {
  const Json manifest = manifest_of(inputs_, o_, learner_.trainer().shards());
  if (auto opened = lm::open_run(o_.run, manifest); !opened) return tl::unexpected(opened.error());
  PLUMB_TRY(step, lm::load_state(o_.run, trained(), o_.steps));
  for (const lm::Trained& one : trained()) one.optimizer.steps() = step * optimizer_steps(o_);
  learner_.weights_changed();
  PLUMB_TRY(events, lm::keep_events(o_.run, step));
  for (const Json& event : events) {
    if (event.contains("kl")) follow_target(event["kl"], event["completions"]);
  }
  PLUMB_TRY(evaluations, lm::keep_lines_before(o_.run / "evaluations.jsonl", step));
  if (auto kept = lm::keep_lines_before(o_.run / "samples.jsonl", step); !kept) {
    return tl::unexpected(kept.error());
  }
  report_.evaluations = std::move(evaluations);
  events_.emplace(o_.run / "events.jsonl");
  evaluations_.emplace(o_.run / "evaluations.jsonl");
  samples_.emplace(o_.run / "samples.jsonl");
  return step;
}

Result<Rollout> PolicyRun::drawn(std::span<const Prompt* const> prompts, const Drawing& how) {
  Drawing whole = how;
  whole.max_tokens = o_.max_tokens;
  whole.temperature = o_.temperature;
  whole.threads = o_.threads;
  PLUMB_TRY(rollout, learner_.draw(prompts, whole));
  auto rewarded = reward_rollout(rollout, inputs_.proxy, inputs_.gold, o_.threads);
  if (!rewarded) return tl::unexpected(rewarded.error());
  return std::move(rollout);
}

Result<Rollout> PolicyRun::draw_step(std::size_t step) {
  std::vector<const Prompt*> prompts;
  for (const std::size_t p : prompts_of_step(inputs_.training.size(), o_.prompts, step, o_.seed)) {
    prompts.push_back(&inputs_.training[p]);
  }
  return drawn(prompts, {.group = o_.group,
                         .seed = o_.seed,
                         .first_index = step * o_.prompts * o_.group,
                         .parts = o_.method == Method::kPpo ? o_.ppo.minibatches : 1});
}

Result<Meters> PolicyRun::evaluate(std::size_t step) {
  PLUMB_TRY(rollout,
            drawn(pointers(inputs_.held_out),
                  {.group = o_.evaluation_group, .seed = Stream(o_.seed, "evaluation", 0).next()}));
  Meters meters = measure(rollout);
  if (!std::isfinite(meters.value("kl"))) return broken(step, "the KL divergence is no number");
  std::string lines;
  for (const Sample& sample : samples_of(rollout, step)) {
    lines += lm::json_line(sample_json(sample));
  }
  if (auto added = samples_->add(lines); !added) return tl::unexpected(added.error());
  Json line = {{"step", step}};
  line.update(meters_json(meters));
  if (auto added = evaluations_->add(lm::json_line(line)); !added)
    return tl::unexpected(added.error());
  report_.evaluations.push_back(std::move(line));
  return meters;
}

// Draws what the next update learns from, measures it, and evaluates where that is due.
Result<void> PolicyRun::look(std::size_t step, Standing& now) {
  now.evaluated = false;
  now.rollout.reset();
  if (step == o_.steps) {
    now.end = RunEnd::kSteps;
  } else if (on_policy()) {
    PLUMB_TRY(rollout, draw_step(step));
    now.rollout = std::move(rollout);
    now.meters = measure(*now.rollout);
    const KlState state = check_budget(now.meters.value("kl"), o_.kl_budget);
    if (state == KlState::kBroken) return broken(step, "the KL divergence is no number");
    if (state == KlState::kSpent) now.end = RunEnd::kBudget;
  }
  if (now.end == RunEnd::kUnfinished && step % o_.evaluate_every != 0) return {};
  PLUMB_TRY(meters, evaluate(step));
  now.evaluated = true;
  if (o_.keep_checkpoints) {
    const auto kept = save_model(o_.run / "checkpoints" / std::to_string(step));
    if (!kept) return kept;
  }
  const bool spent = check_budget(meters.value("kl"), o_.kl_budget) == KlState::kSpent;
  if (!on_policy() && now.end == RunEnd::kUnfinished && spent) now.end = RunEnd::kBudget;
  if (!now.rollout) now.meters = std::move(meters);
  return {};
}

// Saves where that is due and completions of these weights had a finite divergence.
Result<void> PolicyRun::checkpoint(std::size_t step, std::size_t first, const Standing& now) {
  const bool due = now.rollout ? step % o_.save_every == 0 : now.evaluated;
  if (now.end == RunEnd::kUnfinished && (!due || step == first)) return {};
  return lm::save_state(o_.run, trained(), step);
}

Update PolicyRun::learn(std::size_t step, const Rollout* rollout, float rate) {
  if (rollout == nullptr) {
    std::vector<const PreferencePair*> pairs;
    for (const std::size_t p : prompts_of_step(inputs_.pairs.size(), o_.pairs, step, o_.seed)) {
      pairs.push_back(&inputs_.pairs[p]);
      tokens_ += pairs.back()->chosen.completion() + pairs.back()->rejected.completion();
    }
    return dpo_update(pairs, rate, o_.dpo, learner_);
  }
  tokens_ += rollout->batch.mask().total();
  std::vector<double> rewards = rollout->proxy;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (rollout->ended[i] == 0) rewards[i] -= o_.missing_end_penalty;
  }
  switch (o_.method) {
    case Method::kRloo:
      return rloo_update(*rollout, rewards, penalty_.beta, rate, o_.rloo, learner_);
    case Method::kGrpo:
      return grpo_update(*rollout, rewards, penalty_.beta, rate, o_.grpo, learner_);
    default:
      return ppo_update(*rollout, rewards, penalty_.beta, rate, o_.ppo, learner_, *values_);
  }
}

Result<void> PolicyRun::update(std::size_t step, const Standing& now) {
  const float rate = o_.schedule.at(step);
  const double beta = penalty_.beta;
  const Update done = learn(step, now.rollout ? &*now.rollout : nullptr, rate);
  if (!std::isfinite(done.gradient_norm)) return broken(step + 1, "the gradient is not finite");
  Json event = {{"step", step + 1}};
  if (now.rollout) {
    event.update(meters_json(now.meters));
    event["beta"] = beta;
    follow_target(now.meters.value("kl"), static_cast<double>(now.meters.completions));
  }
  event.update({{"rate", rate},
                {"loss", done.loss},
                {"clipped", done.clipped},
                {"gradient_norm", done.gradient_norm}});
  event.update(done.more);
  return events_->add(lm::json_line(event));
}

void PolicyRun::show(std::size_t step, const Meters& meters) {
  if (!watch_) return;
  watch_({step, o_.steps, meters, static_cast<double>(tokens_) / seconds(), seconds()});
}

Result<void> PolicyRun::save_model(const std::filesystem::path& folder) {
  if (auto saved = nn::save_transformer(folder, learner_.policy()); !saved) return saved;
  return lm::copy_tokenizer(inputs_.tokenizer, folder);
}

Result<PolicyReport> PolicyRun::run() {
  PLUMB_TRY(first, resume());
  PLUMB_TRY(sound, self_test(inputs_.start, inputs_.training,
                             {.max_tokens = o_.max_tokens,
                              .seed = o_.seed,
                              .temperature = o_.temperature,
                              .threads = o_.threads}));
  report_.self_test = sound;
  report_.resumed_from = first;
  began_ = Clock::now();
  Standing now;
  for (std::size_t step = first;; ++step) {
    report_.steps = step;
    if (o_.stop_after > 0 && step >= o_.stop_after) break;
    if (auto looked = look(step, now); !looked) return tl::unexpected(looked.error());
    if (auto saved = checkpoint(step, first, now); !saved) return tl::unexpected(saved.error());
    report_.end = now.end;
    if (now.end != RunEnd::kUnfinished) break;
    if (auto updated = update(step, now); !updated) return tl::unexpected(updated.error());
    show(step + 1, now.meters);
  }
  report_.seconds = seconds();
  if (report_.end != RunEnd::kUnfinished) {
    report_.model = o_.run / "model";
    if (auto saved = save_model(report_.model); !saved) return tl::unexpected(saved.error());
  }
  return std::move(report_);
}

Result<void> check_inputs(const PolicyInputs& inputs, const PolicyOptions& o) {
  const auto refused = [](const char* why) { return fail(ErrorKind::kUsage, why); };
  if (inputs.held_out.empty() || inputs.training.empty()) {
    return fail(ErrorKind::kBadInput,
                "a policy needs prompts to learn from and others, held out, to be measured on");
  }
  if (o.method == Method::kDpo) {
    if (inputs.pairs.empty()) return refused("dpo learns from preferences, and there are none");
    if (o.kl_target) return refused("a KL target moves beta of a reward; dpo has none");
    return {};
  }
  if (inputs.proxy == nullptr) return refused("a reward is needed to learn from");
  if (o.method != Method::kPpo && o.group < 2) {
    return fail(ErrorKind::kUsage,
                fmt::format("{} compares the completions of a prompt: at least 2 are needed",
                            method_name(o.method)));
  }
  return {};
}

}  // namespace

std::string_view method_name(Method method) {
  constexpr std::string_view kNames[] = {"rloo", "grpo", "ppo", "dpo"};
  return kNames[static_cast<std::size_t>(method)];
}

Result<PolicyReport> train_policy(const PolicyInputs& inputs, const PolicyOptions& options,
                                  const std::function<void(const PolicyStatus&)>& watch) {
  if (auto sound = check_inputs(inputs, options); !sound) return tl::unexpected(sound.error());
  return PolicyRun(inputs, options, watch).run();
}

}  // namespace plumb::rlhf
