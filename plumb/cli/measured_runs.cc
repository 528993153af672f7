#include "plumb/cli/measured_runs.h"

#include <limits>
#include <utility>

#include "plumb/cli/feature_options.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::cli {
namespace {

constexpr std::uint64_t kMostSteps = std::numeric_limits<std::uint32_t>::max();

Result<std::unique_ptr<rlhf::Reward>> opened(const std::string& name) {
  if (name.empty()) return std::unique_ptr<rlhf::Reward>();
  return rlhf::open_reward(name, feature_opener());
}

}  // namespace

void MeasuredRuns::declare_runs(CLI::App& verb, std::size_t& start) {
  verb.add_option("RUN", runs,
                  "run folders, or samples as JSON lines or tables, plain or gzip: with step, "
                  "prompt, completion, proxy, gold and kl or log-probabilities")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb.add_option("--gold-by", gold_by, "score gold anew by this reward: world:story, ...")
      ->type_name("REWARD")
      ->check(not_empty());
  verb.add_option("--proxy-by", proxy_by, "score the proxy anew by this reward")
      ->type_name("REWARD")
      ->check(not_empty());
  verb.add_option("--start", start, "the step of the starting policy")
      ->type_name("STEP")
      ->check(whole_number(0, kMostSteps))
      ->capture_default_str();
}

Result<MeasuredRuns::Reading> MeasuredRuns::reading(int threads) const {
  PLUMB_TRY(names, fields.fields());
  PLUMB_TRY(proxy, opened(proxy_by));
  PLUMB_TRY(gold, opened(gold_by));
  Reading reading{.proxy = std::move(proxy), .gold = std::move(gold)};
  reading.options.threads = threads;
  reading.options.fields = names;
  reading.options.proxy_by = reading.proxy.get();
  reading.options.gold_by = reading.gold.get();
  return reading;
}

}  // namespace plumb::cli
