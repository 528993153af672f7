// Fits of over-optimisation curves (mismatch/ceiling.h) in the forms in which they leave the
// program.
#pragma once

#include <span>
#include <string>

#include "plumb/base/json.h"
#include "plumb/mismatch/ceiling.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct MismatchFitContext {
  std::string file;
  mismatch::FitOptions options;
};

using CurveReports = std::span<const mismatch::CurveReport>;

// plumb.mismatch-fit/1. Where the interval of d_star reaches beyond the largest d, d_star and
// r_star are null, and a bound of d_star_ci that is infinite too. Where prompts are few "note" says
// so.
Json mismatch_fit_json(CurveReports curves, const MismatchFitContext& context);
Table mismatch_fit_table(CurveReports curves, const MismatchFitContext& context);  // for people
Table mismatch_fit_records(CurveReports curves);                                   // the curves
std::string mismatch_fit_heading(CurveReports curves, const MismatchFitContext& context);
std::string mismatch_fit_sentence(const mismatch::CurveReport& report);  // of one curve
Json mismatch_curve_json(const mismatch::CurveReport& report);           // an entry of "curves"
// What is said of curves of few prompts, each sentence once; "" where there are none.
std::string few_prompts_notes(CurveReports curves);
std::string mismatch_fit_notes(CurveReports curves, const MismatchFitContext& context);

}  // namespace plumb::report
