// Runs with a planted truth, for tests: prompts that follow one of the two curves on average, each
// with coefficients and errors of its own.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/mismatch/stop_rules.h"
#include "plumb/stats/normal.h"
#include "plumb/stats/over_optimisation.h"

namespace plumb::mismatch::testing {

inline double normal(Stream& stream) { return stats::normal_draw(stream); }

struct PlantedRun {
  stats::CurveForm form = stats::CurveForm::kRl;
  stats::CurveCoefficients curve = {1, 0.4};
  std::vector<double> d = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::size_t prompts = 200;
  double spread = 0.5;  // of prompts' own coefficients, as a share of a
  double noise = 0.8;   // standard deviation of a gold score

  std::vector<double> true_gold() const {
    std::vector<double> gold;
    for (const double at : d) gold.push_back(stats::curve_value(form, curve, at));
    return gold;
  }

  MeasuredRun draw(Stream& stream) const {
    MeasuredRun run{d, std::vector<double>(d.size() * prompts), {}, prompts};
    for (std::size_t p = 0; p < prompts; ++p) {
      const stats::CurveCoefficients own{curve.a * (1 + spread * normal(stream)),
                                         curve.b + 0.2 * spread * curve.a * normal(stream)};
      for (std::size_t c = 0; c < d.size(); ++c) {
        run.gold[c * prompts + p] = stats::curve_value(form, own, d[c]) + noise * normal(stream);
      }
    }
    for (const double at : d) run.proxy.push_back(curve.a * at + 0.05 * normal(stream));
    return run;
  }
};

// The rows of a run, as fits take them.
struct Rows {
  std::vector<double> d, reward;
  std::vector<std::uint32_t> cluster;

  explicit Rows(const MeasuredRun& run) {
    for (std::size_t c = 0; c < run.d.size(); ++c) {
      for (std::size_t p = 0; p < run.prompts; ++p) {
        d.push_back(run.d[c]);
        reward.push_back(run.gold[c * run.prompts + p]);
        cluster.push_back(static_cast<std::uint32_t>(p));
      }
    }
  }
  stats::CurveData data() const { return {d, reward, cluster}; }
};

}  // namespace plumb::mismatch::testing
