#include "plumb/stats/few_prompts.h"

#include <fmt/format.h>

#include "plumb/base/counted.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kEnough = 20;

}  // namespace

std::optional<std::string> few_prompts(std::size_t prompts) {
  if (prompts >= kEnough) return std::nullopt;
  if (!too_few_to_judge(prompts)) {
    return fmt::format("{} are few for a bootstrap: intervals may be too short.",
                       counted(prompts, "prompt"));
  }
  return fmt::format(
      "{} {} too few for a verdict or a ceiling; {} or more are needed, {} or more are better.",
      counted(prompts, "prompt"), prompts == 1 ? "is" : "are", kFewestJudged, kEnough);
}

std::string no_verdict_from(std::size_t prompts) {
  return fmt::format("no verdict from {}: {} or more are needed", counted(prompts, "prompt"),
                     kFewestJudged);
}

}  // namespace plumb::stats
