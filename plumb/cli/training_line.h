// How far a training is: a line that a terminal draws over, a plain one every ten seconds
// otherwise.
//
//   TrainingLine line;
//   train(..., [&](const lm::TrainStatus& status) { line.show(status); });
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "plumb/lm/train.h"

namespace plumb::cli {

class TrainingLine {
 public:
  // what: stands before the step where there are several trainings, "member 2 of 4".
  explicit TrainingLine(const std::string& what = "");

  void show(const lm::TrainStatus& status);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  bool terminal_;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool shown_ = false;
  std::size_t seen_ = 0;
  double smooth_ = 0;
};

}  // namespace plumb::cli
