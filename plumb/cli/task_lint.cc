// plumb task lint: what is wrong with a task before anyone answers it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "plumb/base/version.h"
#include "plumb/cli/task_verbs.h"
#include "plumb/tasks/lint.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kShownIds = 5;

struct LintCommand {
  std::string file, fail_on = "never";
  std::size_t longest_text = tasks::LintOptions{}.longest_text;
  OutputOptions output;

  Result<void> run() const;
};

std::string some_of(const std::vector<std::string>& ids) {
  const auto shown = std::span(ids).first(std::min(ids.size(), kShownIds));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (ids.size() > shown.size()) text += fmt::format(" and {} more", ids.size() - shown.size());
  return report::printable(text);
}

report::Table findings_table(const tasks::Lint& lint) {
  report::Table table{{{"severity"}, {"check"}, {"what"}, {"items"}}, {}};
  for (const tasks::Finding& finding : lint.findings) {
    table.rows.push_back({std::string(severity_name(finding.severity)), finding.check,
                          report::printable(finding.message), some_of(finding.items)});
  }
  return table;
}

// A row a finding and item.
report::Table findings_records(const tasks::Lint& lint) {
  report::Table table{{{"severity"}, {"check"}, {"item"}, {"message"}}, {}};
  for (const tasks::Finding& finding : lint.findings) {
    const std::string severity(severity_name(finding.severity));
    if (finding.items.empty()) {
      table.rows.push_back({severity, finding.check, "", finding.message});
    }
    for (const std::string& id : finding.items) {
      table.rows.push_back({severity, finding.check, id, finding.message});
    }
  }
  return table;
}

Json findings_json(const tasks::Lint& lint) {
  Json json = {{"schema", "plumb.task-lint/1"},   {"version", kVersion},
               {"task", lint.task.name},          {"items", lint.task.items.size()},
               {"train", lint.task.train.size()}, {"findings", Json::array()}};
  for (const tasks::Finding& finding : lint.findings) {
    json["findings"].push_back({{"check", finding.check},
                                {"severity", severity_name(finding.severity)},
                                {"message", finding.message},
                                {"items", finding.items}});
  }
  return json;
}

Result<void> LintCommand::run() const {
  PLUMB_TRY(lint, tasks::lint_file(file, {longest_text, progress_bar("reading " + file)}));
  const std::string heading =
      fmt::format("{}: {} items, {} training items, {}\n", report::printable(lint.task.name),
                  lint.task.items.size(), lint.task.train.size(),
                  lint.findings.empty() ? std::string("nothing found")
                                        : fmt::format("{} findings", lint.findings.size()));
  const auto written =
      write({.json = [&] { return findings_json(lint); },
             .records = [&] { return findings_records(lint); },
             .text =
                 [&](auto terminal) {
                   if (lint.findings.empty()) return heading;
                   return heading + "\n" + to_terminal(findings_table(lint), terminal);
                 },
             .markdown = [&] { return heading + "\n" + to_markdown(findings_table(lint)); }},
            output);
  if (!written) return written;
  const auto worst = fail_on == "error"     ? tasks::Severity::kError
                     : fail_on == "warning" ? tasks::Severity::kWarning
                                            : tasks::Severity::kNote;
  const auto bad = std::ranges::count_if(
      lint.findings, [worst](const auto& finding) { return finding.severity <= worst; });
  if (fail_on == "never" || bad == 0) return {};
  return fail(ErrorKind::kGateFailed, fmt::format("{}: {} findings of severity {} or worse", file,
                                                  bad, severity_name(worst)));
}

}  // namespace

void add_task_lint(CLI::App& task, Program& program) {
  auto command = std::make_shared<LintCommand>();
  CLI::App* verb = task.add_subcommand(
      "lint",
      "Example:\n  plumb task lint toxic.task.jsonl --fail-on error\n\n"
      "What is wrong with a task before anyone answers it: training items among the items, "
      "duplicates, empty and endless texts, labels that are mixed or missing, gold that leaks. "
      "Each finding names its items; --json and --csv list all of them.");
  verb->add_option("TASK", command->file, "a task file (docs/formats.md)")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--longest-text", command->longest_text,
                   "characters that a person is expected to read")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000))
      ->capture_default_str();
  verb->add_option("--fail-on", command->fail_on,
                   "exit with 7 where a finding is as bad: error, warning, note, never")
      ->type_name("SEVERITY")
      ->check(one_of("error, warning, note, never"))
      ->capture_default_str();
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
