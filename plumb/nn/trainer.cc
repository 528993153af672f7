#include "plumb/nn/trainer.h"

#include <algorithm>
#include <atomic>

#include "plumb/base/parallel.h"

namespace plumb::nn {

std::size_t default_shards(const Transformer& model) {
  constexpr std::size_t kFloats = std::size_t{1} << 25;  // of all shards: 128 MB
  return std::clamp<std::size_t>(kFloats / model.layout().size, 2, 8);
}

std::size_t default_batch_tokens(const TransformerConfig& config) {
  constexpr std::size_t kLeast = 256, kMost = 1024;
  return std::max(config.context, std::clamp<std::size_t>(4 * config.width, kLeast, kMost));
}

Trainer::Trainer(Transformer& model, const TrainerOptions& options)
    : model_(model), threads_(options.threads), optimizer_(model, options.adam) {
  const std::size_t shards = options.shards > 0 ? options.shards : default_shards(model);
  for (std::size_t i = 0; i < shards; ++i) gradients_.emplace_back(model.layout().size);
  const std::size_t tokens =
      options.max_tokens > 0 ? options.max_tokens : default_batch_tokens(model.config());
  const int wanted = threads_ > 0 ? threads_ : default_threads();
  const std::size_t workers = std::min(shards, static_cast<std::size_t>(wanted));
  for (std::size_t i = 0; i < workers; ++i)
    passes_.emplace_back(model, tokens, PassKind::kTraining);
}

void Trainer::accumulate(const Body& body) {
  // A worker takes shards until none is left, with its own pass.
  std::atomic<std::size_t> next{0};
  parallel_for(passes_.size(), 1, static_cast<int>(passes_.size()),
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t worker = begin; worker < end; ++worker) {
                   for (std::size_t i = next++; i < gradients_.size(); i = next++) {
                     std::ranges::fill(gradients_[i].span(), 0.0F);
                     body(i, passes_[worker], gradients_[i].span());
                   }
                 }
               });
}

double Trainer::step(float rate) { return optimizer_.step(model_, gradients_, rate, threads_); }

std::vector<SequenceRange> cut_batches(std::span<const std::size_t> lengths,
                                       std::size_t max_tokens) {
  std::vector<SequenceRange> ranges;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (ranges.empty() || tokens + lengths[i] > max_tokens) {
      ranges.push_back({i, 0});
      tokens = 0;
    }
    ++ranges.back().count;
    tokens += lengths[i];
  }
  return ranges;
}

}  // namespace plumb::nn
