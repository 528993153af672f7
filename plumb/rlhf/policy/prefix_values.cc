#include "plumb/rlhf/policy/prefix_values.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/rlhf/policy/ppo.h"
#include "plumb/rlhf/policy_losses.h"

namespace plumb::rlhf {
namespace {

std::vector<std::size_t> order_of(std::size_t count, std::uint64_t seed, std::size_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Stream stream(seed, "prefix-values", epoch);
  shuffle(std::span(order), stream);
  return order;
}

// Values stand before each token; one more makes them stand after each. No network reads it.
Sequence with_room(const Sequence& sequence) {
  Sequence longer = sequence;
  longer.tokens.push_back(longer.tokens.back());
  return longer;
}

// The loss of some sequences, after which the model has taken a step.
double step(std::span<const Sequence> sequences, std::span<const double> scores,
            std::span<const std::size_t> chosen, float rate, ValueModel& model) {
  std::vector<Sequence> own;
  for (const std::size_t i : chosen) own.push_back(with_room(sequences[i]));
  const std::size_t room = nn::default_batch_tokens(model.model().config());
  const SequenceBatch batch(std::move(own), 1, room);
  std::vector<double> values(batch.cells()), returns(batch.cells()), gradient(batch.cells());
  model.values(batch, 0, values);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::ranges::fill(batch.row(std::span(returns), i), scores[chosen[i]]);
  }
  const PolicyLoss loss = value_loss(batch.mask(), values, values, returns,
                                     std::numeric_limits<double>::infinity(), 1, gradient);
  model.step(batch, 0, gradient, rate);
  return loss.value;
}

}  // namespace

PrefixValues learn_prefix_values(const nn::Transformer& base, std::span<const Sequence> sequences,
                                 std::span<const double> scores,
                                 const PrefixValueOptions& options) {
  ValueModel model(base, {.threads = options.threads});
  const std::size_t batches = (sequences.size() + options.batch - 1) / options.batch;
  const std::size_t steps = options.epochs * batches;
  double loss = 0;
  std::vector<std::size_t> order;
  for (std::size_t done = 0; done < steps; ++done) {
    const std::size_t epoch = done / batches, first = done % batches * options.batch;
    if (first == 0) {
      loss = 0;
      order = order_of(sequences.size(), options.seed, epoch);
    }
    const auto chosen =
        std::span(order).subspan(first, std::min(options.batch, order.size() - first));
    const float left = 1 - static_cast<float>(done) / static_cast<float>(steps);
    loss +=
        step(sequences, scores, chosen, options.rate * left, model) / static_cast<double>(batches);
    if (options.progress) options.progress(done + 1, steps);
  }
  return {copy_of(model.model()), loss};
}

double trained_tokens(std::span<const Sequence> sequences, const PrefixValueOptions& options) {
  double tokens = 0;
  for (const Sequence& sequence : sequences) tokens += static_cast<double>(sequence.completion());
  return tokens * static_cast<double>(options.epochs);
}

}  // namespace plumb::rlhf
