#include "plumb/stats/best_of_n.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

// weights[i * K + k]: what the i-th lowest of N samples counts in the best of n[k]; 0 below n[k].
std::vector<double> rank_weights(std::size_t samples, std::span<const std::size_t> n) {
  std::vector<double> weights(samples * n.size());
  for (std::size_t k = 0; k < n.size(); ++k) {
    double weight = static_cast<double>(n[k]) / static_cast<double>(samples);
    for (std::size_t i = samples; i >= n[k]; --i) {
      weights[(i - 1) * n.size() + k] = weight;
      if (i == 1) break;
      weight *= static_cast<double>(i - n[k]) / static_cast<double>(i - 1);
    }
  }
  return weights;
}

// Gold ascending by proxy, the mean of its block where proxies are equal.
bool sorted_gold(std::span<const double> proxy, std::span<const double> gold,
                 std::vector<std::size_t>& order, std::span<double> sorted) {
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return proxy[a] != proxy[b] ? proxy[a] < proxy[b] : a < b;
  });
  bool ties = false;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double sum = 0;
    while (end < order.size() && proxy[order[end]] == proxy[order[begin]])
      sum += gold[order[end++]];
    std::fill(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
              sorted.begin() + static_cast<std::ptrdiff_t>(end),
              sum / static_cast<double>(end - begin));
    ties = ties || end - begin > 1;
    begin = end;
  }
  return ties;
}

// into[k] += by * from[k]
void add_scaled(std::span<double> into, double by, const double* from) {
  for (std::size_t k = 0; k < into.size(); ++k) into[k] += by * from[k];
}

constexpr std::size_t kRows = 4;

// into[k] += sum_j by[j] from[j * stride + k] over at most kRows rows: one pass over `into`.
void add_rows(std::span<double> into, std::span<const double> by, const double* from,
              std::size_t stride) {
  if (by.size() < kRows) {
    for (std::size_t j = 0; j < by.size(); ++j) add_scaled(into, by[j], from + j * stride);
    return;
  }
  const double a = by[0], b = by[1], c = by[2], d = by[3];
  for (std::size_t k = 0; k < into.size(); ++k) {
    into[k] += (a * from[k] + b * from[k + stride]) +
               (c * from[k + 2 * stride] + d * from[k + 3 * stride]);
  }
}

// Prompts, or resamples, that share one pass over an array which is larger than a cache.
constexpr std::size_t kBlock = 8;

}  // namespace

double best_of_n_kl(double n) {
  assert(n >= 1);
  return std::log(n) - (n - 1) / n;
}

double best_of_n_kl(std::span<const double> shares, double n) {
  assert(n >= 1);
  double kl = 0, below = 0;
  for (const double share : shares) {
    const double up_to = std::min(below + share, 1.0);
    const double best = std::pow(up_to, n) - std::pow(below, n);
    if (best > 0) kl += best * std::log(best / share);
    below = up_to;
  }
  return kl;
}

std::vector<std::size_t> powers_of_two(std::size_t most) {
  std::vector<std::size_t> result;
  for (std::size_t n = 1; n < most; n *= 2) result.push_back(n);
  result.push_back(most);
  return result;
}

BestOfNCurves best_of_n_curves(const SampleScores& samples, std::span<const std::size_t> n,
                               int threads) {
  const std::size_t count = samples.samples, points = n.size();
  assert(count > 0 && samples.proxy.size() == samples.prompts * count);
  assert(samples.gold.size() == samples.proxy.size());
  assert(std::ranges::is_sorted(n) && (n.empty() || (n.front() >= 1 && n.back() <= count)));
  BestOfNCurves curves{{n.begin(), n.end()}, std::vector<double>(samples.prompts * points), false};
  const std::vector<double> weights = rank_weights(count, n);
  std::atomic<bool> ties{false};
  parallel_for(samples.prompts, kBlock, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> sorted((end - begin) * count);
    std::vector<std::size_t> order(count);
    for (std::size_t p = begin; p < end; ++p) {
      const auto row = std::span(sorted).subspan((p - begin) * count, count);
      if (sorted_gold(samples.proxy.subspan(p * count, count),
                      samples.gold.subspan(p * count, count), order, row)) {
        ties = true;
      }
    }
    std::size_t reached = 0;  // points with n <= i + 1
    for (std::size_t i = 0; i < count; i += kRows) {
      const std::size_t rows = std::min(kRows, count - i);
      while (reached < points && n[reached] <= i + rows) ++reached;
      for (std::size_t p = begin; p < end; ++p) {
        add_rows(std::span(curves.gold).subspan(p * points, reached),
                 std::span(sorted).subspan((p - begin) * count + i, rows), &weights[i * points],
                 points);
      }
    }
  });
  curves.ties = ties;
  return curves;
}

ResampledScores resample_curves(const BestOfNCurves& curves, const ResampleOptions& options) {
  const std::size_t points = curves.n.size(), prompts = curves.prompts();
  assert(prompts > 0);
  const double each = 1 / static_cast<double>(prompts);
  const auto row = [&](std::size_t p) { return &curves.gold[p * points]; };
  ResampledScores result{points, std::vector<double>(points),
                         std::vector<double>(options.resamples * points)};
  for (std::size_t p = 0; p < prompts; ++p) add_scaled(result.point, each, row(p));
  parallel_for(options.resamples, kBlock, options.threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> shares((end - begin) * prompts);
    for (std::size_t r = begin; r < end; ++r) {
      Stream stream(options.seed, "best-of-n", r);
      for (std::size_t i = 0; i < prompts; ++i) {
        shares[(r - begin) * prompts + stream.below(prompts)] += each;
      }
    }
    for (std::size_t p = 0; p < prompts; p += kRows) {
      const std::size_t rows = std::min(kRows, prompts - p);
      for (std::size_t r = begin; r < end; ++r) {
        add_rows(std::span(result.draws).subspan(r * points, points),
                 std::span(shares).subspan((r - begin) * prompts + p, rows), row(p), points);
      }
    }
  });
  return result;
}

}  // namespace plumb::stats
