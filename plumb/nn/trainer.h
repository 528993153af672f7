// A training step over several threads whose bytes do not depend on their number.
//
// The work of a step is split into shards, whose number follows from the model alone. A shard runs
// in one thread with a pass and a gradient of its own; gradients are summed in the order of shards.
//
//   Trainer trainer(model, {.adam = {}, .threads = 0});
//   trainer.accumulate([&](std::size_t shard, Pass& pass, std::span<float> gradient) {
//     for (std::size_t i = shard; i < batches.size(); i += trainer.shards()) {
//       pass.forward(batches[i]);
//       nats[i] = pass.add_cross_entropy(targets[i], 1.0F / tokens, gradient);
//       pass.backward(gradient);
//     }
//   });
//   double norm = trainer.step(rate);
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "plumb/nn/optimizer.h"
#include "plumb/nn/pass.h"

namespace plumb::nn {

struct TrainerOptions {
  AdamOptions adam = {};
  std::size_t max_tokens = 0;  // of a batch that a pass takes; 0: default_batch_tokens()
  std::size_t shards = 0;      // 0: default_shards(). Changes results in the last bits
  int threads = 0;             // 0: all. Never changes a result
};

// 8 for small models, down to 2 for those whose gradients would fill the memory.
std::size_t default_shards(const Transformer& model);

// Tokens at a time that keep a pass's activations near the processor: the context at least.
std::size_t default_batch_tokens(const TransformerConfig& config);

class Trainer {
 public:
  // `model` must outlive the trainer. Throws std::bad_alloc.
  Trainer(Transformer& model, const TrainerOptions& options);

  using Body = std::function<void(std::size_t shard, Pass& pass, std::span<float> gradient)>;

  // Calls the body once for each shard, with a gradient of zeros; from several threads at once.
  void accumulate(const Body& body);

  // Clips, steps the parameters, and returns the gradient's norm before clipping. A norm that is
  // not finite changes nothing: the training has diverged.
  double step(float rate);

  std::size_t shards() const { return gradients_.size(); }
  std::size_t max_tokens() const { return passes_[0].max_tokens(); }
  Optimizer& optimizer() { return optimizer_; }

 private:
  Transformer& model_;
  int threads_;
  Optimizer optimizer_;
  std::vector<Buffer> gradients_;  // a shard each
  std::vector<Pass> passes_;       // a thread each
};

// Sequences first .. first + count - 1.
struct SequenceRange {
  std::size_t first, count;
};

// Cuts sequences of these lengths, in their order, into ranges of at most `max_tokens` tokens; a
// sequence that is longer has a range of its own.
std::vector<SequenceRange> cut_batches(std::span<const std::size_t> lengths,
                                       std::size_t max_tokens);

}  // namespace plumb::nn
