#include "plumb/stats/prevalence.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

double share(Successes s) { return s.successes / s.trials; }

// Of z^2 / 2 successes among z^2 more trials, and of one success among two more.
struct Adjusted {
  double share, trials;
};
Adjusted adjusted(Successes s, double successes, double trials) {
  const double all = s.trials + trials;
  return {(s.successes + successes) / all, all};
}

double variance(Adjusted a) { return a.share * (1 - a.share) / a.trials; }

}  // namespace

tl::expected<Prevalence, Undefined> corrected_prevalence(Successes found, Successes sensitive,
                                                         Successes specific, double level) {
  assert(0 < level && level < 1);
  if (found.trials <= 0) return undefined("there are no items");
  if (sensitive.trials <= 0) return undefined("no labelled item is positive");
  if (specific.trials <= 0) return undefined("no labelled item is negative");
  const double z = normal_quantile((1 + level) / 2), z2 = z * z;
  const Adjusted q = adjusted(found, z2 / 2, z2);
  const Adjusted se = adjusted(sensitive, 1, 2), sp = adjusted(specific, 1, 2);
  const double power = share(sensitive) + share(specific) - 1;
  const double adjusted_power = se.share + sp.share - 1;
  if (power <= 0 || adjusted_power <= 0) return undefined("the test is no better than chance");
  const double value = std::clamp((share(found) + share(specific) - 1) / power, 0.0, 1.0);

  const double p = (q.share + sp.share - 1) / adjusted_power;
  const double shift = 2 * z2 * (p * variance(se) - (1 - p) * variance(sp));
  const double error =
      std::sqrt(variance(q) + p * p * variance(se) + (1 - p) * (1 - p) * variance(sp)) /
      adjusted_power;
  if (p + shift + z * error < 0) {
    return undefined("less is found than the test's own false alarms; its errors differ here");
  }
  if (p + shift - z * error > 1) {
    return undefined("more is found than the test could; its errors differ here");
  }
  const double low = std::clamp(p + shift - z * error, 0.0, 1.0);
  const double high = std::clamp(p + shift + z * error, 0.0, 1.0);
  return Prevalence{
      value, {std::min(low, value), std::max(high, value)}, share(sensitive), share(specific)};
}

}  // namespace plumb::stats
