// How well a model predicts texts: nats a token and a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/precision.h"
#include "plumb/stats/score.h"

namespace plumb::lm {

struct EvaluateOptions {
  std::size_t resamples = 10000;
  double level = 0.95;
  std::uint64_t seed = 0;
  int threads = 0;
  nn::Precision precision = nn::Precision::kF32;
  Progress progress = {};  // documents
};

struct Evaluation {
  std::size_t documents = 0;
  std::size_t tokens = 0;          // predicted: all but the begin tokens
  std::size_t characters = 0;      // Unicode
  std::size_t beyond_context = 0;  // documents longer than the model's context
  double nats = 0;
  stats::Score nats_per_token = stats::undefined(""), nats_per_character = stats::undefined("");
  // Over resampled documents.
  stats::IntervalScore nats_per_token_ci = stats::undefined(""),
                       nats_per_character_ci = stats::undefined("");
};

// Each document stands alone behind the begin token; every token of it is predicted, the end of the
// text is not. A document beyond the context is read in windows that overlap by half: a token is
// predicted from at least half a context of the text before it. kBadInput: a text that the
// tokenizer refuses. kUsage: a precision that this processor lacks.
Result<Evaluation> evaluate(const LanguageModel& model, const std::vector<std::string>& documents,
                            const EvaluateOptions& options);

}  // namespace plumb::lm
