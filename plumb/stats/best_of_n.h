// Best of n: of n samples the one with the highest proxy score is taken. What gold score that
// earns, for every n at once from N stored samples a prompt, and how far it is from plain sampling.
//
//   const SampleScores samples{.prompts = 100, .samples = 256, .proxy = proxy, .gold = gold};
//   BestOfNCurves curves = best_of_n_curves(samples, powers_of_two(256), 0);
//   ResampledScores band = resample_curves(curves, {.resamples = 1000});   // over prompts
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/stats/standings.h"

namespace plumb::stats {

// KL divergence of the best of n from plain sampling, in nats: log n - (n - 1) / n. Exact where no
// two scores are equal, an upper bound else (Stiennon et al. 2020, Beirami et al. 2024). n >= 1.
double best_of_n_kl(double n);

// The same with ties broken at random, exact for scores that take few values: shares[i] is the
// chance of the i-th lowest value; the shares sum to 1.
double best_of_n_kl(std::span<const double> shares, double n);

// 1, 2, 4, ... and `most` itself. REQUIRES: most >= 1.
std::vector<std::size_t> powers_of_two(std::size_t most);

// Proxy and gold of sample j of prompt p stand at [p * samples + j], whichever order samples have:
// a gold score never leaves its sample.
struct SampleScores {
  std::size_t prompts = 0, samples = 0;
  std::span<const double> proxy = {}, gold = {};  // [prompts, samples], finite
};

struct BestOfNCurves {
  std::vector<std::size_t> n;  // [K]
  std::vector<double> gold;    // [prompts, K]: expected gold score of the best of n
  bool ties = false;           // some prompt has two samples of one proxy score: KL is a bound

  std::size_t prompts() const { return n.empty() ? 0 : gold.size() / n.size(); }
};

// Without bias and without drawing (Nakano et al. 2021, appendix I; Coste et al. 2024, eq. 8):
// sum_{i=n}^{N} C(i-1, n-1) / C(N, n) gold_(i), sorted by proxy; samples of one proxy score share
// their mean gold, which is the expectation over their orders. The curve of the proxy itself: pass
// it as gold. Same bytes with any number of threads.
// REQUIRES: n ascending, each in 1 .. samples; spans of that size; samples >= 1.
BestOfNCurves best_of_n_curves(const SampleScores& samples, std::span<const std::size_t> n,
                               int threads);

// The mean curve, [K], and that of resampled prompts, [resamples, K]; resample r takes
// Stream(seed, "best-of-n", r). REQUIRES: prompts > 0.
ResampledScores resample_curves(const BestOfNCurves& curves, const ResampleOptions& options);

}  // namespace plumb::stats
