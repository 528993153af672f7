// plumb study simulate: annotators that a seed stands for.
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/study/simulate.h"

namespace plumb::cli {
namespace {

using report::Align;
using report::Table;

struct SimulateCommand {
  StudyOptions where;
  study::SimulationOptions options;
  std::size_t most_answers = 0;
  OutputOptions output;

  Result<void> run();
};

struct Call {
  const char* name;
  const study::CallTimes& times;
};

std::optional<double> milliseconds(const study::CallTimes& times, double p) {
  if (times.seconds.empty()) return std::nullopt;
  return 1000 * times.quantile(p);
}

Json times_json(const study::CallTimes& times) {
  Json json = {{"calls", times.seconds.size()}};
  for (const auto& [name, p] : {std::pair("p50_ms", 0.5), std::pair("p95_ms", 0.95),
                                std::pair("p99_ms", 0.99), std::pair("max_ms", 1.0)}) {
    const auto value = milliseconds(times, p);
    json[name] = value ? Json(*value) : Json(nullptr);
  }
  return json;
}

Table times_table(const study::SimulationReport& report, bool exact) {
  Table table{{{"call"},
               {"calls", Align::kRight},
               {"median ms", Align::kRight},
               {"p95 ms", Align::kRight},
               {"p99 ms", Align::kRight}},
              {}};
  for (const Call& call : {Call{"next item", report.next}, Call{"submit", report.submit}}) {
    std::vector<std::string> row = {call.name, fmt::format("{}", call.times.seconds.size())};
    for (const double p : {0.5, 0.95, 0.99}) {
      const auto value = milliseconds(call.times, p);
      row.push_back(exact ? report::exact(value) : report::fixed(value, 2));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Json simulation_json(const std::string& name, const study::SimulationReport& report) {
  return {{"schema", "plumb.study-simulate/1"},
          {"version", kVersion},
          {"study", name},
          {"answers", report.answers},
          {"skipped", report.skipped},
          {"dropouts", report.dropouts},
          {"seconds", report.elapsed_seconds},
          {"next", times_json(report.next)},
          {"submit", times_json(report.submit)}};
}

Result<void> SimulateCommand::run() {
  if (most_answers > 0) options.most_answers = most_answers;
  options.progress = progress_bar("answering");
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  PLUMB_TRY(report, study::simulate(open.study, options));
  const std::string heading =
      fmt::format("{} answers, {} skipped, {} dropped out, in {:.1f} s\n", report.answers,
                  report.skipped, report.dropouts, report.elapsed_seconds);
  return write(
      {.json = [&] { return simulation_json(where.name, report); },
       .records = [&] { return times_table(report, true); },
       .text =
           [&](auto terminal) {
             return heading + "\n" + to_terminal(times_table(report, false), terminal);
           },
       .markdown = [&] { return heading + "\n" + to_markdown(times_table(report, false)); }},
      output);
}

}  // namespace

void add_study_simulate(CLI::App& study, Program& program) {
  auto command = std::make_shared<SimulateCommand>();
  CLI::App* verb = study.add_subcommand(
      "simulate",
      "Example:\n  plumb study simulate pilot --annotators 5 --accuracy 0.8\n\n"
      "Annotators that a seed stands for answer a study, for a pilot or to load the machine. They "
      "are of kind simulated, never counted as human, and refused in a study of people.");
  command->where.declare(*verb);
  auto& options = command->options;
  auto& profile = options.profile;
  verb->add_option("--annotators", options.annotators, "how many")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  const auto share = [&](const char* name, double& value, const char* help) {
    verb->add_option(name, value, help)->type_name("X")->check(number(0, 1))->capture_default_str();
  };
  share("--accuracy", profile.accuracy,
        "chance of the true answer; of a list each part for itself");
  share("--bias", profile.bias, "chance of a habit instead: the first label, the first side");
  share("--dropout", profile.dropout, "chance, for each item, to leave for good");
  share("--skipping", profile.skipping, "chance to skip an item");
  verb->add_option("--seconds", profile.seconds, "median time for an item, as it is reported")
      ->type_name("X")
      ->check(number(0.001, 100'000))
      ->capture_default_str();
  verb->add_option("--answers", command->most_answers, "stop after so many")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  verb->add_option("--seed", options.seed, "seed of every random draw")
      ->type_name("N")
      ->check(whole_number(0, std::numeric_limits<std::uint64_t>::max()))
      ->capture_default_str();
  verb->add_flag("--parallel", options.parallel,
                 "all at once, as a load test; who gets which item then depends on the machine");
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
