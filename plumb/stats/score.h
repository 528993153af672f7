// The words of stats/: a Score is a number or the reason why there is none; an Interval is where
// the true value plausibly lies. Nothing in stats/ returns NaN, and nothing turns an undefined
// score into 0.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

namespace plumb::stats {

// Why a score has no value, in words a user reads: "one of the two inputs is constant".
// The reason is a string literal: cheap enough for the inner loop of a bootstrap.
struct Undefined {
  std::string_view reason;
};

using Score = tl::expected<double, Undefined>;

inline tl::unexpected<Undefined> undefined(std::string_view reason) {
  return tl::unexpected<Undefined>(Undefined{reason});
}

struct Interval {
  double low;
  double high;
};

using IntervalScore = tl::expected<Interval, Undefined>;

}  // namespace plumb::stats
