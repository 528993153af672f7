// Annotators that a seed stands for: for pilots, and to load a server.
//
// They answer through Study like everybody else, are of kind "simulated", and never share a study
// with people, so that nobody counts them as human.
//
//   PLUMB_TRY(report, simulate(study, {.annotators = 5, .profile = {.accuracy = 0.8}, .seed = 1}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct SimulatedProfile {
  double accuracy = 0.8;  // chance of the true answer; of a list each part for itself
  double bias = 0;        // chance of the habit instead: the first label, the side shown first, the
                          // highest grade
  double seconds = 8;     // median active time for an item; log-normal, sigma 0.5
  double dropout = 0;     // chance, for each item, to leave for good with it in hand
  double skipping = 0;    // chance to skip an item
};

struct SimulationOptions {
  int annotators = 3;
  SimulatedProfile profile = {};
  std::uint64_t seed = 0;
  // All at once, a thread each, as annotators load a server; who gets which item then depends on
  // the machine. Otherwise one after another in drawn turns, the same every time.
  bool parallel = false;
  std::optional<std::size_t> most_answers = {};  // stop after so many
  Progress progress = {};
};

// Times of one kind of call, sorted, in seconds.
struct CallTimes {
  std::vector<double> seconds;
  double quantile(double p) const;  // REQUIRES: there are some
};

struct SimulationReport {
  std::size_t answers = 0, skipped = 0, dropouts = 0;
  double elapsed_seconds = 0;
  CallTimes next, submit;
};

// Until everybody has finished or left. Where a task has no gold, the truth is drawn from the seed,
// the same for all. A run that was interrupted goes on where it was.
Result<SimulationReport> simulate(const Study& study, const SimulationOptions& options);

}  // namespace plumb::study
