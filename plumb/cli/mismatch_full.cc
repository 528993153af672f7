// plumb mismatch full: chain, evaluations, population, remedies, rounds and the links of it all, on
// one small language model, in one folder.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/given_command.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/run_names.h"
#include "plumb/cli/tables_output.h"
#include "plumb/mismatch/full/full.h"
#include "plumb/report/mismatch/full_report.h"
#include "plumb/report/mismatch/links_page.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kExamples = 3, kResamples = 1000;
constexpr const char* kMethods = "rloo, grpo, ppo, dpo";

// A line at the beginning of each part, and a bar for each stage of it.
class FullBars {
 public:
  void show(const mismatch::FullStatus& now) {
    if (now.number != part_) {
      part_ = now.number;
      fmt::print(stderr, "{} of {}: {}{}\n", now.number, now.parts, now.part, left(now));
    }
    if (now.stage.empty() || now.total == 0) return;
    if (now.stage != stage_) {
      stage_ = now.stage;
      bar_ = progress_bar(fmt::format("{}: {}{}", now.part, now.stage, left(now)));
    }
    bar_(now.done, now.total);
  }

 private:
  static std::string left(const mismatch::FullStatus& now) {
    if (!now.seconds_left) return "";
    const double minutes = *now.seconds_left / 60;
    return minutes < 1 ? ", less than a minute left in all"
                       : fmt::format(", about {:.0f} min left in all", minutes);
  }

  std::size_t part_ = 0;
  std::string stage_;
  Progress bar_;
};

struct FullCommand {
  const CLI::App* verb = nullptr;
  ModelOptions model;
  std::string folder;
  std::vector<std::string> methods, suites;
  mismatch::FullOptions options;
  double share = 1, noise = 0.25, rate = 1e-4;
  std::size_t rounds = 3, seeds = 2, max_tokens = 48, prompt_words = 12;
  RunOptions run_options;
  OutputOptions output;

  Result<void> run();

 private:
  void settle();
  Result<void> write_page_data(const mismatch::FullReport& report) const;
  Result<void> print(const mismatch::FullReport& report) const;
  report::FullContext context() const { return {given_command(*verb), folder}; }
};

void FullCommand::settle() {
  options.base = model.files();
  options.folder = folder;
  options.seed = run_options.seed;
  options.threads = run_options.threads;
  options.features = feature_opener();
  options.links.sampling.resamples = kResamples;
  if (!methods.empty()) {
    std::erase_if(options.chain.methods, [&](rlhf::Method method) {
      return std::ranges::find(methods, rlhf::method_name(method)) == methods.end();
    });
  }
  if (!suites.empty()) options.evaluations.suites = suites;
  mismatch::scale(options, share);
  options.chain.noise = options.remedies.noise = options.loop.noise = noise;
  options.population.people_noise = noise;
  options.loop.rounds = rounds;
  options.population.grid.seeds = seeds;
  const auto everywhere = [](auto value, auto&... parts) { ((parts = value), ...); };
  everywhere(rate, options.chain.rate, options.remedies.rate, options.loop.rate);
  everywhere(max_tokens, options.chain.max_tokens, options.population.max_tokens,
             options.remedies.max_tokens, options.loop.max_tokens);
  everywhere(prompt_words, options.chain.prompt_words, options.population.prompt_words,
             options.remedies.prompt_words, options.loop.prompt_words);
}

// What `plumb report full` makes a page of.
Result<void> FullCommand::write_page_data(const mismatch::FullReport& found) const {
  std::vector<mismatch::Examples> examples;
  for (const mismatch::RunLinks& run : found.links.report.runs) {
    PLUMB_TRY(shown, mismatch::read_examples(run.draws.file, report::measure_of(run), {},
                                             {.prompts = kExamples, .seed = run_options.seed}));
    examples.push_back(std::move(shown));
  }
  const std::string title = fmt::format("The three links: {}", run_names({folder}).front());
  const Json data = report::full_page_data(title, found, examples, context());
  return write_file_atomic(std::filesystem::path(folder) / "report.json", to_text(data) + "\n");
}

Result<void> FullCommand::print(const mismatch::FullReport& found) const {
  const auto whole = [&](auto format) {
    std::string text;
    for (const report::FullPart& part : report::full_parts(found)) {
      text += part.heading + "\n\n";
      for (const report::Table& table : part.tables) text += format(table) + "\n";
      for (const std::string& note : part.notes) text += report::wrapped(note) + "\n\n";
    }
    text += format(report::full_times_table(found)) + "\n";
    text += fmt::format("The page: plumb report full {} -o full.html\n\n", folder);
    return text + report::wrapped(found.links.report.sentence) + "\n";
  };
  return write(tables_output([&] { return report::full_json(found, context()); },
                             [&] { return report::links_records(found.links.report); }, whole),
               output);
}

Result<void> FullCommand::run() {
  settle();
  FullBars bars;
  PLUMB_TRY(found,
            mismatch::run_full(options, [&](const mismatch::FullStatus& now) { bars.show(now); }));
  if (auto written = write_page_data(found); !written) return written;
  return print(found);
}

void declare(CLI::App& verb, FullCommand& command) {
  declare_run_and_gold(verb, command.folder, command.options.gold);
  verb.add_flag("--gold-model", command.options.chain.gold_model,
                "the truth is a reward model that learnt from comparisons by --gold");
  declare_number(verb, "--scale", command.share, 0.001, 1,
                 "a share of all prompts, samples, steps and questions, for a first look");
  declare_number(verb, "--noise", command.noise, 0, 0.5,
                 "the share of comparisons that go against the gold");
  verb.add_option(
          "--methods", command.methods,
          fmt::format("{}; all unless given, and one that learns from the reward model", kMethods))
      ->type_name("NAME")
      ->check(one_of(kMethods))
      ->delimiter(',');
  declare_number(verb, "--rate", command.rate, 0, 10, "of all optimisers' steps");
  declare_count(verb, "--seeds", command.seeds, 2,
                "reward models of each size, amount and noise of data: 24 of 2");
  declare_count(verb, "--rounds", command.rounds, 2,
                "of asking: the first about the model, then about its policies");
  const std::string suites = fmt::format("{}", fmt::join(mismatch::suites_built_in(), ", "));
  verb.add_option("--evals", command.suites,
                  fmt::format("evaluations of every checkpoint: {}; cloze, stories and arithmetic "
                              "unless given",
                              suites))
      ->type_name("NAME")
      ->check(one_of(suites))
      ->delimiter(',');
  declare_count(verb, "--prompt-words", command.prompt_words, 1,
                "words of what the model writes that are the prompt");
  declare_count(verb, "--max-tokens", command.max_tokens, 1, "of a completion");
}

}  // namespace

void add_mismatch_full(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<FullCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "full",
      "Example:\n  plumb mismatch full --model stories260K.bin --run full\n"
      "  plumb mismatch full --model stories260K.bin --run look --scale 0.1\n\n"
      "Everything on one small language model: the chain with four optimisers and best of n, the "
      "same optimisers against the gold, evaluations of every checkpoint, a population of reward "
      "models, remedies at equal compute, rounds of relabelling; and the three links with all of "
      "it. Taken up where it was killed; ends with the same bytes.");
  command->model.declare(*verb);
  declare(*verb, *command);
  command->run_options.declare(*verb);
  command->output.declare(*verb);
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
