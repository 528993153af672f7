#include "plumb/rlhf/policy/sequences.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>

#include "plumb/base/parallel.h"
#include "plumb/rlhf/kl.h"

namespace plumb::rlhf {
namespace {

constexpr std::size_t kRowsAtOnce = 64;  // of logits

// d_cells [B, T] as a gradient by the tokens of a pass; whether any of it is not 0.
bool spread(const PassInput& input, std::span<const double> d_cells, std::vector<float>& d_tokens) {
  d_tokens.assign(input.tokens.size(), 0.0F);
  bool any = false;
  for (std::size_t i = 0; i < input.rows.size(); ++i) {
    const auto value = static_cast<float>(d_cells[input.cells[i]]);
    d_tokens[input.rows[i]] = value;
    any = any || value != 0;
  }
  return any;
}

// Calls body(input, d_tokens, pass, gradient) for the batches of a part that have a gradient.
template <typename Body>
void each_gradient(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                   std::span<const double> d_cells, const Body& body) {
  const auto cut = batch.cut(part);
  trainer.accumulate([&](std::size_t shard, nn::Pass& pass, std::span<float> gradient) {
    std::vector<float> d_tokens;
    for (std::size_t i = shard; i < cut.size(); i += trainer.shards()) {
      const PassInput input = pass_input(batch, cut[i]);
      if (!spread(input, d_cells, d_tokens)) continue;
      pass.forward(input.batch());
      body(input, d_tokens, pass, gradient);
      pass.backward(gradient);
    }
  });
}

}  // namespace

SequenceBatch::SequenceBatch(std::vector<Sequence> sequences, std::size_t parts,
                             std::size_t max_tokens)
    : sequences_(std::move(sequences)), cut_(parts) {
  for (const Sequence& one : sequences_) {
    assert(one.prompt >= 1 && one.completion() >= 1);
    tokens_ = std::max(tokens_, one.completion());
  }
  real_.assign(cells(), 0);
  for (std::size_t i = 0; i < size(); ++i) {
    std::fill_n(real_.begin() + static_cast<std::ptrdiff_t>(i * tokens_),
                sequences_[i].completion(), std::uint8_t{1});
  }
  for (std::size_t p = 0; p < parts; ++p) {
    const nn::SequenceRange range = part(p);
    std::vector<std::size_t> lengths;
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      lengths.push_back(sequences_[i].tokens.size() - 1);
    }
    cut_[p] = nn::cut_batches(lengths, max_tokens);
    for (nn::SequenceRange& one : cut_[p]) one.first += range.first;
  }
}

nn::SequenceRange SequenceBatch::part(std::size_t part) const {
  const std::size_t first = part * size() / parts(), end = (part + 1) * size() / parts();
  return {first, end - first};
}

TokenMask SequenceBatch::mask(nn::SequenceRange range) const {
  return {range.count, tokens_, rows(std::span(real_), range)};
}

PassInput pass_input(const SequenceBatch& batch, nn::SequenceRange range) {
  PassInput input;
  input.starts.push_back(0);
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    const Sequence& one = batch.sequences()[i];
    const std::size_t begin = input.tokens.size();
    input.tokens.insert(input.tokens.end(), one.tokens.begin(), one.tokens.end() - 1);
    input.starts.push_back(static_cast<std::uint32_t>(input.tokens.size()));
    for (std::size_t t = 0; t < one.completion(); ++t) {
      input.rows.push_back(begin + one.prompt - 1 + t);
      input.targets.push_back(one.tokens[one.prompt + t]);
      input.cells.push_back(i * batch.tokens() + t);
    }
  }
  return input;
}

Scorer::Scorer(const nn::Transformer& policy, const nn::Transformer& reference, int threads)
    : vocabulary_(policy.config().vocabulary) {
  assert(reference.config().vocabulary == vocabulary_);
  const int workers = threads > 0 ? threads : default_threads();
  const std::size_t tokens = nn::default_batch_tokens(policy.config());
  for (int i = 0; i < workers; ++i) {
    policy_.emplace_back(policy, tokens, nn::PassKind::kInference);
    reference_.emplace_back(reference, tokens, nn::PassKind::kInference);
  }
}

void Scorer::each_input(const SequenceBatch& batch, std::span<const nn::SequenceRange> cut,
                        const Body& body) {
  std::atomic<std::size_t> next{0};
  parallel_for(policy_.size(), 1, static_cast<int>(policy_.size()),
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t worker = begin; worker < end; ++worker) {
                   for (std::size_t i = next++; i < cut.size(); i = next++) {
                     body(worker, pass_input(batch, cut[i]));
                   }
                 }
               });
}

TokenScores Scorer::against_reference(const SequenceBatch& batch) {
  TokenScores scores;
  for (auto* array : {&scores.log_probs, &scores.reference, &scores.kl, &scores.entropy}) {
    array->assign(batch.cells(), 0.0);
  }
  const auto measure = [&](std::size_t worker, const PassInput& input) {
    nn::Pass &policy = policy_[worker], &reference = reference_[worker];
    policy.forward(input.batch());
    reference.forward(input.batch());
    std::vector<float> logits(kRowsAtOnce * vocabulary_), other(logits.size()),
        scratch(vocabulary_);
    for (std::size_t first = 0; first < input.rows.size(); first += kRowsAtOnce) {
      const std::size_t n = std::min(kRowsAtOnce, input.rows.size() - first);
      const auto rows = std::span(input.rows).subspan(first, n);
      policy.logits(rows, std::span(logits).first(n * vocabulary_));
      reference.logits(rows, std::span(other).first(n * vocabulary_));
      for (std::size_t i = 0; i < n; ++i) {
        const StepScores step =
            step_scores(std::span(logits).subspan(i * vocabulary_, vocabulary_),
                        std::span(other).subspan(i * vocabulary_, vocabulary_),
                        static_cast<std::size_t>(input.targets[first + i]), scratch);
        const std::size_t cell = input.cells[first + i];
        scores.log_probs[cell] = step.log_probability;
        scores.reference[cell] = step.reference_log_probability;
        scores.kl[cell] = step.kl;
        scores.entropy[cell] = step.entropy;
      }
    }
  };
  for (std::size_t part = 0; part < batch.parts(); ++part) {
    each_input(batch, batch.cut(part), measure);
  }
  return scores;
}

void Scorer::log_probs(const SequenceBatch& batch, std::size_t part, std::span<double> log_probs) {
  assert(log_probs.size() == batch.cells());
  each_input(batch, batch.cut(part), [&](std::size_t worker, const PassInput& input) {
    std::vector<float> logits(kRowsAtOnce * vocabulary_);
    policy_[worker].forward(input.batch());
    for (std::size_t first = 0; first < input.rows.size(); first += kRowsAtOnce) {
      const std::size_t n = std::min(kRowsAtOnce, input.rows.size() - first);
      policy_[worker].logits(std::span(input.rows).subspan(first, n),
                             std::span(logits).first(n * vocabulary_));
      for (std::size_t i = 0; i < n; ++i) {
        float* own = logits.data() + i * vocabulary_;
        const auto logit = static_cast<double>(own[input.targets[first + i]]);
        const auto log_sum = static_cast<double>(nn::kernels().softmax(vocabulary_, own));
        log_probs[input.cells[first + i]] = logit - log_sum;
      }
    }
  });
}

void accumulate(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                std::span<const double> d_log_probs) {
  each_gradient(trainer, batch, part, d_log_probs,
                [](const PassInput& input, std::span<const float> d_tokens, nn::Pass& pass,
                   std::span<float> gradient) {
                  std::vector<std::int32_t> targets(input.tokens.size(), nn::kNoTarget);
                  for (std::size_t i = 0; i < input.rows.size(); ++i) {
                    targets[input.rows[i]] = input.targets[i];
                  }
                  pass.add_log_probability_gradient(targets, d_tokens, gradient);
                });
}

void accumulate_scalars(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                        std::span<const double> d_scalars) {
  each_gradient(trainer, batch, part, d_scalars,
                [](const PassInput&, std::span<const float> d_tokens, nn::Pass& pass,
                   std::span<float> gradient) { pass.add_scalar_gradient(d_tokens, gradient); });
}

nn::Transformer copy_of(const nn::Transformer& model) {
  nn::Transformer copy(model.config());
  std::ranges::copy(model.values(), copy.values().begin());
  return copy;
}

}  // namespace plumb::rlhf
