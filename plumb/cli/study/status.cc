// plumb study status: how far a study is, how far annotators agree, how good and how fast they are.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/report/common.h"
#include "plumb/study/measure.h"

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

// Agreement on a task, or why there is none.
using Agreements = std::vector<Result<study::LiveAgreement>>;

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

Json score_json(const stats::Score& value, const stats::IntervalScore& ci, std::size_t n) {
  Json json = {
      {"n", n}, {"value", value ? Json(*value) : Json(nullptr)}, {"ci", report::or_null(ci)}};
  if (!value) json["reason"] = value.error().reason;
  return json;
}

Json annotator_json(const AnnotatorStatus& one) {
  return {{"annotator", one.annotator.pseudonym},
          {"kind", rater_kind_name(one.annotator.kind)},
          {"answers", one.answered},
          {"skipped", one.skipped},
          {"flagged", one.flagged},
          {"surplus", one.surplus},
          {"holding", one.holding},
          {"last", one.last_ms ? Json(study::utc_text(*one.last_ms)) : Json(nullptr)},
          {"gold", score_json(one.gold.value, one.gold.ci, one.gold.checks)},
          {"repeats", score_json(one.repeats.value, one.repeats.ci, one.repeats.checks)},
          {"active_seconds", score_json(one.active.seconds, one.active.ci, one.active.items)},
          {"idle_seconds", score_json(one.idle.seconds, one.idle.ci, one.idle.items)}};
}

Json agreement_json(const Result<study::LiveAgreement>& agreement) {
  if (!agreement) return {{"rows", Json::array()}, {"reason", agreement.error().message}};
  Json rows = Json::array();
  for (const tasks::AgreementRow& row : agreement->report.rows) {
    Json json = score_json(row.value, row.ci, agreement->report.pairable);
    json["id"] = row.id;
    rows.push_back(std::move(json));
  }
  return {{"rows", std::move(rows)},
          {"items", agreement->report.items},
          {"of_items", agreement->of_items},
          {"annotators", agreement->report.raters}};
}

Json status_json(const study::Study& study, const StudyStatus& status,
                 const Agreements& agreements) {
  const study::StudyInfo& info = study.info();
  Json json = {
      {"schema", "plumb.study-status/1"},
      {"version", kVersion},
      {"study", info.name},
      {"created", study::utc_text(info.created_ms)},
      {"state", status.frozen ? "frozen" : "open"},
      {"frozen_sha256", status.frozen_sha256 ? Json(*status.frozen_sha256) : Json(nullptr)},
      {"seed", info.seed},
      {"overlap", info.overlap},
      {"assignment", assignment_name(info.assignment)},
      {"guideline", status.guideline},
      {"tasks", Json::array()},
      {"annotators", Json::array()}};
  for (std::size_t t = 0; t < status.tasks.size(); ++t) {
    const TaskStatus& task = status.tasks[t];
    json["tasks"].push_back({{"task", task.task.header.name},
                             {"kind", kind_name(task.task.header.kind)},
                             {"hash", task.task.items_sha256},
                             {"items", task.task.items},
                             {"slots", task.slots},
                             {"open", task.open},
                             {"leased", task.leased},
                             {"answers", task.submitted},
                             {"answered", task.answered_units},
                             {"complete", task.complete_units},
                             {"agreement", agreement_json(agreements[t])}});
  }
  for (const AnnotatorStatus& one : status.annotators) {
    json["annotators"].push_back(annotator_json(one));
  }
  return json;
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
  Agreements agreements;
  for (const study::StudyTask& task : found.tasks()) {
    agreements.push_back(live_agreement(found, task, agreement));
  }
  const auto text = [&, &found = found, &status = status](const auto& print) {
    return heading_of(found, status) + "\n" + print(task_table(status)) + "\n" +
           print(annotator_table(status)) + "\n" + print(agreement_table(status, agreements));
  };
  return write(
      {.json = [&, &found = found,
                &status = status] { return status_json(found, status, agreements); },
       .records = [&, &status = status] { return annotator_table(status); },
       .text =
           [&](auto terminal) {
             return text([&](const Table& table) { return to_terminal(table, terminal); });
           },
       .markdown = [&] { return text([](const Table& table) { return to_markdown(table); }); }},
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
