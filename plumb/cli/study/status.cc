// plumb study status: how far a study is, how far annotators agree, how good and how fast they are.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/cli/tables_output.h"
#include "plumb/report/common.h"
#include "plumb/study/measure.h"
#include "plumb/study/review/status_json.h"

namespace plumb::cli {
namespace {

using report::Align;
using report::Table;
using study::AnnotatorStatus;
using study::StudyStatus;
using study::TaskStatus;

struct StatusCommand {
  StudyOptions where;
  study::AgreementOptions agreement;
  OutputOptions output;

  Result<void> run() const;
  Result<void> list(study::Store& store) const;
};

using study::Agreements;

std::string share(const stats::Score& value, const stats::IntervalScore& ci, int digits) {
  if (!value) return "-";
  const auto interval = report::to_optional(ci);
  return interval ? fmt::format("{} {}", report::fixed(*value, digits),
                                report::interval(interval, digits))
                  : report::fixed(*value, digits);
}

Table task_table(const StudyStatus& status) {
  Table table{{{"task"},
               {"kind"},
               {"items", Align::kRight},
               {"answers", Align::kRight},
               {"of", Align::kRight},
               {"with others now", Align::kRight},
               {"complete items", Align::kRight}},
              {}};
  for (const TaskStatus& task : status.tasks) {
    table.rows.push_back({report::printable(task.task.header.name),
                          std::string(kind_name(task.task.header.kind)),
                          fmt::format("{}", task.task.items), fmt::format("{}", task.submitted),
                          fmt::format("{}", task.slots), fmt::format("{}", task.leased),
                          fmt::format("{}", task.complete_units)});
  }
  return table;
}

Table annotator_table(const StudyStatus& status) {
  Table table{{{"annotator"},
               {"kind", Align::kLeft, 2},
               {"answers", Align::kRight},
               {"skipped", Align::kRight, 1},
               {"flagged", Align::kRight, 1},
               {"surplus", Align::kRight, 2},
               {"on known items", Align::kRight},
               {"on repeats", Align::kRight},
               {"seconds an item", Align::kRight},
               {"last answer", Align::kLeft, 3}},
              {}};
  for (const AnnotatorStatus& one : status.annotators) {
    table.rows.push_back(
        {report::printable(one.annotator.pseudonym),
         std::string(rater_kind_name(one.annotator.kind)), fmt::format("{}", one.answered),
         fmt::format("{}", one.skipped), fmt::format("{}", one.flagged),
         fmt::format("{}", one.surplus), share(one.gold.value, one.gold.ci, 2),
         share(one.repeats.value, one.repeats.ci, 2), share(one.active.seconds, one.active.ci, 1),
         one.last_ms ? study::utc_text(*one.last_ms) : "-"});
  }
  return table;
}

Table agreement_table(const StudyStatus& status, const Agreements& agreements) {
  Table table{{{"task"}, {"agreement"}, {"value", Align::kRight}, {"items", Align::kRight}}, {}};
  for (std::size_t t = 0; t < agreements.size(); ++t) {
    const std::string name = report::printable(status.tasks[t].task.header.name);
    if (!agreements[t]) {
      table.rows.push_back({name, "undefined: " + agreements[t].error().message, "-", "0"});
      continue;
    }
    const auto& report = agreements[t]->report;
    for (const tasks::AgreementRow& row : report.rows) {
      const std::string title =
          row.value ? row.title
                    : fmt::format("{} (undefined: {})", row.title, row.value.error().reason);
      table.rows.push_back(
          {name, title, share(row.value, row.ci, 3), fmt::format("{}", report.pairable)});
    }
  }
  return table;
}

// The parts of a status as rows of one table: what of whom, one value a row.
class Records {
 public:
  void start(std::string_view part, std::string name, std::string_view kind) {
    part_ = part;
    name_ = std::move(name);
    kind_ = kind;
  }
  void add(std::string_view measure, std::string value) {
    table_.rows.push_back(
        {part_, name_, kind_, std::string(measure), std::move(value), "", "", "", ""});
  }
  void add(std::string_view measure, std::int64_t count) { add(measure, fmt::format("{}", count)); }
  void add(std::string_view measure, const stats::Score& value, const stats::IntervalScore& ci,
           std::size_t n) {
    const auto interval = report::to_optional(ci);
    table_.rows.push_back({part_, name_, kind_, std::string(measure),
                           value ? report::exact(*value) : "", report::low(interval),
                           report::high(interval), fmt::format("{}", n),
                           value ? "" : std::string(value.error().reason)});
  }
  Table take() { return std::move(table_); }

 private:
  std::string part_, name_, kind_;
  Table table_{report::columns({"part", "name", "kind", "measure", "value", "ci_low", "ci_high",
                                "n", "reason"}),
               {}};
};

void add_task(const TaskStatus& task, Records& records) {
  records.start("task", task.task.header.name, kind_name(task.task.header.kind));
  records.add("items", static_cast<std::int64_t>(task.task.items));
  records.add("slots", task.slots);
  records.add("open", task.open);
  records.add("leased", task.leased);
  records.add("answers", task.submitted);
  records.add("answered", task.answered_units);
  records.add("complete", task.complete_units);
}

void add_annotator(const AnnotatorStatus& one, Records& records) {
  records.start("annotator", one.annotator.pseudonym, rater_kind_name(one.annotator.kind));
  records.add("answers", one.answered);
  records.add("skipped", one.skipped);
  records.add("flagged", one.flagged);
  records.add("surplus", one.surplus);
  records.add("holding", one.holding);
  records.add("gold", one.gold.value, one.gold.ci, one.gold.checks);
  records.add("repeats", one.repeats.value, one.repeats.ci, one.repeats.checks);
  records.add("active_seconds", one.active.seconds, one.active.ci, one.active.items);
  records.add("idle_seconds", one.idle.seconds, one.idle.ci, one.idle.items);
  records.add("last", one.last_ms ? study::utc_text(*one.last_ms) : std::string());
}

void add_agreement(const TaskStatus& task, const Result<study::LiveAgreement>& agreement,
                   Records& records) {
  records.start("agreement", task.task.header.name, kind_name(task.task.header.kind));
  if (!agreement) {
    records.add("agreement", stats::undefined(agreement.error().message), stats::undefined(""), 0);
    return;
  }
  for (const tasks::AgreementRow& row : agreement->report.rows) {
    records.add(row.id, row.value, row.ci, agreement->report.pairable);
  }
}

Table status_records(const StudyStatus& status, const Agreements& agreements) {
  Records records;
  for (const TaskStatus& task : status.tasks) add_task(task, records);
  for (const AnnotatorStatus& one : status.annotators) add_annotator(one, records);
  for (std::size_t t = 0; t < agreements.size(); ++t) {
    add_agreement(status.tasks[t], agreements[t], records);
  }
  return records.take();
}

std::string heading_of(const study::Study& study, const StudyStatus& status) {
  return fmt::format("{}: {}, {} annotators an item ({}), guidelines version {}\n",
                     report::printable(study.info().name), status.frozen ? "frozen" : "open",
                     study.info().overlap, assignment_name(study.info().assignment),
                     status.guideline);
}

Result<void> StatusCommand::list(study::Store& store) const {
  PLUMB_TRY(names, study::Study::names(store));
  Table table{{{"study"}}, {}};
  for (const std::string& name : names) table.rows.push_back({report::printable(name)});
  return write({.json =
                    [&, &names = names] {
                      return Json{{"schema", "plumb.study-list/1"},
                                  {"version", kVersion},
                                  {"studies", names}};
                    },
                .records = [&] { return table; },
                .text = [&](auto terminal) { return to_terminal(table, terminal); },
                .markdown = [&] { return to_markdown(table); }},
               output);
}

Result<void> StatusCommand::run() const {
  PLUMB_TRY(store, where.studio.open(study::Store::Mode::kRead));
  if (where.name.empty()) return list(*store);
  PLUMB_TRY(found, study::Study::open(*store, where.name));
  PLUMB_TRY(status, study::study_status(found, agreement.level));
  const Agreements agreements = live_agreements(found, agreement);
  const auto text = [&, &found = found, &status = status](const auto& print) {
    return heading_of(found, status) + "\n" + print(task_table(status)) + "\n" +
           print(annotator_table(status)) + "\n" + print(agreement_table(status, agreements));
  };
  return write(
      tables_output(
          [&, &found = found, &status = status] { return status_json(found, status, agreements); },
          [&, &status = status] { return status_records(status, agreements); }, text),
      output);
}

}  // namespace

void add_study_status(CLI::App& study, Program& program) {
  auto command = std::make_shared<StatusCommand>();
  CLI::App* verb = study.add_subcommand(
      "status",
      "Example:\n  plumb study status demo\n\n"
      "How far a study is, how far its annotators agree, and how good and how fast each is; "
      "without "
      "a name which studies there are. Works while a server writes to the file.");
  command->where.declare(*verb, false);
  verb->add_option("--most-items", command->agreement.most_items,
                   "items that agreement is computed on, a random sample of more")
      ->type_name("N")
      ->check(whole_number(2, 10'000'000))
      ->capture_default_str();
  verb->add_option("--resamples", command->agreement.sampling.resamples,
                   "bootstrap resamples of agreement")
      ->type_name("N")
      ->check(whole_number(100, 10'000'000))
      ->capture_default_str();
  verb->add_option("--level", command->agreement.level, "level of the intervals")
      ->type_name("X")
      ->check(number(0.5, 0.999))
      ->capture_default_str();
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
