#include "plumb/cli/training_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace plumb::cli {

TrainingLine::TrainingLine(const std::string& what)
    : what_(what.empty() ? "" : what + ", "), terminal_(::isatty(STDERR_FILENO) == 1) {}

void TrainingLine::show(const lm::TrainStatus& status) {
  const auto now = Clock::now();
  const bool finished = status.step == status.steps;
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  smooth_ = seen_ > 0 ? 0.9 * smooth_ + 0.1 * status.loss : status.loss;
  ++seen_;
  if (now - start_ < std::chrono::seconds(2)) return;
  if (now - last_ < pause && !(finished && shown_)) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left =
      seconds / static_cast<double>(seen_) * static_cast<double>(status.steps - status.step);
  fmt::print(stderr, "{}{}step {} of {}: loss {:.3f}, {:.0f} tokens/s, {:.0f} s left{}",
             terminal_ ? "\r\033[K" : "", what_, status.step, status.steps, smooth_,
             status.tokens_per_second, left, terminal_ && !finished ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace plumb::cli
