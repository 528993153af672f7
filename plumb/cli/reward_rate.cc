// plumb reward rate: what reward models answer to a preference task, as answer sheets beside those
// of people.
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/reward/reward_rater.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

struct RateCommand {
  std::string file, output;
  std::vector<std::string> models;
  RunOptions run_options;

  Result<void> run() const;
};

Result<void> RateCommand::run() const {
  PLUMB_TRY(task, tasks::read_task(file, progress_bar("reading " + file)));
  std::vector<tasks::AnswerSheet> sheets;
  for (const std::string& model : models) {
    PLUMB_TRY(reward, rlhf::open_learned_reward({model}, feature_opener()));
    rlhf::RewardRater rater(std::move(reward));
    PLUMB_TRY(made, rater.answer(task, {run_options.seed, run_options.threads, {}}));
    for (tasks::AnswerSheet& sheet : made) sheets.push_back(std::move(sheet));
  }
  const std::string text = tasks::format_answers(task, sheets);
  return output.empty() ? write_stdout(text) : write_file_atomic(output, text);
}

}  // namespace

void add_reward_rate(CLI::App& reward, Program& program) {
  auto command = std::make_shared<RateCommand>();
  CLI::App* verb = reward.add_subcommand(
      "rate",
      "Example:\n  plumb reward rate pairs.task.jsonl --model runs/rm/model -o rm.answers.jsonl\n\n"
      "What reward models answer to a preference task, as answers that plumb score, gap and agree "
      "take beside those of people.");
  verb->add_option("TASK", command->file, "a preference task")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--model,--models", command->models, "reward models, or folders of ensembles")
      ->type_name("PATH...")
      ->check(not_empty())
      ->required();
  verb->add_option("-o,--output", command->output, "the answers; standard output unless given")
      ->type_name("FILE")
      ->check(not_empty());
  command->run_options.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
