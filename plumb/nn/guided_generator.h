// Generation by what tokens lead to: tokens of a language model, drawn by
//
//   log q(z) = log pi(z | text) + strength * V(text z) - log of their sum,
//
// where V is the scalar of a second network after that token, asked about the likeliest; any other
// token counts as much as the text so far, V(text), of which its own value is expected. With V the
// expected reward of what pi goes on to write, q is the best policy a token whose divergence from
// pi costs 1 / strength a nat (Mudgal et al. 2024, theorem 2.1).
//
// A completion depends on its prompt, its index and the options, as in generator.h, of which the
// draws are: with strength 0 completions that the context does not end are the same bytes.
//
//   GuidedGenerator generator(model, values);
//   auto completions = generator.generate(prompts, {.max_tokens = 48}, {.tokens = 8, .strength =
//   3});
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "plumb/nn/generator.h"

namespace plumb::nn {

struct Guidance {
  std::size_t tokens = 8;  // the likeliest that are asked about
  double strength = 1;
};

struct GuidedCompletion {
  Completion completion;  // log-probabilities by the language model
  double log_q = 0;       // of the whole completion, by the distribution that it was drawn from
  double kl = 0;          // of that from the language model's, summed over its steps, exact
  std::size_t asked = 0;  // tokens that the second network read after the prompt
};

class GuidedGenerator {
 public:
  // REQUIRES: of `model` as of a generator's; `values` causal, norm_first, with a scalar head and
  // the vocabulary and context of the model. Both must outlive this.
  GuidedGenerator(const Transformer& model, const Transformer& values);
  ~GuidedGenerator();

  // One completion a prompt, in their order; options.top_k, top_p and temperature are not looked
  // at. A completion ends where its text fills the context, a token before a generator's: the
  // candidates must be read. REQUIRES: each prompt has 1 to context
  // tokens; guidance.tokens >= 1.
  std::vector<GuidedCompletion> generate(std::span<const std::vector<std::int32_t>> prompts,
                                         const SampleOptions& options,
                                         const Guidance& guidance) const;

 private:
  const Transformer& model_;
  const Transformer& values_;
  std::unique_ptr<Generator::Weights> model_weights_, value_weights_;
};

}  // namespace plumb::nn
