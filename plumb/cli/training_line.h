// How far a training is: a line that a terminal draws over, a plain one every ten seconds
// otherwise; none in the first two seconds.
//
//   TrainingLine line;
//   train(..., [&](const lm::TrainStatus& status) { line.show(status); });
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "plumb/lm/train.h"

namespace plumb::cli {

class StatusLine {
 public:
  StatusLine();

  // Whether it is time for a line; ask before one is made.
  bool due(bool finished);
  void draw(std::string_view text, bool finished);

  double seconds() const;  // since this line began

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool shown_ = false;
};

class TrainingLine {
 public:
  // what: stands before the step where there are several trainings, "member 2 of 4".
  explicit TrainingLine(const std::string& what = "");

  void show(const lm::TrainStatus& status);

 private:
  std::string what_;
  StatusLine line_;
  std::size_t seen_ = 0;
  double smooth_ = 0;
};

}  // namespace plumb::cli
