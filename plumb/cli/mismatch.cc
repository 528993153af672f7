// plumb mismatch: where what is optimised and what is wanted part.
#include <filesystem>
#include <memory>

#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/options.h"
#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/measure/measure.h"
#include "plumb/report/mismatch_report.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kFitResamples = 2000;

struct FitCommand {
  std::string file, meaning = "d", form = "auto";
  mismatch::CurveColumns columns;
  double resolution = 0;
  SamplingOptions sampling;
  OutputOptions output;

  mismatch::FitOptions options() const;
  Result<std::vector<mismatch::Curve>> curves() const;
  Result<void> run();
};

mismatch::FitOptions FitCommand::options() const {
  mismatch::FitOptions options;
  if (form == "bon") options.form = stats::CurveForm::kBestOfN;
  if (form == "rl") options.form = stats::CurveForm::kRl;
  if (resolution > 0) options.resolution = resolution;
  options.sampling = {.resamples = sampling.values.resamples,
                      .level = sampling.level,
                      .seed = sampling.values.seed,
                      .threads = sampling.values.threads};
  return options;
}

Result<std::vector<mismatch::Curve>> FitCommand::curves() const {
  std::error_code ignored;
  if (!std::filesystem::is_directory(file, ignored)) return mismatch::read_curves(file, columns);
  PLUMB_TRY(table,
            mismatch::read_sample_table(file, {.fields = {},
                                               .threads = sampling.values.threads,
                                               .progress = progress_bar("reading samples")}));
  return mismatch::curves_of_samples(table, columns.y);
}

Result<void> FitCommand::run() {
  if (meaning == "kl") columns.meaning = mismatch::Distance::kKl;
  if (meaning == "n") columns.meaning = mismatch::Distance::kBest;
  PLUMB_TRY(measured, curves());
  const report::MismatchFitContext context{file, options()};
  const auto fits = mismatch::fit_curves(measured, context.options);
  const std::string heading = report::mismatch_fit_heading(fits, context) + "\n";
  const auto notes = [&] {
    return "\n" + report::wrapped(report::mismatch_fit_notes(fits, context)) + "\n";
  };
  return write(
      {.json = [&] { return report::mismatch_fit_json(fits, context); },
       .records = [&] { return report::mismatch_fit_records(fits); },
       .text =
           [&](auto terminal) {
             return heading + to_terminal(report::mismatch_fit_table(fits, context), terminal) +
                    notes();
           },
       .markdown =
           [&] {
             return heading + to_markdown(report::mismatch_fit_table(fits, context)) + notes();
           }},
      output);
}

void add_mismatch_fit(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<FitCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "fit",
      "Example:\n  plumb mismatch fit points.csv --x d --y gold\n\n"
      "Fits gold scores against the distance from the start in both forms of Gao et al. (2023), "
      "and says where more optimisation stops helping, or that nothing shows that it does.");
  verb->add_option("POINTS", command->file,
                   "CSV, TSV or JSON lines: a row a point, or a row a prompt and point; or a run "
                   "folder")
      ->type_name("")
      ->check(not_empty())
      ->required();
  const auto column = [&](const char* option, std::string& name, const char* help) {
    return verb->add_option(option, name, help)->type_name("COLUMN")->check(not_empty());
  };
  column("--x", command->columns.x, "the column of distances")->capture_default_str();
  verb->add_option("--x-is", command->meaning,
                   "what it holds: d (the root of the KL), kl (nats), n (of best of n)")
      ->type_name("WHAT")
      ->check(one_of("d, kl, n"))
      ->capture_default_str();
  verb->add_option("--y", command->columns.y, "columns of rewards, a curve each")
      ->type_name("COLUMN")
      ->check(not_empty())
      ->default_str("gold");
  column("--by", command->columns.by, "a curve for each value of this column");
  column("--prompt", command->columns.prompt,
         "the column of prompts, which are resampled; \"prompt\" where there is one");
  verb->add_option("--form", command->form,
                   "bon, rl, or auto: the nearer one; both where they cannot be told apart")
      ->type_name("FORM")
      ->check(one_of("bon, rl, auto"))
      ->capture_default_str();
  verb->add_option("--resolution", command->resolution,
                   "a slope that does not matter; unless given a tenth of the range of rewards "
                   "over the range of d")
      ->type_name("X")
      ->check(number(0, 1e300));
  command->sampling.values.resamples = kFitResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace

void declare_run_and_gold(CLI::App& verb, std::string& folder, std::string& gold) {
  verb.add_option("--run", folder, "the folder; taken up where it was killed")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb.add_option("--gold", gold, "the truth: a planted world, a program, or a reward model")
      ->type_name("REWARD")
      ->check(not_empty())
      ->capture_default_str();
}

void add_mismatch(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("mismatch",
                                      "Example:\n  plumb mismatch measure runs/grpo runs/dpo\n\n"
                                      "Where what is optimised and what is wanted part.");
  verb->require_subcommand(1);
  add_mismatch_measure(*verb, program);
  add_mismatch_fit(*verb, program);
  add_mismatch_links(*verb, program);
  add_mismatch_chain(*verb, program);
  add_mismatch_population(*verb, program);
  add_mismatch_remedies(*verb, program);
  add_mismatch_loop(*verb, program);
  add_mismatch_full(*verb, program);
}

}  // namespace plumb::cli
