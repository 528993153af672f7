// The verdict on a measured curve: its form, where it turns, and whether more optimisation still
// helps where the measurement ends. A form that was chosen from the data and has less than 97.5 %
// of the resamples on its side is not relied on: what is claimed then holds under both forms. From
// too few prompts (stats/few_prompts.h) nothing is claimed: there is no verdict, and no ceiling
// is detected.
//
//   for (const CurveReport& report : fit_curves(curves, {})) report.verdict,
//   report.ceiling->d_star;
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/mismatch/curves.h"
#include "plumb/stats/over_optimisation.h"

namespace plumb::mismatch {

// Of a link between what is optimised and what is wanted, from the interval of a slope.
enum class Verdict {
  kAligned,       // all of it above 0: more of one is more of the other
  kDecoupled,     // holds 0, and lies within the resolution: no change that would matter
  kInverted,      // all of it below 0
  kInsufficient,  // too wide to say
};

// "aligned", "decoupled", "inverted", "insufficient evidence"
std::string_view verdict_name(Verdict verdict);
Verdict verdict_of(const stats::Interval& slope, double resolution);

struct FitOptions {
  std::optional<stats::CurveForm> form = {};  // none: the nearer one
  // A slope at the end below which a change does not matter, in reward per unit of d; none: what
  // would move the reward by a tenth of its range over the whole range of d.
  std::optional<double> resolution = {};
  stats::BootstrapOptions sampling = {.resamples = 2000};
};

struct CurvePoint {
  double d;
  double mean;
  stats::IntervalScore ci;  // over prompts, Student's t
  std::size_t rows;
  double fitted;
};

struct CurveReport {
  std::string name;
  tl::expected<stats::Ceiling, stats::Undefined> ceiling = stats::undefined("");
  std::optional<stats::FormChoice> choice;             // where the form was chosen
  std::optional<std::array<double, 2>> extrapolation;  // see stats::extrapolation_error
  // The forms cannot be told apart: the intervals of d*, of R* and of the slope at the end, and
  // with them detection and verdict, are those that hold under both.
  bool either_form = false;
  std::string choice_note;  // how the form came about, one sentence
  Verdict verdict = Verdict::kInsufficient;
  double resolution = 0;
  double detectable = 0;  // the least slope at the end that would be found with power 0.8
  std::optional<std::string> few = {};  // a sentence where prompts are few
  bool shifted = false;
  std::size_t left_out = 0;             // as the curve has them
  std::vector<std::string> notes = {};  // likewise
  std::vector<CurvePoint> points;       // ascending in d
};

std::vector<CurveReport> fit_curves(std::span<const Curve> curves, const FitOptions& options);

}  // namespace plumb::mismatch
