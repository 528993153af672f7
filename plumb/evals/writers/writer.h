// The seam of models that write: what evaluations ask of a checkpoint or of a server. Two
// questions, and a model may be able to answer only the second.
//
//   PLUMB_TRY(scores, writer.score({{"2 + 2 =", " 4"}, {"2 + 2 =", " 5"}}, {}));
//   PLUMB_TRY(written, writer.complete({"Once upon a time"}, {.max_tokens = 64}, {}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/evals/scoring/choice.h"

namespace plumb::evals {

// Of a continuation after its context.
struct ContinuationScore {
  double log_likelihood = 0;  // nats, sum over its tokens
  bool greedy = false;        // each token is the likeliest where it stands
  std::size_t tokens = 0;
  bool cut = false;  // the context was longer than the model's, and lost its beginning
};

struct CompleteOptions {
  std::size_t max_tokens = 256;
  double temperature = 0;               // 0: greedy
  std::vector<std::string> stops = {};  // the text ends before the first of them
  std::uint64_t seed = 0;
  std::uint64_t first_index = 0;  // prompt i is that of place first_index + i in the run
};

struct Written {
  std::string text;
  bool ended = false;  // by the model or at a stop, not by the limit of tokens
};

class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  virtual const std::string& name() const = 0;
  virtual Json provenance() const = 0;

  // [requests]. The token boundary is lm-evaluation-harness': blanks at the end of the context go
  // to the continuation (move_blanks), context and continuation are encoded as one text, and what
  // follows as many tokens as the context alone has is the continuation. kNotAllowed: the model
  // gives no log-probabilities.
  virtual Result<std::vector<ContinuationScore>> score(std::span<const ContinuationTexts> requests,
                                                       const Progress& progress) = 0;

  // [prompts]. The same for a prompt whatever stands beside it.
  virtual Result<std::vector<Written>> complete(std::span<const std::string> prompts,
                                                const CompleteOptions& options,
                                                const Progress& progress) = 0;
};

// The text up to the first stop; `stopped` says whether there was one.
std::string before_stops(const std::string& text, std::span<const std::string> stops,
                         bool& stopped);

}  // namespace plumb::evals
