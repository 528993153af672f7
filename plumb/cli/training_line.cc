#include "plumb/cli/training_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace plumb::cli {

StatusLine::StatusLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

double StatusLine::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

bool StatusLine::due(bool finished) {
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  if (now - start_ < std::chrono::seconds(2)) return false;
  if (now - last_ < pause && !(finished && shown_)) return false;
  last_ = now;
  shown_ = true;
  return true;
}

void StatusLine::draw(std::string_view text, bool finished) {
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\033[K" : "", text,
             terminal_ && !finished ? "" : "\n");
  std::fflush(stderr);
}

TrainingLine::TrainingLine(const std::string& what) : what_(what.empty() ? "" : what + ", ") {}

void TrainingLine::show(const lm::TrainStatus& status) {
  const bool finished = status.step == status.steps;
  smooth_ = seen_ > 0 ? 0.9 * smooth_ + 0.1 * status.loss : status.loss;
  ++seen_;
  if (!line_.due(finished)) return;
  const double left = line_.seconds() / static_cast<double>(seen_) *
                      static_cast<double>(status.steps - status.step);
  line_.draw(fmt::format("{}step {} of {}: loss {:.3f}, {:.0f} tokens/s, {:.0f} s left", what_,
                         status.step, status.steps, smooth_, status.tokens_per_second, left),
             finished);
}

}  // namespace plumb::cli
