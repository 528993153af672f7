// The language-model head, a chunk of rows of logits at a time, and the scalar head.
#include <cassert>

#include "plumb/nn/matmul.h"
#include "plumb/nn/pass_state.h"

namespace plumb::nn {
namespace {

// The rows that have a target.
std::vector<std::size_t> targeted(std::span<const std::int32_t> targets) {
  std::vector<std::size_t> rows;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (targets[t] != kNoTarget) rows.push_back(t);
  }
  return rows;
}

}  // namespace

void Pass::State::each_chunk(std::span<const std::size_t> chosen, const LogitLoss& body,
                             float* gradient) {
  const std::size_t width = config.width, vocabulary = config.vocabulary;
  for (std::size_t first = 0; first < chosen.size(); first += places.chunk) {
    const auto some = chosen.subspan(first, std::min(places.chunk, chosen.size() - first));
    const std::size_t n = some.size();
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(hidden + some[i] * width, width, places.head_rows + i * width);
    }
    if (prepared != nullptr) {
      prepared->linear(layout.head, n, places.head_rows, places.logits, Into::kReplace, *scratch);
    } else {
      product_nt(n, vocabulary, width, places.head_rows, model.at(layout.head), places.logits);
    }
    body(some, {places.logits, n * vocabulary});
    if (gradient == nullptr) continue;
    product_tn(vocabulary, width, n, places.logits, places.head_rows, gradient + layout.head,
               Into::kAdd);
    product_nn(n, width, vocabulary, places.logits, model.at(layout.head), places.d_head_rows);
    for (std::size_t i = 0; i < n; ++i) {
      kernels.add(width, places.d_head_rows + i * width, places.gradients.stream + some[i] * width);
    }
  }
}

void Pass::logits(std::span<const std::size_t> rows, std::span<float> logits) {
  assert(logits.size() == rows.size() * state_->config.vocabulary);
  float* to = logits.data();
  state_->each_chunk(
      rows,
      [&](std::span<const std::size_t>, std::span<float> chunk) {
        to = std::copy(chunk.begin(), chunk.end(), to);
      },
      nullptr);
}

void Pass::log_probabilities(std::span<const std::int32_t> targets, std::span<float> values,
                             std::span<float> entropies) {
  const std::size_t vocabulary = state_->config.vocabulary;
  const Kernels& kernels = state_->kernels;
  std::ranges::fill(values, 0.0F);
  std::ranges::fill(entropies, 0.0F);
  std::vector<float> row(vocabulary);
  state_->each_chunk(
      targeted(targets),
      [&](std::span<const std::size_t> rows, std::span<float> logits) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          float* own = logits.data() + i * vocabulary;
          const float chosen = own[targets[rows[i]]];
          if (!entropies.empty()) std::copy_n(own, vocabulary, row.data());
          const float log_sum = kernels.softmax(vocabulary, own);
          values[rows[i]] = chosen - log_sum;
          if (!entropies.empty()) {
            entropies[rows[i]] = kernels.entropy(vocabulary, row.data(), log_sum);
          }
        }
      },
      nullptr);
}

double Pass::add_cross_entropy(std::span<const std::int32_t> targets, float weight,
                               std::span<float> gradient) {
  const std::size_t vocabulary = state_->config.vocabulary;
  const Kernels& kernels = state_->kernels;
  double nats = 0;
  add_logit_gradient(
      targeted(targets),
      [&](std::span<const std::size_t> rows, std::span<float> logits) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          float* own = logits.data() + i * vocabulary;
          const std::int32_t target = targets[rows[i]];
          const float chosen = own[target];
          nats += static_cast<double>(kernels.softmax(vocabulary, own) - chosen);
          own[target] -= 1.0F;
          kernels.scale(vocabulary, weight, own);
        }
      },
      gradient);
  return nats;
}

void Pass::add_log_probability_gradient(std::span<const std::int32_t> targets,
                                        std::span<const float> d_values,
                                        std::span<float> gradient) {
  const std::size_t vocabulary = state_->config.vocabulary;
  const Kernels& kernels = state_->kernels;
  add_logit_gradient(
      targeted(targets),
      [&](std::span<const std::size_t> rows, std::span<float> logits) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          float* own = logits.data() + i * vocabulary;
          kernels.softmax(vocabulary, own);
          kernels.scale(vocabulary, -d_values[rows[i]], own);
          own[targets[rows[i]]] += d_values[rows[i]];
        }
      },
      gradient);
}

void Pass::add_logit_gradient(std::span<const std::size_t> rows, const LogitLoss& loss,
                              std::span<float> gradient) {
  assert(state_->training() && gradient.size() == state_->layout.size);
  state_->each_chunk(rows, loss, gradient.data());
}

void Pass::scalars(std::span<float> scalars) const {
  const State& s = *state_;
  assert(scalars.size() == s.count() && s.config.scalar_head);
  for (std::size_t t = 0; t < scalars.size(); ++t) {
    scalars[t] =
        *s.model.at(s.layout.scalar_bias) +
        s.kernels.dot(s.config.width, s.hidden + t * s.config.width, s.model.at(s.layout.scalar));
  }
}

void Pass::add_scalar_gradient(std::span<const float> d_scalars, std::span<float> gradient) {
  const State& s = *state_;
  assert(s.training() && d_scalars.size() == s.count() && gradient.size() == s.layout.size);
  const std::size_t width = s.config.width;
  for (std::size_t t = 0; t < d_scalars.size(); ++t) {
    if (d_scalars[t] == 0.0F) continue;
    gradient[s.layout.scalar_bias] += d_scalars[t];
    s.kernels.axpy(width, d_scalars[t], s.hidden + t * width, gradient.data() + s.layout.scalar);
    s.kernels.axpy(width, d_scalars[t], s.model.at(s.layout.scalar),
                   s.places.gradients.stream + t * width);
  }
}

void Pass::add_hidden_gradient(std::span<const float> d_hidden) {
  const State& s = *state_;
  assert(s.training() && d_hidden.size() == s.count() * s.config.width);
  s.kernels.add(d_hidden.size(), d_hidden.data(), s.places.gradients.stream);
}

}  // namespace plumb::nn
