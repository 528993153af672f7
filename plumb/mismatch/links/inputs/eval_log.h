// Evaluations of a policy at its checkpoints, as link C reads them:
//
//   {"step":100,"eval":"gsm8k","metric":"acc","n":200,"score":0.41,"ci":[0.34,0.48]}
//   {"step":100,"eval":"cloze","item":"q17","score":1}
//   {"schema":"plumb.eval/1","step":100,"rows":[{"eval":"xstest","metric":"full_refusal",...}]}
//
// Rows are those of evals/row.h; of an object of plumb.eval/1 the trivial answers are left out.
// JSON lines or tables (with "ci_low" and "ci_high" for "ci"). Lines with "item" are answers to
// single items: their mean is the score, and checkpoints are compared item by item. "run" names the
// run where a log is of several. "at" ("floor", "ceiling") says that a score has no room.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/stats/score.h"

namespace plumb::mismatch {

struct EvalPoint {
  std::size_t step = 0, n = 0;
  double score = 0;
  std::optional<stats::Interval> ci = {};
  std::string at = {};                       // "floor", "ceiling"; "": neither
  std::map<std::string, double> items = {};  // by item; empty: only the score is known
};

struct EvalSeries {
  std::string run;                // "": of every run
  std::string name;               // "gsm8k acc"
  std::vector<EvalPoint> points;  // ascending by step

  const EvalPoint* at_step(std::size_t step) const;  // nullptr: none
};

// Intervals of scores of items are Student's at `level`; where all are alike Wilson's, scaled, if
// they lie in 0 .. 1, else none. kBadInput with file and line: no step, no eval, no score; a step
// that stands twice, or is of other items than the steps before it; a reason in place of a score is
// left out.
Result<std::vector<EvalSeries>> read_eval_log(const std::filesystem::path& file, double level);

}  // namespace plumb::mismatch
