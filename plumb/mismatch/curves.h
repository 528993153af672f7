// Measured curves from a table: how far a policy is from its start, and what that earned.
//
//   prompt,d,gold          d,gold              n,proxy,gold
//   p1,0.8,0.31            0.8,0.31            1,-0.19,-0.52
//   p2,0.8,0.12            1.4,0.40            4,0.02,-0.01
//
// Rows at distance 0 are the start: their reward is taken off, prompt by prompt where there are
// prompts, since R(0) = 0 in both forms of a curve.
//
//   PLUMB_TRY(curves, read_curves("points.csv", {.x = "d", .y = {"gold"}}));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/stats/over_optimisation.h"

namespace plumb::mismatch {

enum class Distance {
  kRoot,  // d = sqrt(KL), nats
  kKl,    // KL in nats
  kBest,  // n of best of n; KL is log n - (n - 1) / n, an upper bound where scores are tied
};

struct CurveColumns {
  std::string x = "d";
  Distance meaning = Distance::kRoot;
  std::vector<std::string> y = {"gold"};
  std::string by = {};      // one curve a value of this column; "": one in all
  std::string prompt = {};  // "": "prompt" where the table has it, else rows are single points
};

struct Curve {
  std::string name;                    // of y, after "<by>/" where there is one
  std::vector<double> d, reward;       // rows with d > 0
  std::vector<std::uint32_t> cluster;  // the prompt of each, from 0; empty: single points
  std::size_t prompts = 0;
  bool shifted = false;         // the table has rows at distance 0
  std::size_t left_out = 0;     // rows without a reward, or whose prompt's start has none
  std::string_view doubt = {};  // why no ceiling and no verdict may be drawn from it; "": they may
  std::vector<std::string> notes = {};  // sentences on what it is made of

  stats::CurveData data() const { return {d, reward, cluster}; }
};

// Empty cells of y are left out and counted. kBadInput, with file and line: a column is missing, or
// y is empty throughout; a value is no finite number, a distance is
// negative, n below 1; a prompt has no row at distance 0 although others have; no rows at all.
Result<std::vector<Curve>> read_curves(const std::string& path, const CurveColumns& columns);

}  // namespace plumb::mismatch
