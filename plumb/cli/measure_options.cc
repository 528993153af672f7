#include "plumb/cli/measure_options.h"

#include <fmt/format.h>

#include <limits>
#include <memory>

#include "plumb/cli/feature_options.h"
#include "plumb/cli/run_names.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kMeasureResamples = 1000;

constexpr std::uint64_t kMostSteps = std::numeric_limits<std::uint32_t>::max();

}  // namespace

void MeasureArguments::declare(CLI::App& verb) {
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
  verb.add_option("--best-of", pool,
                  "the step whose samples best of n chooses from; the start unless given")
      ->type_name("STEP")
      ->check(whole_number(0, kMostSteps));
  verb.add_option("--form", form,
                  "bon or rl for all curves; auto: bon for best of n, rl for optimisers")
      ->type_name("FORM")
      ->check(one_of("bon, rl, auto"))
      ->capture_default_str();
  verb.add_option("--resolution", resolution,
                  "a slope that does not matter; unless given a tenth of the range of rewards "
                  "over the range of d")
      ->type_name("X")
      ->check(number(0, 1e300));
  verb.add_option("--kl-budgets", budgets,
                  "budgets in nats to stop at, to compare with [10,30,100]")
      ->type_name("X,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number(0, 1e9));
  fields.declare(verb);
  sampling.values.resamples = kMeasureResamples;
  sampling.declare(verb);
}

mismatch::MeasureOptions MeasureArguments::options() const {
  mismatch::MeasureOptions options;
  options.start = start;
  options.best_of_n_step = pool;
  if (form == "bon") options.form = stats::CurveForm::kBestOfN;
  if (form == "rl") options.form = stats::CurveForm::kRl;
  if (resolution > 0) options.resolution = resolution;
  if (!budgets.empty()) options.rules.kl_budgets = budgets;
  options.sampling = {.resamples = sampling.values.resamples,
                      .level = sampling.level,
                      .seed = sampling.values.seed,
                      .threads = sampling.values.threads};
  return options;
}

Result<std::vector<mismatch::RunMeasure>> MeasureArguments::measure(const Look& look) const {
  mismatch::TableOptions reading{.threads = sampling.values.threads};
  PLUMB_TRY(names, fields.fields());
  reading.fields = names;
  std::unique_ptr<rlhf::Reward> proxy, gold;
  for (const auto& [name, reward] : {std::pair(&proxy_by, &proxy), std::pair(&gold_by, &gold)}) {
    if (name->empty()) continue;
    PLUMB_TRY(opened, rlhf::open_reward(*name, feature_opener()));
    *reward = std::move(opened);
  }
  reading.proxy_by = proxy.get();
  reading.gold_by = gold.get();
  const std::vector<std::string> titles = run_names(runs);
  std::vector<mismatch::RunMeasure> measured;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    reading.progress = progress_bar(fmt::format("reading {}", titles[i]));
    PLUMB_TRY(table, mismatch::read_sample_table(runs[i], reading));
    measured.push_back(mismatch::measure_run(titles[i], table, options()));
    const mismatch::RunMeasure& run = measured.back();
    if (run.trajectories.empty()) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: nothing can be measured. {}", table.file,
                                                    fmt::join(run.missing, " ")));
    }
    if (!look) continue;
    if (auto looked = look(runs[i], run, reading); !looked) return tl::unexpected(looked.error());
  }
  return measured;
}

}  // namespace plumb::cli
