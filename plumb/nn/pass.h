// One thread's forward and backward through a transformer. All activations lie in one arena that is
// allocated once; nothing is allocated per step.
//
// A batch is ragged: its sequences stand one after another with no padding between them, so a
// sequence's result depends on nothing but the sequence.
//
//   Pass pass(model, 1024, PassKind::kTraining);
//   pass.forward({tokens, starts});
//   double nats = pass.add_cross_entropy(targets, 1.0F / count, gradient);  // or any other loss
//   pass.backward(gradient);
//
// Losses reach the network as gradients: on logits, on log-probabilities of tokens, on the scalar
// head, on the hidden states. Each add_... function adds to the gradient of the hidden states and
// of its head; backward() then carries their sum through the layers. Parameters may change between
// steps, never between a forward and its backward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "plumb/nn/transformer.h"

namespace plumb::nn {

struct Batch {
  std::span<const std::int32_t> tokens;         // [T] of all sequences; each below the vocabulary
  std::span<const std::uint32_t> starts;        // [sequences + 1], from 0 to T
  std::span<const std::int32_t> segments = {};  // [T] below the segments, or empty: all 0
};

class InferenceWeights;

enum class PassKind { kInference, kTraining };

// No target: the token takes no part in a loss.
inline constexpr std::int32_t kNoTarget = -1;

class Pass {
 public:
  // Throws std::bad_alloc. `model` must outlive the pass.
  Pass(const Transformer& model, std::size_t max_tokens, PassKind kind);
  // Of kInference, with products prepared before; `weights` must outlive the pass.
  Pass(const InferenceWeights& weights, std::size_t max_tokens);
  Pass(Pass&&) noexcept;
  ~Pass();

  std::size_t max_tokens() const;

  // REQUIRES: at least one token, at most max_tokens(); no empty sequence, none beyond the context.
  void forward(const Batch& batch);

  // [T, width], behind the last norm.
  std::span<const float> hidden() const;

  // logits: [rows, vocabulary] of these tokens of the batch. REQUIRES: language_head.
  void logits(std::span<const std::size_t> rows, std::span<float> logits);

  // scalars: [T]. REQUIRES: scalar_head.
  void scalars(std::span<float> scalars) const;

  // values[t] = log p(targets[t] | tokens up to t) in nats, 0 without a target; entropies[t], where
  // asked for, of the whole distribution. A chunk of logits at a time.
  void log_probabilities(std::span<const std::int32_t> targets, std::span<float> values,
                         std::span<float> entropies = {});

  // gradient: the layout of the transformer's parameters; added to.
  // Returns the sum of -log p(target) in nats; its gradient is multiplied by `weight`.
  double add_cross_entropy(std::span<const std::int32_t> targets, float weight,
                           std::span<float> gradient);
  // d_values: [T], the loss's gradient by log p(targets[t]).
  void add_log_probability_gradient(std::span<const std::int32_t> targets,
                                    std::span<const float> d_values, std::span<float> gradient);
  // `loss` is given some of `rows` and their logits [n, vocabulary], and leaves their gradient in
  // place of them.
  using LogitLoss = std::function<void(std::span<const std::size_t> rows, std::span<float> logits)>;
  void add_logit_gradient(std::span<const std::size_t> rows, const LogitLoss& loss,
                          std::span<float> gradient);
  void add_scalar_gradient(std::span<const float> d_scalars, std::span<float> gradient);  // [T]
  void add_hidden_gradient(std::span<const float> d_hidden);  // [T, width]

  // Adds the gradient of the sum of all losses added since forward(). Once per forward.
  void backward(std::span<float> gradient);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Floats that a pass allocates: what a caller must have to spare.
std::size_t pass_floats(const TransformerConfig& config, std::size_t max_tokens, PassKind kind);

}  // namespace plumb::nn
