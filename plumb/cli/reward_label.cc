// plumb reward label: simulated people compare completions by a gold reward, for studies whose
// truth is known.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/sample_options.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/worlds/comparers.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

struct LabelCommand {
  std::string samples, gold, output, task, answers;
  SampleFieldOptions fields;
  std::optional<std::size_t> step;
  std::optional<double> temperature;
  double theta = 1;
  rlhf::CompareOptions options;
  RunOptions run_options;

  Result<void> run();
  Result<std::vector<rlhf::Sample>> read() const;
  Result<void> write_files(const rlhf::Labels& labels) const;
};

Result<std::vector<rlhf::Sample>> LabelCommand::read() const {
  const fs::path file = rlhf::samples_file(samples);
  PLUMB_TRY(names, fields.fields());
  PLUMB_TRY(reader, rlhf::SampleReader::open(file, names));
  const Progress progress = progress_bar("reading samples");
  std::vector<rlhf::Sample> all;
  while (true) {
    PLUMB_TRY(sample, reader.next());
    if (!sample) break;
    if (!step || sample->step == *step) all.push_back(std::move(*sample));
    if (progress) progress(reader.lines().bytes_read(), reader.lines().bytes_total());
  }
  if (!all.empty()) return all;
  return fail(ErrorKind::kBadInput,
              step ? fmt::format("{}: holds no samples of step {}", file.string(), *step)
                   : fmt::format("{}: holds no samples", file.string()));
}

Result<void> LabelCommand::write_files(const rlhf::Labels& labels) const {
  if (!task.empty()) {
    const auto made = rlhf::comparison_task(labels, options, fs::path(task).stem().string());
    if (auto done = write_file_atomic(task, tasks::format_task(made.task)); !done) return done;
    const std::string sheets = tasks::format_answers(made.task, made.answers);
    if (auto done = write_file_atomic(answers, sheets); !done) return done;
  }
  if (!output.empty()) return write_file_atomic(output, rlhf::preference_lines(labels));
  return task.empty() ? write_stdout(rlhf::preference_lines(labels)) : Result<void>();
}

Result<void> LabelCommand::run() {
  PLUMB_TRY(reward, rlhf::open_reward(gold, feature_opener()));
  PLUMB_TRY(all, read());
  options.seed = run_options.seed;
  options.threads = run_options.threads;
  if (temperature) {
    options.noise.kind = rlhf::ComparerNoise::Kind::kBradleyTerry;
    options.noise.temperature = *temperature;
    options.noise.log_theta = std::log(theta);
  }
  PLUMB_TRY(labels, rlhf::compare_samples(all, *reward, options));
  if (auto written = write_files(labels); !written) return written;
  fmt::print(stderr,
             "{} pairs, {} votes, {} against the gold, {} ties; {} pairs of equal gold, {}; {} "
             "prompts without two different completions\n",
             labels.pairs.size(), labels.pairs.size() * options.annotators, labels.against_gold,
             labels.ties, labels.equal_gold,
             theta > 1 ? "which are ties likelier than others" : "which a coin decided",
             labels.prompts_left_out);
  return {};
}

void declare(CLI::App& verb, LabelCommand& command) {
  verb.add_option("SAMPLES", command.samples,
                  "a run folder, or completions as JSON lines or a table; plain or gzip")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb.add_option("--gold", command.gold, "the reward that decides: world:happy, world:story, ...")
      ->type_name("REWARD")
      ->check(not_empty())
      ->required();
  CLI::Option* noise =
      verb.add_option("--noise", command.options.noise.flip, "the share of votes for the worse one")
          ->type_name("X")
          ->check(number(0, 0.5))
          ->capture_default_str();
  CLI::Option* chance =
      verb.add_option("--bradley-terry", command.temperature,
                      "votes at random, by the difference of gold over this temperature")
          ->type_name("T")
          ->check(number(1e-9, 1e9))
          ->excludes(noise);
  verb.add_option("--theta", command.theta,
                  "of Rao and Kupper: above 1 a comparer may call it a tie; 1: never")
      ->type_name("X")
      ->check(number(1, 1e9))
      ->capture_default_str()
      ->needs(chance);
  verb.add_option("--pairs", command.options.pairs_per_prompt, "pairs of each prompt, at most")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000))
      ->capture_default_str();
  verb.add_option("--annotators", command.options.annotators, "votes on each pair")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  verb.add_option("--step", command.step, "of the samples only those of this step")->type_name("N");
  verb.add_option("-o,--output", command.output,
                  "the preferences, as JSON lines with prompt, chosen, rejected; standard output "
                  "unless given")
      ->type_name("FILE")
      ->check(not_empty());
  CLI::Option* answers = verb.add_option("--answers", command.answers, "their answers to the task")
                             ->type_name("FILE")
                             ->check(not_empty());
  CLI::Option* task =
      verb.add_option("--task", command.task, "the comparisons as a preference task too")
          ->type_name("FILE")
          ->check(not_empty())
          ->needs(answers);
  answers->needs(task);
  command.fields.declare(verb);
  command.run_options.declare(verb);
}

}  // namespace

void add_reward_label(CLI::App& reward, Program& program) {
  auto command = std::make_shared<LabelCommand>();
  CLI::App* verb = reward.add_subcommand(
      "label",
      "Example:\n  plumb reward label run --gold world:story --noise 0.25 --pairs 20 -o "
      "pairs.jsonl\n\n"
      "Preferences of simulated people, who compare completions of one prompt by a gold reward "
      "and err: for studies whose truth is known.");
  declare(*verb, *command);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
