// Times best-of-n curves: 1,000 prompts x 1,024 samples, every n from 1 to 1,024, and 1,000
// resamples of the prompts.
//
//   bench_best_of_n scores.f64 > plumb.json          # writes the scores that it used
//   python3 bench/best_of_n_peer.py scores.f64       # the same job in NumPy
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/stats/best_of_n.h"

namespace {

constexpr std::size_t kPrompts = 1000, kSamples = 1024, kResamples = 1000;
constexpr int kRepeats = 3;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<double> random_scores() {
  plumb::Stream stream(1, "best-of-n-bench", 0);
  std::vector<double> scores(2 * kPrompts * kSamples);  // proxy, then gold
  for (double& score : scores) score = stream.uniform();
  return scores;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<double> scores = random_scores();
  if (argc > 1) {
    std::ofstream(argv[1], std::ios::binary)
        .write(reinterpret_cast<const char*>(scores.data()),
               static_cast<std::streamsize>(scores.size() * sizeof(double)));
  }
  const std::size_t half = scores.size() / 2;
  const std::span all(scores);
  const plumb::stats::SampleScores samples{kPrompts, kSamples, all.first(half), all.last(half)};
  std::vector<std::size_t> n(kSamples);
  std::iota(n.begin(), n.end(), std::size_t{1});
  double best = 1e9, value = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const auto curves = plumb::stats::best_of_n_curves(samples, n, 0);
    const auto drawn = plumb::stats::resample_curves(curves, {.resamples = kResamples});
    best = std::min(best, seconds_since(start));
    value = std::accumulate(drawn.point.begin(), drawn.point.end(), 0.0);
  }
  fmt::print("{{\"seconds\": {:.4f}, \"sum\": {:.12f}}}\n", best, value);
}
