// plumb mismatch loop: rounds of sampling, asking and learning.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/round_study.h"
#include "plumb/cli/stage_bars.h"
#include "plumb/cli/tables_output.h"
#include "plumb/mismatch/loop/loop.h"
#include "plumb/report/mismatch/loop_report.h"

namespace plumb::cli {
namespace {

struct LoopCommand {
  ModelOptions model;
  std::string folder, choose = "variance", combine = "mean";
  std::vector<std::string> answers;
  std::size_t overlap = 1;
  mismatch::LoopOptions options;
  RunOptions run_options;
  OutputOptions output;
  CLI::App* verb = nullptr;
  CLI::Option* rounds = nullptr;

  Result<void> run();

 private:
  Result<void> refuse_other_options() const;
  Result<void> settle();
  Result<void> take() const;
  std::optional<std::size_t> people_each() const;
  Result<void> print(const mismatch::LoopReport& report) const;
};

// A loop that goes on is what it was begun as.
Result<void> LoopCommand::refuse_other_options() const {
  constexpr std::string_view kLater[] = {"--run",     "--answers", "--rounds", "--overlap",
                                         "--threads", "--json",    "--csv",    "--markdown",
                                         "--output",  "--help"};
  for (const CLI::Option* option : verb->get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || std::ranges::find(kLater, name) != std::end(kLater)) continue;
    return fail(ErrorKind::kUsage,
                fmt::format("{} says what a loop is, and {} was begun: leave it out, or name the "
                            "model too (--model)",
                            name, folder));
  }
  return {};
}

// What the loop is: as it was begun where no model is named, else what the options say.
Result<void> LoopCommand::settle() {
  const std::size_t asked = options.rounds;
  if (model.model.empty()) {
    auto begun = mismatch::read_loop(folder);
    if (!begun && begun.error().kind == ErrorKind::kNotFound) {
      return fail(
          ErrorKind::kUsage,
          fmt::format("{}: no loop was begun here; name a model to begin one (--model)", folder));
    }
    if (!begun) return tl::unexpected(begun.error());
    if (auto alone = refuse_other_options(); !alone) return alone;
    options = std::move(*begun);
    if (rounds->count() > 0) options.rounds = asked;
  } else {
    options.base = model.files();
    options.choosing = *mismatch::parse_choosing(choose);
    options.combination = *rlhf::parse_combination(combine);
    options.seed = run_options.seed;
  }
  options.folder = folder;
  options.threads = run_options.threads;
  return {};
}

// What people answered, put into its round.
Result<void> LoopCommand::take() const {
  PLUMB_TRY(taken, mismatch::take_answers(folder, answers));
  fmt::print(stderr, "round {}: {} answers of {} annotators to {} of {} questions\n", taken.round,
             taken.answers, taken.annotators, taken.answered, taken.questions);
  return {};
}

std::optional<std::size_t> LoopCommand::people_each() const {
  if (verb->get_option("--overlap")->count() == 0) return std::nullopt;
  return overlap;
}

Result<void> LoopCommand::print(const mismatch::LoopReport& report) const {
  const auto whole = [&](auto format) {
    std::string text = report.rounds.empty() ? "" : format(report::mismatch_loop_table(report));
    for (const std::string& note : report::mismatch_loop_notes(report)) {
      text += (text.empty() ? "" : "\n") + report::wrapped(note) + "\n";
    }
    return text;
  };
  return write(tables_output([&] { return report::mismatch_loop_json(report); },
                             [&] { return report::mismatch_loop_records(report); }, whole),
               output);
}

Result<void> LoopCommand::run() {
  if (auto settled = settle(); !settled) return settled;
  if (!answers.empty()) {
    if (auto taken = take(); !taken) return taken;
  }
  StageBars bars;
  PLUMB_TRY(report, mismatch::run_loop(options, [&](const auto& stage, auto done, auto total) {
              bars.show(stage, done, total);
            }));
  if (!report.waiting_for) return print(report);
  PLUMB_TRY(study, study_of_round(report, people_each()));
  if (auto printed = print(report); !printed) return printed;
  fmt::print(stderr, "{}", next_steps(study));
  return {};
}

void declare_asking(CLI::App& verb, LoopCommand& command) {
  mismatch::LoopOptions& o = command.options;
  verb.add_flag("--people", o.people,
                "people answer: each round ends with a study of its questions");
  verb.add_option("--answers", command.answers,
                  "what people answered in the round that waits (plumb study export); goes on with "
                  "the next")
      ->type_name("FILE...")
      ->check(not_empty());
  command.rounds = verb.add_option("--rounds", o.rounds, "in all; more can be asked for later")
                       ->type_name("N")
                       ->check(whole_number(1, 1000))
                       ->capture_default_str();
  verb.add_option("--choose", command.choose,
                  "questions: variance (of the ensemble, times the policy's probability), random")
      ->type_name("HOW")
      ->check(one_of("variance, random"))
      ->capture_default_str();
  declare_count(verb, "--questions", o.questions, 1, "a round");
  declare_count(verb, "--annotators", o.annotators, 1, "simulated ones, for each question");
  declare_number(verb, "--noise", o.noise, 0, 0.5,
                 "the share of their answers that go against the gold");
  declare_count(verb, "--overlap", command.overlap, 1,
                "people for each question of a study; unless said, that of the round before");
}

void declare_training(CLI::App& verb, LoopCommand& command) {
  mismatch::LoopOptions& o = command.options;
  declare_count(verb, "--members", o.members, 1, "reward models of the ensemble");
  verb.add_option(
          "--combine", command.combine,
          "what the policy learns from: their mean, worst, or uncertain (mean less variance)")
      ->type_name("HOW")
      ->check(one_of("mean, worst, uncertain"))
      ->capture_default_str();
  declare_count(verb, "--epochs", o.epochs, 1, "of reward models");
  declare_count(verb, "--steps", o.steps, 1, "of each policy, by RLOO from the base model");
  declare_number(verb, "--rate", o.rate, 0, 10, "of these steps");
  declare_number(verb, "--kl-budget", o.kl_budget, 0, 1e9, "nats at which a policy ends");
  declare_count(verb, "--training-prompts", o.training_prompts, 2, "prompts of questions");
  declare_count(verb, "--prompts", o.measured_prompts, 2, "prompts that policies are measured on");
  declare_count(verb, "--prompt-words", o.prompt_words, 1,
                "words of what the model writes that are the prompt");
  declare_count(verb, "--samples", o.samples, 2, "completions of each training prompt, a round");
  declare_count(verb, "--max-tokens", o.max_tokens, 1, "of a completion");
}

}  // namespace

void add_mismatch_loop(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<LoopCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "loop",
      "Example:\n  plumb mismatch loop --model stories260K.bin --gold world:cheerful --run loop "
      "--rounds 3\n"
      "  plumb mismatch loop --model stories260K.bin --people --run loop\n"
      "  plumb mismatch loop --run loop --answers export.jsonl\n\n"
      "Rounds: sample the policy, choose what to ask, put it to people or to simulated annotators, "
      "score the old reward model on the answers before it learns them, learn, optimise, repeat.");
  command->verb = verb;
  command->model.declare(*verb, false);
  verb->add_option("--run", command->folder, "the folder; taken up where it was left")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->add_option("--gold", command->options.gold,
                   "the truth, by which simulated annotators answer and policies are measured; "
                   "\"\": none is known")
      ->type_name("REWARD")
      ->capture_default_str();
  declare_asking(*verb, *command);
  declare_training(*verb, *command);
  command->run_options.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
