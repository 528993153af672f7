// The errors of a regression over time, whose neighbours hang together: e[t] = r e[t - 1] + z[t],
// where the z are normal, independent and of one deviation.
//
// r is not known, and its estimates from a dozen points are far too low; so it is averaged over, by
// its likelihood with the coefficients and the deviation integrated out (Zellner and Tiao 1964) and
// the reference prior 1 / sqrt(1 - r^2) (Berger and Yang 1994) up to 0.95, beyond which a dozen
// points look like a random walk, under which every trend goes with every other.
//
//   auto likelihood = [&](double r) { return fit_whitened(columns, y, r).log_likelihood; };
//   for (const Autocorrelation& one : weigh_autocorrelations(likelihood)) sum += one.weight *
//   one.r;
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::stats {

// Least squares of y on columns, both whitened by r: the first value keeps sqrt(1 - r^2) of itself,
// each other loses r times the one before (Prais and Winsten 1954).
struct WhitenedFit {
  double slope;           // of the last column
  double size;            // squares of the last column, freed of those before it
  double rest;            // squares of y that are left, above 0
  double log_likelihood;  // of r, up to a constant
};

// REQUIRES: at least two columns, each as long as y and none a combination of those before it;
// more values than columns; abs(r) < 1.
WhitenedFit fit_whitened(std::span<const std::vector<double>> columns, std::span<const double> y,
                         double r);

struct Autocorrelation {
  double r, weight;
};

// Forty places evenly by the prior, without those that weigh nothing; the weights add up to 1.
std::vector<Autocorrelation> weigh_autocorrelations(
    const std::function<double(double r)>& log_likelihood);

// Errors with z of deviation 1, from their stationary distribution on.
void draw_errors(double r, Stream& stream, std::span<double> into);

}  // namespace plumb::stats
