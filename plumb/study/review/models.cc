#include "plumb/study/review/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plumb/base/nearest.h"
#include "plumb/study/exchange/export.h"
#include "plumb/tasks/answers_file.h"

namespace plumb::study {
namespace {

using tasks::AnswerSheet;
using tasks::RaterKind;

constexpr std::size_t kLongestRater = 200;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

Result<void> check_sheet(const tasks::Task& whole, const AnswerSheet& sheet) {
  if (sheet.kind == RaterKind::kPerson || sheet.kind == RaterKind::kSimulated ||
      sheet.kind == RaterKind::kAdjudicated) {
    return bad(
        fmt::format("\"{}\" is of kind \"{}\"; only models' answers are attached, people's "
                    "come by `plumb study import`",
                    sheet.rater, rater_kind_name(sheet.kind)));
  }
  if (sheet.rater.empty() || sheet.rater.size() > kLongestRater || sheet.run < 0) {
    return bad(
        fmt::format("a rater has a name of 1 to {} bytes and a run from 0 on", kLongestRater));
  }
  if (sheet.answers.size() == whole.items.size() && sheet.answered() > 0) return {};
  return bad(fmt::format("\"{}\" answers no item of \"{}\"", sheet.rater, whole.name));
}

Result<void> insert_sheet(Connection& connection, const StudyTask& task, const tasks::Task& whole,
                          const AnswerSheet& sheet, const std::string& by, std::int64_t now) {
  auto kept = connection.execute(
      "INSERT INTO model_sheets(task_id, rater, kind, run, answers, answered, attached_by, "
      "attached_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      {task.id, sheet.rater, std::string(rater_kind_name(sheet.kind)), std::int64_t{sheet.run},
       tasks::format_answers(whole, {&sheet, 1}), static_cast<std::int64_t>(sheet.answered()), by,
       now});
  return kept ? Result<void>() : tl::unexpected(kept.error());
}

}  // namespace

Json model_sheet_json(const ModelSheet& one) {
  return {{"task", one.task},
          {"rater", one.rater},
          {"kind", rater_kind_name(one.kind)},
          {"run", one.run},
          {"answers", one.answered},
          {"attached_by", one.attached_by},
          {"at", utc_text(one.attached_ms)}};
}

Result<void> attach_models(const Study& study, const StudyTask& task, const tasks::Task& whole,
                           std::span<const AnswerSheet> sheets, const std::string& by) {
  std::set<std::string> raters;
  for (const AnswerSheet& sheet : sheets) {
    if (auto fits = check_sheet(whole, sheet); !fits) return fits;
    raters.insert(sheet.rater);
  }
  return study.store().write([&](Connection& connection) -> Result<void> {
    for (const std::string& rater : raters) {
      auto old = connection.execute("DELETE FROM model_sheets WHERE task_id = ?1 AND rater = ?2",
                                    {task.id, rater});
      if (!old) return tl::unexpected(old.error());
    }
    for (const AnswerSheet& sheet : sheets) {
      auto kept = insert_sheet(connection, task, whole, sheet, by, study.store().now_ms());
      if (!kept) return kept;
    }
    return {};
  });
}

Result<void> detach_model(const Study& study, const std::string& rater) {
  PLUMB_TRY(all, models_of(study));
  std::vector<std::string> names;
  for (const ModelSheet& one : all) names.push_back(one.rater);
  if (std::ranges::find(names, rater) == names.end()) {
    const auto near = nearest(rater, names);
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no answers of \"{}\"{}", study.info().name, rater,
                            near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
  }
  return study.store().write([&](Connection& connection) -> Result<void> {
    auto gone = connection.execute(
        "DELETE FROM model_sheets WHERE rater = ?2 AND task_id IN (SELECT id FROM tasks WHERE "
        "study_id = ?1)",
        {study.info().id, rater});
    return gone ? Result<void>() : tl::unexpected(gone.error());
  });
}

Result<std::vector<ModelSheet>> models_of(const Study& study) {
  using Sheets = std::vector<ModelSheet>;
  return study.store().read<Sheets>([&](Connection& connection) -> Result<Sheets> {
    PLUMB_TRY(rows, connection.query(
                        "SELECT tasks.name, rater, kind, run, answered, attached_by, attached_ms "
                        "FROM model_sheets JOIN tasks ON tasks.id = model_sheets.task_id "
                        "WHERE tasks.study_id = ?1 ORDER BY tasks.position, rater, run",
                        {study.info().id}));
    Sheets sheets;
    for (const Row& row : rows) {
      sheets.push_back({row.text(0), row.text(1), *tasks::parse_rater_kind(row.text(2)),
                        static_cast<int>(row.integer(3)), row.integer(4), row.text(5),
                        row.integer(6)});
    }
    return sheets;
  });
}

Result<std::vector<AnswerSheet>> model_sheets(const Study& study, const StudyTask& task,
                                              const tasks::Task& whole) {
  using Sheets = std::vector<AnswerSheet>;
  return study.store().read<Sheets>([&](Connection& connection) -> Result<Sheets> {
    Sheets sheets;
    auto read = connection.each(
        "SELECT rater, answers FROM model_sheets WHERE task_id = ?1 ORDER BY rater, run", {task.id},
        [&](const Row& row) -> Result<void> {
          PLUMB_TRY(parsed, tasks::parse_answers(row.text(1), row.text(0), whole));
          for (AnswerSheet& sheet : parsed) sheets.push_back(std::move(sheet));
          return {};
        });
    if (!read) return tl::unexpected(read.error());
    return sheets;
  });
}

}  // namespace plumb::study
