// Prompts with their completions as tokens, and how they go through networks: in ragged batches
// whose cut is made once, so that one sequence under the same weights gets the same bits each time.
//
// Arrays of tokens are [B, T], as losses take them (policy_losses.h): B completions, T the tokens
// of the longest.
//
//   const SequenceBatch batch(std::move(sequences), 1, scorer.max_tokens());
//   TokenScores scores = scorer.against_reference(batch);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plumb/nn/pass.h"
#include "plumb/nn/trainer.h"
#include "plumb/rlhf/policy_losses.h"
#include "plumb/text/tokenizer.h"

namespace plumb::rlhf {

struct Sequence {
  std::vector<TokenId> tokens;  // of the prompt, then of the completion
  std::size_t prompt = 0;       // tokens of the prompt, at least 1

  std::size_t completion() const { return tokens.size() - prompt; }
  bool operator==(const Sequence&) const = default;
};

class SequenceBatch {
 public:
  SequenceBatch() = default;
  // In `parts` of equal size, each with batches of its own of at most max_tokens. REQUIRES:
  // completions of at least one token; 1 <= parts.
  SequenceBatch(std::vector<Sequence> sequences, std::size_t parts, std::size_t max_tokens);

  std::size_t size() const { return sequences_.size(); }             // B
  std::size_t tokens() const { return tokens_; }                     // T
  std::size_t cells() const { return sequences_.size() * tokens_; }  // B T
  std::span<const Sequence> sequences() const { return sequences_; }
  std::size_t parts() const { return cut_.size(); }

  // Sequences of a part, and the batches in which they go through a network.
  nn::SequenceRange part(std::size_t part) const;
  std::span<const nn::SequenceRange> cut(std::size_t part) const { return cut_[part]; }

  TokenMask mask() const { return {size(), tokens_, real_}; }
  TokenMask mask(nn::SequenceRange range) const;
  // The rows of an array [B, T] that belong to these sequences.
  template <typename T>
  std::span<T> rows(std::span<T> array, nn::SequenceRange range) const {
    return array.subspan(range.first * tokens_, range.count * tokens_);
  }
  // The real tokens of one completion.
  template <typename T>
  std::span<T> row(std::span<T> array, std::size_t sequence) const {
    return array.subspan(sequence * tokens_, sequences_[sequence].completion());
  }

 private:
  std::vector<Sequence> sequences_;
  std::vector<std::uint8_t> real_;
  std::size_t tokens_ = 0;
  std::vector<std::vector<nn::SequenceRange>> cut_;
};

// One batch as a pass takes it: all tokens but the last of each sequence, which nothing follows.
struct PassInput {
  std::vector<std::int32_t> tokens;
  std::vector<std::uint32_t> starts;
  std::vector<std::size_t> rows;      // the tokens whose logits predict one of a completion
  std::vector<std::int32_t> targets;  // [rows] that token
  std::vector<std::size_t> cells;     // [rows] its place in [B, T]

  nn::Batch batch() const { return {tokens, starts}; }
};
PassInput pass_input(const SequenceBatch& batch, nn::SequenceRange range);

// Of each token that was drawn, [B, T]; 0 where there is none.
struct TokenScores {
  std::vector<double> log_probs, reference;  // under the policy and the reference
  std::vector<double> kl, entropy;           // of the whole distribution at this step (kl.h)
};

// Forward passes of a policy, and of its reference beside it. Results depend on the weights and the
// batch alone: on the first update, the log-probabilities of before and of now are the same bits.
class Scorer {
 public:
  // Both must outlive the scorer and have one vocabulary. Throws std::bad_alloc.
  Scorer(const nn::Transformer& policy, const nn::Transformer& reference, int threads);

  std::size_t max_tokens() const { return policy_[0].max_tokens(); }

  TokenScores against_reference(const SequenceBatch& batch);

  // Under the policy alone, of one part; the rest of `log_probs` stays as it is.
  void log_probs(const SequenceBatch& batch, std::size_t part, std::span<double> log_probs);

 private:
  using Body = std::function<void(std::size_t worker, const PassInput& input)>;
  void each_input(const SequenceBatch& batch, std::span<const nn::SequenceRange> cut,
                  const Body& body);

  std::size_t vocabulary_;
  std::vector<nn::Pass> policy_, reference_;  // a worker each
};

// Adds the gradient of a loss whose derivative by the log-probabilities is d_log_probs [B, T], of
// one part, to the trainer's shards. Call trainer.step() next.
void accumulate(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                std::span<const double> d_log_probs);

// The same of a model with a scalar head, whose number stands before each token: [B, T].
void accumulate_scalars(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                        std::span<const double> d_scalars);

// A network of the same weights.
nn::Transformer copy_of(const nn::Transformer& model);

}  // namespace plumb::rlhf
