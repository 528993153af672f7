// The seam of what gives a completion a number: a reward model, an ensemble of them, a program over
// stories. Proxy and gold are both rewards; only the run says which is which.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::rlhf {

// A text is prompt + completion, with nothing between them.
struct Completed {
  std::string_view prompt, completion;
  bool ended = true;  // by the end of the text; false: cut off by a limit
};

class Reward {
 public:
  Reward() = default;
  Reward(const Reward&) = delete;
  Reward& operator=(const Reward&) = delete;
  virtual ~Reward() = default;

  virtual const std::string& name() const = 0;

  // What must be known to compute the scores again: files with their hashes, parameters of a
  // program.
  virtual Json provenance() const = 0;

  // A finite score each, in their order. The same text has the same score whatever stands beside
  // it, and whatever the number of threads (0: all). kBadInput: a text that it cannot read.
  virtual Result<std::vector<double>> score(std::span<const Completed> texts, int threads) = 0;
};

}  // namespace plumb::rlhf
