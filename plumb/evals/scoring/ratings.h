// Ratings of models from battles between them: Bradley and Terry by maximum likelihood on the scale
// of chess ratings, as arenas print them. An ability is a log-odds; 400 / ln 10 points a nat.
//
//   auto rated = rate_models(battles, {.anchor = "gpt-4"}, {.resamples = 1000});
//   if (!rated) rated.error();   // "... groups that never beat or tied the others: {a, b}, {c}"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::evals {

struct Battle {
  std::string a, b;
  double preference = 0.5;  // for a; over 0.5 a wins, under it b, 0.5 is a tie
  std::uint32_t item = 0;   // the prompt, numbered from 0: what is resampled
};

struct RatingOptions {
  std::string anchor = {};  // whose rating is `anchored`; "": their mean is
  double anchored = 1000;
};

inline constexpr double kPointsPerNat = 173.71779276130073;  // 400 / ln 10

// A row "rating" a model, the best first. Ties are half wins. The interval resamples prompts; a
// resample in which the models cannot all be compared is left out, and too many of these leave no
// interval. kBadInput: no battles, an anchor that fought none, groups of models of which none beat
// or tied another group's (Ford 1957), each named.
Result<std::vector<EvalRow>> rate_models(std::span<const Battle> battles,
                                         const RatingOptions& options,
                                         const stats::BootstrapOptions& sampling);

}  // namespace plumb::evals
