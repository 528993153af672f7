#include "plumb/rlhf/policy/ppo.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "plumb/base/parallel.h"
#include "plumb/rlhf/advantages.h"

namespace plumb::rlhf {
namespace {

// The same trunk with a scalar head instead of the language head.
nn::Transformer value_network(const nn::Transformer& start) {
  nn::TransformerConfig config = start.config();
  config.language_head = false;
  config.scalar_head = true;
  nn::Transformer model(config);
  for (const nn::Parameter& to : model.layout().parameters) {
    for (const nn::Parameter& from : start.layout().parameters) {
      if (from.name != to.name || from.size != to.size) continue;
      std::ranges::copy(start.values().subspan(from.offset, from.size),
                        model.values().subspan(to.offset, to.size).begin());
    }
  }
  return model;
}

// What the policy is taught, fixed for the whole update: [B, T] each.
struct Lesson {
  std::vector<double> values, advantages, returns;
};

Lesson lesson_of(const Rollout& rollout, std::span<const double> rewards, double beta,
                 const PpoOptions& options, ValueModel& model) {
  const SequenceBatch& batch = rollout.batch;
  Lesson lesson;
  for (auto* array : {&lesson.values, &lesson.advantages, &lesson.returns}) {
    array->assign(batch.cells(), 0.0);
  }
  std::vector<double> earned(batch.cells());
  for (std::size_t part = 0; part < batch.parts(); ++part) {
    model.values(batch, part, lesson.values);
  }
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    token_rewards(rewards[i], rollout.log_ratios(i), beta, batch.row(std::span(earned), i));
  }
  if (options.whiten_rewards) whiten(earned, batch.mask().real, {.keep_mean = true});
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    const auto own = [&](std::vector<double>& array) { return batch.row(std::span(array), i); };
    generalised_advantages(own(earned), own(lesson.values), options.gamma, options.lambda,
                           own(lesson.advantages), own(lesson.returns));
  }
  return lesson;
}

// 1 - variance of (returns - values) / variance of returns, over real tokens.
Json explained(const SequenceBatch& batch, const Lesson& lesson) {
  double n = 0, mean = 0, mean_error = 0;
  const auto real = batch.mask().real;
  for (std::size_t at = 0; at < real.size(); ++at) {
    if (real[at] == 0) continue;
    ++n;
    mean += lesson.returns[at];
    mean_error += lesson.returns[at] - lesson.values[at];
  }
  mean /= n;
  mean_error /= n;
  double variance = 0, unexplained = 0;
  for (std::size_t at = 0; at < real.size(); ++at) {
    if (real[at] == 0) continue;
    const double above = lesson.returns[at] - mean;
    const double error = lesson.returns[at] - lesson.values[at] - mean_error;
    variance += above * above;
    unexplained += error * error;
  }
  return variance > 0 ? Json(1 - unexplained / variance) : Json();
}

}  // namespace

ValueModel::ValueModel(const nn::Transformer& start, const LearnerOptions& options)
    : model_(value_network(start)),
      trainer_(model_, {.adam = options.adam, .threads = options.threads}) {
  const int workers = options.threads > 0 ? options.threads : default_threads();
  const std::size_t tokens = nn::default_batch_tokens(model_.config());
  for (int i = 0; i < workers; ++i) passes_.emplace_back(model_, tokens, nn::PassKind::kInference);
}

void ValueModel::values(const SequenceBatch& batch, std::size_t part, std::span<double> values) {
  const auto cut = batch.cut(part);
  std::atomic<std::size_t> next{0};
  const auto work = [&](std::size_t begin, std::size_t end) {
    for (std::size_t worker = begin; worker < end; ++worker) {
      for (std::size_t i = next++; i < cut.size(); i = next++) {
        const PassInput input = pass_input(batch, cut[i]);
        std::vector<float> scalars(input.tokens.size());
        passes_[worker].forward(input.batch());
        passes_[worker].scalars(scalars);
        for (std::size_t r = 0; r < input.rows.size(); ++r) {
          values[input.cells[r]] = static_cast<double>(scalars[input.rows[r]]);
        }
      }
    }
  };
  parallel_for(passes_.size(), 1, static_cast<int>(passes_.size()), work);
}

double ValueModel::step(const SequenceBatch& batch, std::size_t part,
                        std::span<const double> d_values, float rate) {
  accumulate_scalars(trainer_, batch, part, d_values);
  return trainer_.step(rate);
}

Update ppo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                  const PpoOptions& options, Learner& learner, ValueModel& value_model) {
  const SequenceBatch& batch = rollout.batch;
  const std::vector<double>& old = rollout.scores.log_probs;
  const Lesson lesson = lesson_of(rollout, rewards, beta, options, value_model);

  Update update;
  update.more["explained"] = explained(batch, lesson);
  std::vector<double> log_probs = old, values = lesson.values;
  std::vector<double> gradient(batch.cells()), value_gradient(batch.cells());
  for (std::size_t step = 0; step < options.epochs * options.minibatches; ++step) {
    const std::size_t part = step % options.minibatches;
    const nn::SequenceRange range = batch.part(part);
    const TokenMask mask = batch.mask(range);
    const auto in = [&](const std::vector<double>& array) {
      return batch.rows(std::span(array), range);
    };
    std::vector<double> advantages(in(lesson.advantages).begin(), in(lesson.advantages).end());
    if (options.whiten_advantages) whiten(advantages, mask.real, {});
    if (step > 0) {
      learner.log_probs(batch, part, log_probs);
      value_model.values(batch, part, values);
    }
    const PolicyLoss loss = ppo_loss(mask, in(log_probs), in(old), advantages, options.clip,
                                     batch.rows(std::span(gradient), range));
    const PolicyLoss misjudged =
        value_loss(mask, in(values), in(lesson.values), in(lesson.returns), options.value_clip,
                   options.value_weight, batch.rows(std::span(value_gradient), range));
    if (step == 0) {
      update.loss = loss.value;
      update.more["value_loss"] = misjudged.value;
    }
    update.clipped = loss.clipped;
    update.gradient_norm = learner.step(batch, part, gradient, rate);
    const double value_norm =
        value_model.step(batch, part, value_gradient, rate * options.value_rate);
    update.more["value_gradient_norm"] = value_norm;
    if (!std::isfinite(value_norm)) update.gradient_norm = value_norm;
    if (!std::isfinite(update.gradient_norm)) break;
  }
  return update;
}

}  // namespace plumb::rlhf
