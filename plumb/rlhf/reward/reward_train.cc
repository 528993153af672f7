#include "plumb/rlhf/reward/reward_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/lm/run_folder.h"
#include "plumb/lm/run_lines.h"
#include "plumb/nn/trainer.h"
#include "plumb/rlhf/reward/reward_step.h"
#include "plumb/stats/calibration.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<std::array<double, 2>> pair_scores(const EncodedGroups& groups,
                                               std::span<const double> scores) {
  std::vector<std::array<double, 2>> pairs;
  for (const auto& [first, second] : groups.places) {
    pairs.push_back({scores[first], scores[second]});
  }
  return pairs;
}

// Texts beyond the context, a text once for each comparison that it stands in.
std::size_t truncated_in(const EncodedGroups& groups) {
  std::size_t count = 0;
  for (const auto& pair : groups.places) {
    for (const std::size_t place : pair) count += groups.texts[place].truncated ? 1 : 0;
  }
  return count;
}

class Training {
 public:
  Training(RewardModel& model, const EncodedGroups& train, const EncodedGroups& held_out,
           const RewardTrainOptions& options)
      : options_(options),
        model_(model),
        train_(train),
        held_out_(held_out),
        loss_(options.loss),
        tie_(options.loss.ties, share_of_ties(train.groups.labels), options.loss.log_tie_parameter),
        trainer_(model.transformer(), {.adam = options.adam,
                                       .max_tokens = tokens_at_once(model, train),
                                       .threads = options.threads}),
        steps_an_epoch_((train.size() + options.batch - 1) / options.batch) {
    schedule_ = options.schedule;
    schedule_.steps = steps();
    evaluate_every_ =
        options.evaluate_every > 0 ? options.evaluate_every : std::max<std::size_t>(steps() / 4, 1);
    loss_.log_tie_parameter = tie_.value();
  }

  std::size_t steps() const { return options_.epochs * steps_an_epoch_; }
  const TieParameter& tie() const { return tie_; }
  Result<void> take_up_tie(const std::string& note);
  lm::Trained trained() { return {"", model_.transformer(), trainer_.optimizer()}; }
  Json manifest(const TrainingData& data) const;

  struct Outcome {
    StepSums sums;
    double norm, rate;
    std::size_t groups, tokens;
    double loss() const { return sums.loss / static_cast<double>(groups); }
  };
  Outcome step(std::size_t number);
  // What events.jsonl says of a step. Nothing: the held-out scores are not finite.
  std::optional<Json> event(std::size_t number, const Outcome& outcome) const;

 private:
  static std::size_t tokens_at_once(const RewardModel& model, const EncodedGroups& groups) {
    return std::max(nn::default_batch_tokens(model.transformer().config()), groups.longest);
  }
  std::vector<std::size_t> batch_of(std::size_t number);
  StepSums shard(std::span<const std::size_t> own, std::size_t batch, nn::Pass& pass,
                 std::span<float> gradient) const;
  std::optional<Json> held_out_json() const;

  const RewardTrainOptions& options_;
  RewardModel& model_;
  const EncodedGroups &train_, &held_out_;
  RewardLossOptions loss_;
  TieParameter tie_;
  nn::Trainer trainer_;
  nn::RateSchedule schedule_;
  std::size_t steps_an_epoch_, evaluate_every_ = 1;
  std::vector<std::size_t> order_;
  std::optional<std::size_t> order_epoch_;
};

Result<void> Training::take_up_tie(const std::string& note) {
  if (auto read = tie_.read(note); !read) return read;
  loss_.log_tie_parameter = tie_.value();
  return {};
}

Json Training::manifest(const TrainingData& data) const {
  return {{"schema", "plumb.reward-run/1"},
          {"data_sha256", data.hashes.all},
          {"random_labels", options_.data.random_labels},
          {"held_out_share", options_.data.held_out},
          {"split_seed", options_.data.split_seed},
          {"comparisons", data.train.comparisons.size()},
          {"held_out", data.held_out.comparisons.size()},
          {"start_sha256", lm::weights_hash(model_.transformer())},
          {"config", nn::config_json(model_.transformer().config())},
          {"seed", options_.seed},
          {"epochs", options_.epochs},
          {"steps", steps()},
          {"batch", options_.batch},
          {"evaluate_every", evaluate_every_},
          {"loss", loss_json(options_.loss, options_.learnt)},
          {"shards", trainer_.shards()},
          {"kernels", nn::kernels().name},
          {"schedule", nn::schedule_name(schedule_.kind)},
          {"rate", schedule_.rate},
          {"final_share", schedule_.final_share},
          {"warmup", schedule_.warmup},
          {"beta1", options_.adam.beta1},
          {"beta2", options_.adam.beta2},
          {"decay", options_.adam.decay},
          {"clip", options_.adam.clip}};
}

std::vector<std::size_t> Training::batch_of(std::size_t number) {
  const std::size_t epoch = number / steps_an_epoch_;
  if (order_epoch_ != epoch) {
    order_.resize(train_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    Stream stream(options_.seed, "reward-order", epoch);
    shuffle(std::span(order_), stream);
    order_epoch_ = epoch;
  }
  const std::size_t first = number % steps_an_epoch_ * options_.batch;
  const auto some = std::span(order_).subspan(first);
  const auto own = some.first(std::min(options_.batch, some.size()));
  return {own.begin(), own.end()};
}

// The groups of a shard, as many in one forward as the pass takes.
StepSums Training::shard(std::span<const std::size_t> own, std::size_t batch, nn::Pass& pass,
                         std::span<float> gradient) const {
  StepSums sums;
  std::vector<std::size_t> lengths;
  for (const std::size_t i : own) lengths.push_back(train_.tokens_of(i));
  for (const nn::SequenceRange range : nn::cut_batches(lengths, pass.max_tokens())) {
    std::vector<EncodedText> texts;
    TextGroups groups;
    for (const std::size_t i : own.subspan(range.first, range.count)) {
      const auto some = train_.of(i);
      texts.insert(texts.end(), some.begin(), some.end());
      groups.starts.push_back(texts.size());
      if (!train_.groups.labels.empty()) groups.labels.push_back(train_.groups.labels[i]);
    }
    sums += add_group_gradient(pass, model_.transformer(), texts, groups.view(), loss_, batch,
                               gradient);
  }
  return sums;
}

Training::Outcome Training::step(std::size_t number) {
  const std::vector<std::size_t> batch = batch_of(number);
  const std::size_t shards = trainer_.shards();
  std::vector<StepSums> parts(shards);
  trainer_.accumulate([&](std::size_t s, nn::Pass& pass, std::span<float> gradient) {
    const std::size_t begin = s * batch.size() / shards, end = (s + 1) * batch.size() / shards;
    parts[s] = shard(std::span(batch).subspan(begin, end - begin), batch.size(), pass, gradient);
  });
  const float rate = schedule_.at(number);
  Outcome outcome{{}, trainer_.step(rate), static_cast<double>(rate), batch.size(), 0};
  for (const StepSums& part : parts) outcome.sums += part;
  for (const std::size_t i : batch) outcome.tokens += train_.tokens_of(i);
  if (std::isfinite(outcome.norm) && std::isfinite(outcome.sums.tie_slope)) {
    tie_.step(outcome.sums.tie_slope / static_cast<double>(batch.size()),
              static_cast<double>(rate / schedule_.rate), number + 1);
    loss_.log_tie_parameter = tie_.value();
  }
  return outcome;
}

std::optional<Json> Training::held_out_json() const {
  const auto scores = scalars_of(model_.transformer(), held_out_.texts, options_.threads);
  const auto finite = [](double score) { return std::isfinite(score); };
  if (!std::ranges::all_of(scores, finite)) return std::nullopt;
  std::vector<double> slopes(scores.size());
  const RewardLoss loss = group_loss(scores, held_out_.groups.view(), loss_, slopes);
  const RightVotes votes = right_votes(scores, held_out_.groups.view());
  return Json{{"n", votes.decided},
              {"loss", loss.value},
              {"accuracy", votes.decided > 0 ? Json(votes.right / votes.decided) : Json()}};
}

std::optional<Json> Training::event(std::size_t number, const Outcome& outcome) const {
  const RightVotes& votes = outcome.sums.votes;
  Json event = {{"step", number + 1},
                {"loss", outcome.loss()},
                {"accuracy", votes.decided > 0 ? Json(votes.right / votes.decided) : Json()},
                {"gradient_norm", outcome.norm},
                {"rate", outcome.rate}};
  if (loss_.ties != TieHandling::kHalfWins) event["tie_parameter"] = tie_.value();
  const bool measured = (number + 1) % evaluate_every_ == 0 || number + 1 == steps();
  if (!measured || held_out_.size() == 0) return event;
  const std::optional<Json> held_out = held_out_json();
  if (!held_out) return std::nullopt;
  event["held_out"] = *held_out;
  return event;
}

// The numbers of an event that a report needs, from events of earlier processes too.
struct Curve {
  std::vector<double> losses, accuracies;

  void add(const Json& event) {
    const Json loss = event.value("loss", Json()), accuracy = event.value("accuracy", Json());
    if (loss.is_number()) losses.push_back(loss);
    if (accuracy.is_number()) accuracies.push_back(accuracy);
  }
  static std::span<const double> tenth(std::span<const double> values, bool last) {
    const std::size_t count = values.empty() ? 0 : std::max<std::size_t>(values.size() / 10, 1);
    return last ? values.last(count) : values.first(count);
  }
};

tl::unexpected<Error> diverged(const fs::path& run, std::size_t step) {
  return bad(
      fmt::format("{}: the loss, the gradient or a score of step {} is not finite: the training "
                  "diverged; the last state stays, begin anew with a lower --rate",
                  run.string(), step + 1));
}

Result<void> run_steps(Training& training, const RewardTrainOptions& options, std::size_t first,
                       Curve& curve, RewardTrainReport& report,
                       const std::function<void(const lm::TrainStatus&)>& watch) {
  lm::LineFile events(options.run / "events.jsonl");
  const auto began = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  const std::size_t steps = training.steps();
  const std::size_t last = options.stop_after > 0 ? std::min(options.stop_after, steps) : steps;
  const lm::Trained trained[] = {training.trained()};
  std::size_t tokens = 0;
  for (report.steps = first; report.steps < last;) {
    const auto outcome = training.step(report.steps);
    const auto event = training.event(report.steps, outcome);
    if (!std::isfinite(outcome.norm) || !std::isfinite(outcome.loss()) || !event) {
      return diverged(options.run, report.steps);
    }
    if (auto added = events.add(lm::json_line(*event)); !added) return added;
    curve.add(*event);
    tokens += outcome.tokens;
    ++report.steps;
    if (watch) {
      watch({report.steps, steps, outcome.loss(), static_cast<double>(tokens) / seconds()});
    }
    if (report.steps % options.save_every != 0 && report.steps != steps) continue;
    const auto saved =
        lm::save_state(options.run, trained, report.steps, {{"tie", training.tie().text()}});
    if (!saved) return saved;
  }
  report.seconds = seconds();
  return {};
}

// Takes up what is in the folder: the step, the tie parameter, the events before it.
Result<std::size_t> take_up(Training& training, const RewardTrainOptions& options, Curve& curve) {
  const lm::Trained trained[] = {training.trained()};
  PLUMB_TRY(first, lm::load_state(options.run, trained, training.steps()));
  PLUMB_TRY(notes, lm::load_notes(options.run));
  if (const auto tie = notes.find("tie"); tie != notes.end()) {
    if (auto read = training.take_up_tie(tie->second); !read) {
      return bad(fmt::format("{}: {}", (options.run / "state.safetensors").string(),
                             read.error().message));
    }
  }
  PLUMB_TRY(events, lm::keep_events(options.run, first));
  for (const Json& event : events) curve.add(event);
  return first;
}

// The held-out comparisons give the scale and the temperature; without any, those of the training.
Result<void> finish(RewardModel& model, const TrainingData& data, const EncodedGroups& measured,
                    const Json& manifest, const fs::path& tokenizer_files,
                    const RewardTrainOptions& options, RewardTrainReport& report) {
  const auto scores = scalars_of(model.transformer(), measured.texts, options.threads);
  PLUMB_TRY(evaluation,
            put_on_scale(model, data, pair_scores(measured, scores), options.evaluation));
  report.evaluation = std::move(evaluation);
  RewardCard& card = model.card();
  card.training = {{"base", model.name()}};
  for (const char* field : {"start_sha256", "data_sha256", "random_labels", "comparisons",
                            "held_out", "held_out_share", "split_seed", "seed", "epochs", "loss"}) {
    card.training[field] = manifest[field];
  }
  card.trained_prompts = prompt_marks(data.train);
  report.model = options.run / "model";
  report.finished = true;
  return save_reward_model(report.model, model, tokenizer_files);
}

Result<EncodedGroups> encoded(const PreferenceData& data, Learnt learnt, const RewardModel& model) {
  PLUMB_TRY(compared, compared_texts(data, learnt));
  return encode_groups(compared, model);
}

}  // namespace

Result<RewardTrainReport> train_reward(const lm::ModelFiles& base, const PreferenceData& data,
                                       const RewardTrainOptions& options,
                                       const std::function<void(const lm::TrainStatus&)>& watch) {
  PLUMB_TRY(parts, training_data(data, options.data));
  PLUMB_TRY(model, reward_model_from(base, options.seed));
  PLUMB_TRY(train, encoded(parts.train, options.learnt, *model));
  PLUMB_TRY(held_out, encoded(parts.held_out, options.learnt, *model));
  RewardTrainReport report;
  report.parameters = model->transformer().layout().size;
  report.comparisons = parts.train.comparisons.size();
  report.unlabelled = parts.unlabelled;
  report.truncated = train.truncated + held_out.truncated;
  report.held_out_truncated = truncated_in(held_out);
  report.tokens = train.tokens;

  Training training(*model, train, held_out, options);
  const Json manifest = training.manifest(parts);
  if (auto opened = lm::open_run(options.run, manifest); !opened) {
    return tl::unexpected(opened.error());
  }
  Curve curve;
  PLUMB_TRY(first, take_up(training, options, curve));
  report.resumed_from = first;
  if (auto done = run_steps(training, options, first, curve, report, watch); !done) {
    return tl::unexpected(done.error());
  }
  report.first_loss = mean_of(Curve::tenth(curve.losses, false));
  report.last_loss = mean_of(Curve::tenth(curve.losses, true));
  report.train_accuracy = mean_of(Curve::tenth(curve.accuracies, true));
  if (options.loss.ties != TieHandling::kHalfWins) {
    report.tie_parameter = training.tie().value();
    model->card().ties = options.loss.ties;
    model->card().log_tie_parameter = training.tie().value();
  }
  if (report.steps == training.steps()) {
    const EncodedGroups& measured = held_out.size() > 0 ? held_out : train;
    const auto done =
        finish(*model, parts, measured, manifest, lm::tokenizer_path(base), options, report);
    if (!done) return tl::unexpected(done.error());
  }
  report.held_out = std::move(parts.held_out);
  return report;
}

}  // namespace plumb::rlhf
