#include "plumb/server/exports/mteb_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "plumb/study/exchange/export.h"
#include "plumb/study/review/adjudication.h"
#include "plumb/study/review/sheets.h"
#include "plumb/tasks/answers_file.h"

namespace plumb::server {
namespace {

using Sheets = std::vector<tasks::AnswerSheet>;

// When decisions were made and under which guidelines, as people's sheets say it.
Json origin_of_lines(std::string_view text) {
  std::set<std::int64_t> guidelines;
  std::set<std::string> times;
  while (!text.empty()) {
    const Json line = Json::parse(text.substr(0, text.find('\n')), nullptr, false);
    text.remove_prefix(text.find('\n') + 1);
    if (!line.contains("at")) continue;
    guidelines.insert(line["guideline"].get<std::int64_t>());
    times.insert(line["at"].get<std::string>());
  }
  return {{"guidelines", guidelines}, {"first", *times.begin()}, {"last", *times.rbegin()}};
}

// The decisions that stand, as a sheet; none where nothing was decided.
Result<Sheets> decided(const study::Study& study, const study::StudyTask& task,
                       const tasks::Task& whole) {
  std::string text;
  PLUMB_TRY(lines, study::export_decisions(study, task, [&text](std::string_view bytes) {
              text += bytes;
              return Result<void>();
            }));
  if (lines == 0) return Sheets();
  PLUMB_TRY(sheets, tasks::parse_answers(text, "decisions", whole));
  sheets.front().provenance = origin_of_lines(text);
  return std::move(sheets);
}

// Who, when and under which guidelines, of all these sheets.
Json origin_of(const study::Study& study, const std::vector<const tasks::AnswerSheet*>& sheets) {
  std::set<std::int64_t> guidelines;
  std::string first, last;
  Json annotators = Json::array();
  for (const tasks::AnswerSheet* sheet : sheets) {
    annotators.push_back(sheet->rater);
    if (!sheet->provenance.contains("first")) continue;
    for (const Json& version : sheet->provenance["guidelines"]) {
      guidelines.insert(version.get<std::int64_t>());
    }
    const auto from = sheet->provenance["first"].get<std::string>();
    first = first.empty() ? from : std::min(first, from);
    last = std::max(last, sheet->provenance["last"].get<std::string>());
  }
  return {{"study", study.info().name},
          {"raters", std::move(annotators)},
          {"guidelines", guidelines},
          {"first", first},
          {"last", last}};
}

// The sheets that a file is about: of one annotator, of all people, or of another rater.
std::vector<const tasks::AnswerSheet*> sheets_of(const gap::MtebFile& file, const Sheets& all) {
  const std::string rater = file.path.begin()->string();
  const std::string revision = std::next(file.path.begin())->string();
  std::vector<const tasks::AnswerSheet*> found;
  for (const tasks::AnswerSheet& sheet : all) {
    const bool person = sheet.kind == tasks::RaterKind::kPerson;
    const bool is_one = revision == "annotator_" + sheet.rater;
    const bool belongs = rater == "baseline__Human" ? person && (revision == "expected" || is_one)
                                                    : !person && rater == sheet.rater;
    if (belongs) found.push_back(&sheet);
  }
  return found;
}

}  // namespace

Result<std::vector<gap::MtebFile>> mteb_files_of(const study::Study& study,
                                                 const study::StudyTask& task,
                                                 const std::string& subset) {
  PLUMB_TRY(loaded, study::load_sheets(study, task));
  if (loaded.people.empty()) {
    return fail(ErrorKind::kNotFound,
                fmt::format("nobody has answered \"{}\" yet", task.header.name));
  }
  PLUMB_TRY(decisions, decided(study, task, loaded.task));
  Sheets sheets = std::move(loaded.people);
  std::ranges::move(decisions, std::back_inserter(sheets));
  PLUMB_TRY(files, gap::mteb_files(loaded.task, sheets, {.subset = subset}));
  for (gap::MtebFile& file : files) {
    if (!file.json.contains("scores")) continue;
    file.json["plumb_study"] = origin_of(study, sheets_of(file, sheets));
  }
  return std::move(files);
}

Result<std::vector<gap::MtebFile>> mteb_files_of_study(const study::Study& study,
                                                       const std::string& task,
                                                       const std::string& subset) {
  if (!task.empty() || study.tasks().size() == 1) {
    PLUMB_TRY(chosen, study::find_task(study, task));
    return mteb_files_of(study, *chosen, subset);
  }
  std::vector<gap::MtebFile> all;
  for (const study::StudyTask& one : study.tasks()) {
    auto files = mteb_files_of(study, one, subset);
    if (files) std::ranges::move(*files, std::back_inserter(all));
  }
  if (all.empty()) {
    return fail(ErrorKind::kNotFound, "there is no answer to a task that MTEB knows yet");
  }
  const auto same_path = [](const auto& a, const auto& b) { return a.path == b.path; };
  std::ranges::stable_sort(all, {}, &gap::MtebFile::path);
  all.erase(std::unique(all.begin(), all.end(), same_path), all.end());
  return all;
}

}  // namespace plumb::server
