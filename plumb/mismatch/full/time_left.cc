#include "plumb/mismatch/full/time_left.h"

#include <algorithm>
#include <utility>

namespace plumb::mismatch {

namespace {
constexpr double kEnough = 0.01;
}

double TimeLeft::Progressed::done() const {
  const auto count = static_cast<double>(stages.count);
  if (whole) return count * stages.cost;
  return stages.cost * std::min(count, static_cast<double>(ended) + part_of_it);
}

TimeLeft::TimeLeft(std::vector<PlannedStages> plan) {
  for (PlannedStages& stages : plan) {
    all_ += static_cast<double>(stages.count) * stages.cost;
    plan_.push_back({std::move(stages)});
  }
}

void TimeLeft::saw(const std::string& part, const std::string& stage, std::size_t done,
                   std::size_t total) {
  for (Progressed& one : plan_) {
    if (one.stages.part != part || !stage.starts_with(one.stages.prefix)) continue;
    if (one.stage != stage) {
      if (!one.stage.empty()) ++one.ended;
      one.stage = stage;
    }
    one.part_of_it =
        total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    return;
  }
}

void TimeLeft::finished(const std::string& part) {
  for (Progressed& one : plan_) {
    if (one.stages.part == part) one.whole = true;
  }
}

double TimeLeft::share() const {
  double done = 0;
  for (const Progressed& one : plan_) done += one.done();
  return all_ > 0 ? done / all_ : 1;
}

void TimeLeft::start(double seconds) {
  started_at_ = seconds;
  started_share_ = share();
}

std::optional<double> TimeLeft::seconds(double now) const {
  const double done = share() - started_share_;
  if (done < kEnough) return std::nullopt;
  return (now - started_at_) * (1 - share()) / done;
}

}  // namespace plumb::mismatch
