#include "plumb/tasks/answers.h"

#include <algorithm>
#include <array>

namespace plumb::tasks {
namespace {

constexpr std::array<std::string_view, 7> kRaterKindNames = {
    "person", "model", "llm", "reward model", "baseline", "simulated", "adjudicated"};

}  // namespace

std::string_view rater_kind_name(RaterKind kind) {
  return kRaterKindNames[static_cast<std::size_t>(kind)];
}

std::optional<RaterKind> parse_rater_kind(std::string_view name) {
  const auto* found = std::find(kRaterKindNames.begin(), kRaterKindNames.end(), name);
  if (found == kRaterKindNames.end()) return std::nullopt;
  return static_cast<RaterKind>(found - kRaterKindNames.begin());
}

bool is_compared(RaterKind kind) {
  return kind != RaterKind::kPerson && kind != RaterKind::kBaseline &&
         kind != RaterKind::kAdjudicated;
}

}  // namespace plumb::tasks
