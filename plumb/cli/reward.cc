// plumb reward: preference data and reward models.
#include <memory>

#include "plumb/cli/options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/report/preference_audit_report.h"
#include "plumb/rlhf/preferences/preference_audit.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kAuditResamples = 2000;

struct AuditCommand {
  std::string file;
  std::vector<std::string> answers;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const;
};

Result<void> AuditCommand::run() const {
  PLUMB_TRY(data, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  const rlhf::AuditOptions options{.level = sampling.level, .sampling = sampling.values};
  const rlhf::PreferenceAudit audit = rlhf::audit_preferences(data, options);
  const report::PreferenceAuditContext context{&data, &audit, options};
  const std::string heading = report::preference_audit_heading(context) + "\n";
  const auto notes = [&] {
    return "\n" + report::wrapped(report::preference_audit_notes(context)) + "\n";
  };
  return write(
      {.json = [&] { return report::preference_audit_json(context); },
       .records = [&] { return report::preference_audit_records(context); },
       .text =
           [&](auto terminal) {
             return heading + to_terminal(report::preference_audit_table(context), terminal) +
                    notes();
           },
       .markdown =
           [&] {
             return heading + to_markdown(report::preference_audit_table(context)) + notes();
           }},
      output);
}

void add_reward_audit(CLI::App& reward, Program& program) {
  auto command = std::make_shared<AuditCommand>();
  CLI::App* verb = reward.add_subcommand(
      "audit",
      "Example:\n  plumb reward audit harmless-base/test.jsonl.gz\n\n"
      "What preference data reward beside what they are meant to: length, refusals, position; "
      "what occurs twice, and how far annotators agree. Nothing is trained.");
  verb->add_option("DATA", command->file,
                   "JSON lines with prompt, chosen, rejected; HH-RLHF transcripts; a preference "
                   "task; plain or gzip")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--answers", command->answers, "answers of annotators to a preference task")
      ->type_name("FILE")
      ->check(not_empty());
  command->sampling.values.resamples = kAuditResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace

void add_reward(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("reward",
                                      "Example:\n  plumb reward audit preferences.jsonl\n\n"
                                      "Preference data, and the reward models learnt from them.");
  verb->require_subcommand(1);
  add_reward_audit(*verb, program);
  add_reward_label(*verb, program);
  add_reward_train(*verb, program);
  add_reward_eval(*verb, program);
  add_reward_rate(*verb, program);
  add_reward_perturb(*verb, program);
}

}  // namespace plumb::cli
