#include "plumb/cli/measure_options.h"

#include <fmt/format.h>

#include <limits>

#include "plumb/cli/run_names.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kMeasureResamples = 1000;

constexpr std::uint64_t kMostSteps = std::numeric_limits<std::uint32_t>::max();

}  // namespace

void MeasureArguments::declare(CLI::App& verb) {
  declare_runs(verb, start);
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
  PLUMB_TRY(opened, reading(sampling.values.threads));
  const std::vector<std::string> titles = run_names(runs);
  std::vector<mismatch::RunMeasure> measured;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    opened.options.progress = progress_bar(fmt::format("reading {}", titles[i]));
    PLUMB_TRY(table, mismatch::read_sample_table(runs[i], opened.options));
    measured.push_back(mismatch::measure_run(titles[i], table, options()));
    const mismatch::RunMeasure& run = measured.back();
    if (run.trajectories.empty()) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: nothing can be measured. {}", table.file,
                                                    fmt::join(run.missing, " ")));
    }
    if (!look) continue;
    if (auto looked = look(runs[i], run, opened.options); !looked)
      return tl::unexpected(looked.error());
  }
  return measured;
}

}  // namespace plumb::cli
