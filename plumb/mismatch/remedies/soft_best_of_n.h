// Soft best of n: of n samples one is drawn with chance proportional to e^(score / temperature)
// (Verdun et al. 2025). A temperature towards 0 is best of n, a high one plain sampling.
#pragma once

#include <span>

namespace plumb::mismatch {

// The expected gold of one draw. REQUIRES: temperature > 0; spans of one length, not empty.
double soft_best_gold(std::span<const double> scores, std::span<const double> gold,
                      double temperature);

// Kullback-Leibler divergence of the draw from a uniform one, in nats.
double soft_best_kl(std::span<const double> scores, double temperature);

}  // namespace plumb::mismatch
