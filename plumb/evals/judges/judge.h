// Judges of pairs: which of two texts answers a prompt better. Programs, and a language model
// behind a server, which is shown every pair in both orders.
//
//   PLUMB_TRY(judge, open_judge("longest", {}));
//   PLUMB_TRY(judgements, judge->compare(pairs, {}));
//   win_rate_rows("winrate", judgements, {});
//
// Every judge is itself on trial: trivial_opponents() makes the answers that ought to lose.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/evals/scoring/win_rate.h"
#include "plumb/raters/remote/http_client.h"

namespace plumb::evals {

struct TextPair {
  std::string prompt, output, reference;
};

class Judge {
 public:
  Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;

  virtual const std::string& name() const = 0;

  // Judgements of pair i carry item i; one, or one an order.
  virtual Result<std::vector<Judgement>> compare(std::span<const TextPair> pairs,
                                                 const Progress& progress) = 0;
};

struct JudgeOptions {
  raters::HttpOptions http = {};
  std::filesystem::path log = {};  // of a server's replies
  int concurrency = 4;
};

// "longest" and "shortest" (characters; equal lengths tie), or the address of a chat server
// (raters/remote/remote_spec.h), which answers [[A]], [[B]] or [[C]] for a tie, as MT-Bench's
// judges do; another answer is a tie. kNotFound: no such judge.
Result<std::unique_ptr<Judge>> open_judge(const std::string& name, const JudgeOptions& options);

// The verdict of a judge's text: the last [[A]], [[B]] or [[C]] in it, as the preference for A.
// Nothing: none is there.
std::optional<double> read_verdict(std::string_view reply);

// Outputs that say nothing in place of the model's: "null", "constant", "always-refuse", "longest"
// and "shortest" (of output and reference).
std::vector<std::pair<std::string, std::vector<TextPair>>> trivial_opponents(
    std::span<const TextPair> pairs);

}  // namespace plumb::evals
