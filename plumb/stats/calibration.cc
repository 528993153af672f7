#include "plumb/stats/calibration.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/numbered.h"

namespace plumb::stats {
namespace {

double sigmoid(double x) {
  const double small = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

template <typename Term>
Score mean_of(std::span<const double> logits, std::span<const double> outcomes, Term term) {
  assert(logits.size() == outcomes.size());
  if (logits.empty()) return undefined("there are no pairs");
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += term(logits[i], outcomes[i]);
  return sum / static_cast<double>(logits.size());
}

// A pair with the higher score first.
struct Turned {
  double margin, right;
};

Turned turned(double logit, double outcome) {
  if (logit == 0) return {0, 0.5};
  return logit > 0 ? Turned{logit, outcome} : Turned{-logit, 1 - outcome};
}

void add(ReliabilityBin& bin, const Turned& pair) {
  ++bin.n;
  bin.confidence += sigmoid(pair.margin);
  bin.accuracy += pair.right;
}

void finish(std::vector<ReliabilityBin>& bins) {
  std::erase_if(bins, [](const ReliabilityBin& bin) { return bin.n == 0; });
  for (ReliabilityBin& bin : bins) {
    bin.confidence /= static_cast<double>(bin.n);
    bin.accuracy /= static_cast<double>(bin.n);
  }
}

// Ascending by margin; pairs of one margin all take the mean of their outcomes.
std::vector<Turned> sorted_pairs(std::span<const double> logits, std::span<const double> outcomes) {
  std::vector<Turned> pairs;
  for (std::size_t i = 0; i < logits.size(); ++i) pairs.push_back(turned(logits[i], outcomes[i]));
  std::ranges::sort(pairs, [](const Turned& a, const Turned& b) {
    return a.margin != b.margin ? a.margin < b.margin : a.right < b.right;
  });
  for (auto begin = pairs.begin(); begin != pairs.end();) {
    const auto end = std::find_if(begin, pairs.end(),
                                  [&](const Turned& pair) { return pair.margin != begin->margin; });
    double sum = 0;
    for (auto at = begin; at != end; ++at) sum += at->right;
    for (auto at = begin; at != end; ++at) at->right = sum / static_cast<double>(end - begin);
    begin = end;
  }
  return pairs;
}

double bin_of(double margin, double width) { return std::floor(margin / width) * width; }

double raw_error(std::span<const double> logits, std::span<const double> outcomes,
                 std::size_t bins) {
  return calibration_error(equal_mass_reliability(logits, outcomes, bins));
}

// The share of `votes` votes that go to a side with this chance of each.
double drawn_share(double chance, std::size_t votes, Stream& stream) {
  std::size_t won = 0;
  for (std::size_t vote = 0; vote < votes; ++vote) won += stream.uniform() < chance ? 1 : 0;
  return static_cast<double>(won) / static_cast<double>(votes);
}

// What the model's own probabilities would give.
std::vector<double> drawn_outcomes(std::span<const double> logits,
                                   std::span<const std::size_t> votes, std::uint64_t seed,
                                   std::uint64_t draw) {
  Stream stream(seed, "calibration-null", draw);
  std::vector<double> drawn(logits.size());
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    drawn[i] = drawn_share(sigmoid(logits[i]), votes[i], stream);
  }
  return drawn;
}

// Of the log loss of scale * logit: its slope and curvature by the scale.
struct ScaleTerms {
  double slope = 0, curvature = 0;
};

ScaleTerms scale_terms(std::span<const double> logits, std::span<const double> outcomes,
                       double scale) {
  ScaleTerms terms;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double p = sigmoid(scale * logits[i]);
    terms.slope += (p - outcomes[i]) * logits[i];
    terms.curvature += p * (1 - p) * logits[i] * logits[i];
  }
  return terms;
}

// Whether some vote goes against the scores, so that the likelihood has a maximum.
bool any_against(std::span<const double> logits, std::span<const double> outcomes) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] != 0 && turned(logits[i], outcomes[i]).right < 1) return true;
  }
  return false;
}

}  // namespace

Score brier_score(std::span<const double> logits, std::span<const double> outcomes) {
  return mean_of(logits, outcomes, [](double logit, double outcome) {
    const double off = sigmoid(logit) - outcome;
    return off * off;
  });
}

Score log_loss(std::span<const double> logits, std::span<const double> outcomes) {
  return mean_of(logits, outcomes, [](double logit, double outcome) {
    return outcome * softplus(-logit) + (1 - outcome) * softplus(logit);
  });
}

std::vector<ReliabilityBin> margin_reliability(std::span<const double> logits,
                                               std::span<const double> outcomes, double width) {
  assert(logits.size() == outcomes.size() && width > 0);
  std::vector<Turned> pairs = sorted_pairs(logits, outcomes);
  std::vector<ReliabilityBin> bins;
  for (const Turned& pair : pairs) {
    const double low = bin_of(pair.margin, width);
    if (bins.empty() || bins.back().low != low) bins.push_back({low, low + width, 0, 0, 0});
    add(bins.back(), pair);
  }
  finish(bins);
  return bins;
}

std::vector<Interval> margin_reliability_intervals(std::span<const double> logits,
                                                   std::span<const double> outcomes, double width,
                                                   std::span<const std::uint32_t> cluster_of_pair,
                                                   double level) {
  assert(logits.size() == outcomes.size() && logits.size() == cluster_of_pair.size() && width > 0);
  struct Bin {
    std::vector<double> right;
    std::vector<std::uint32_t> clusters;
  };
  std::map<double, Bin> bins;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const Turned pair = turned(logits[i], outcomes[i]);
    Bin& bin = bins[bin_of(pair.margin, width)];
    bin.right.push_back(pair.right);
    bin.clusters.push_back(cluster_of_pair[i]);
  }
  std::vector<Interval> intervals;
  for (const auto& [low, bin] : bins) {
    intervals.push_back(clustered_wilson(bin.right, numbered(bin.clusters), level)->ci);
  }
  return intervals;
}

std::vector<ReliabilityBin> equal_mass_reliability(std::span<const double> logits,
                                                   std::span<const double> outcomes,
                                                   std::size_t bins) {
  assert(logits.size() == outcomes.size() && bins > 0);
  const std::vector<Turned> pairs = sorted_pairs(logits, outcomes);
  std::vector<ReliabilityBin> result(bins, {0, 0, 0, 0, 0});
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ReliabilityBin& bin = result[i * bins / pairs.size()];
    if (bin.n == 0) bin.low = sigmoid(pairs[i].margin);
    bin.high = sigmoid(pairs[i].margin);
    add(bin, pairs[i]);
  }
  finish(result);
  return result;
}

double calibration_error(std::span<const ReliabilityBin> bins) {
  double sum = 0, n = 0;
  for (const ReliabilityBin& bin : bins) {
    const auto size = static_cast<double>(bin.n);
    sum += size * std::abs(bin.accuracy - bin.confidence);
    n += size;
  }
  return n == 0 ? 0 : sum / n;
}

tl::expected<DebiasedError, Undefined> debiased_calibration_error(
    std::span<const double> logits, std::span<const double> outcomes,
    std::span<const std::size_t> votes, std::size_t bins, std::size_t draws, std::uint64_t seed) {
  assert(votes.size() == logits.size());
  if (logits.empty()) return undefined("there are no pairs");
  std::vector<double> null;
  for (std::size_t r = 0; r < draws; ++r) {
    null.push_back(raw_error(logits, drawn_outcomes(logits, votes, seed, r), bins));
  }
  std::ranges::sort(null);
  const double raw = raw_error(logits, outcomes, bins);
  const double mean = std::accumulate(null.begin(), null.end(), 0.0) / static_cast<double>(draws);
  return DebiasedError{raw, mean, sorted_quantile(null, 0.95), raw - mean};
}

ResampledCalibration::ResampledCalibration(std::span<const double> logits,
                                           std::span<const double> outcomes,
                                           std::span<const std::size_t> votes, std::size_t bins,
                                           std::size_t draws, std::uint64_t seed)
    : bins_(bins), order_(logits.size()) {
  assert(!logits.empty() && logits.size() == outcomes.size() && logits.size() == votes.size());
  assert(bins > 0 && draws > 0);
  const auto margin = [&](std::size_t i) { return std::abs(logits[i]); };
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::stable_sort(order_, {}, margin);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (i > 0 && margin(order_[i]) == margin(order_[i - 1])) continue;
    starts_.push_back(i);
    confidence_.push_back(sigmoid(margin(order_[i])));
  }
  starts_.push_back(order_.size());
  const auto keep = [&](std::span<const double> some) {
    std::vector<double>& right = right_.emplace_back();
    for (const std::size_t i : order_) right.push_back(turned(logits[i], some[i]).right);
  };
  keep(outcomes);
  for (std::size_t r = 0; r < draws; ++r) keep(drawn_outcomes(logits, votes, seed, r));
}

double ResampledCalibration::error(std::span<const double> right, Counts pairs) const {
  const auto all = std::accumulate(pairs.begin(), pairs.end(), std::size_t{0});
  double sum = 0, off = 0;  // off: of the bin, right answers beyond the confidence
  std::size_t bin = 0, at = 0;
  const auto end_of_bin = [&] { return ((bin + 1) * all + bins_ - 1) / bins_; };
  for (std::size_t run = 0; run + 1 < starts_.size(); ++run) {
    std::size_t copies = 0;
    double right_ones = 0;
    for (std::size_t i = starts_[run]; i < starts_[run + 1]; ++i) {
      copies += pairs[order_[i]];
      right_ones += pairs[order_[i]] * right[i];
    }
    if (copies == 0) continue;
    const double each = right_ones / static_cast<double>(copies) - confidence_[run];
    while (copies > 0) {
      const std::size_t some = std::min(copies, end_of_bin() - at);
      off += static_cast<double>(some) * each;
      at += some;
      copies -= some;
      for (; at == end_of_bin() && bin < bins_; ++bin, off = 0) sum += std::abs(off);
    }
  }
  return sum / static_cast<double>(all);
}

Score ResampledCalibration::operator()(Counts pairs) const {
  double null = 0;
  for (const std::vector<double>& drawn : std::span(right_).subspan(1)) null += error(drawn, pairs);
  return raw(pairs) - null / static_cast<double>(right_.size() - 1);
}

Score fit_temperature(std::span<const double> logits, std::span<const double> outcomes) {
  assert(logits.size() == outcomes.size());
  if (logits.empty()) return undefined("there are no pairs");
  if (scale_terms(logits, outcomes, 0).slope >= 0) {
    return undefined("the scores carry nothing about the votes, or the reverse");
  }
  if (!any_against(logits, outcomes)) {
    return undefined(
        "the scores order every pair as the votes do: any lower temperature fits better");
  }
  double low = 0, high = 1;
  while (scale_terms(logits, outcomes, high).slope < 0) low = high, high *= 2;
  double scale = (low + high) / 2;
  constexpr int kSteps = 200;
  for (int step = 0; step < kSteps && high - low > 1e-14 * high; ++step) {
    const ScaleTerms terms = scale_terms(logits, outcomes, scale);
    (terms.slope < 0 ? low : high) = scale;
    const double newton = terms.curvature > 0 ? scale - terms.slope / terms.curvature : low;
    if (std::abs(newton - scale) <= 1e-15 * scale) break;
    scale = newton > low && newton < high ? newton : (low + high) / 2;
  }
  return 1 / scale;
}

}  // namespace plumb::stats
