// Rows from one value an item, with the interval that fits the value: what every judge of evals/
// ends in.
//
//   rows.push_back(share_row({"gsm8k", "strict"}, right, {}, kShareScale, 0.95));
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "plumb/evals/row.h"

namespace plumb::evals {

struct RowName {
  std::string eval, metric;
};

// A mean of values in [0, 1], most of them 0 or 1: Wilson's interval, with the design effect of
// clusters where items share a prompt. clusters: empty (each item its own) or one number an item.
// REQUIRES: values in [0, 1].
EvalRow share_row(const RowName& name, std::span<const double> values,
                  std::span<const std::uint32_t> clusters, const Scale& scale, double level);

// A mean of any values: Student's interval; of bounded values (`scale` with floor and ceiling) cut
// to them, and where all are alike the interval that their number allows
// (stats::bounded_mean_interval); of others that are all alike none, and the note says so.
EvalRow mean_row(const RowName& name, std::span<const double> values, const Scale& scale,
                 double level);

}  // namespace plumb::evals
