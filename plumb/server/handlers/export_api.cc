// Exports: what people answered and what was decided, as files.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/server/mteb_export.h"
#include "plumb/server/tar.h"
#include "plumb/study/review/adjudication.h"

namespace plumb::server {
namespace {

using study::Sink;
using study::Study;
using study::StudyTask;
using SharedStudy = std::shared_ptr<const Study>;

Result<void> done(Result<std::size_t> written) {
  return written ? Result<void>() : tl::unexpected(std::move(written.error()));
}

Response download(std::string name, std::string type, Stream stream) {
  Response response;
  response.stream = std::move(stream);
  response.content_type = std::move(type);
  response.file_name = std::move(name);
  return response;
}

std::string file_name(const StudyTask& task, std::string_view ending) {
  return safe_file_name(task.header.name) + std::string(ending);
}

// One task's sheet in an archive. The size comes first, so it is written twice, of one snapshot.
Result<void> append_sheet(study::Connection& connection, const StudyTask& task, const Sink& sink) {
  std::uint64_t size = 0;
  const auto count = [&size](std::string_view bytes) {
    size += bytes.size();
    return Result<void>();
  };
  if (auto counted = done(study::export_answers(connection, task, count)); !counted) return counted;
  if (auto begun = append_tar_header(sink, file_name(task, ".answers.jsonl"), size); !begun) {
    return begun;
  }
  auto written = done(study::export_answers(connection, task, sink));
  return written ? append_tar_padding(sink, size) : written;
}

Result<void> append_sheets(const Study& study, const Sink& sink) {
  return study.store().read_void([&](study::Connection& connection) -> Result<void> {
    for (const StudyTask& task : study.tasks()) {
      if (auto added = append_sheet(connection, task, sink); !added) return added;
    }
    return append_tar_end(sink);
  });
}

using ExportTask = Result<std::size_t> (*)(const Study&, const StudyTask&, const Sink&);

// A file of one task, the one that is asked for.
Result<Response> one_task(const SharedStudy& study, const StudyTask& task, const char* ending,
                          ExportTask write) {
  return download(
      file_name(task, ending), "application/x-ndjson",
      [study, &task, write](const Sink& sink) { return done(write(*study, task, sink)); });
}

Result<Response> answers(const SharedStudy& study, const Request& request) {
  const std::string name = query_of(request, "task");
  if (name.empty() && study->tasks().size() > 1) {
    return download("answers.tar", "application/x-tar",
                    [study](const Sink& sink) { return append_sheets(*study, sink); });
  }
  PLUMB_TRY(task, study::find_task(*study, name));
  return one_task(study, *task, ".answers.jsonl", study::export_answers);
}

Result<Response> table(const SharedStudy& study, const Request& request) {
  const bool history = query_of(request, "history") == "1";
  return download("answers.csv", "text/csv; charset=utf-8", [study, history](const Sink& sink) {
    return done(study::export_csv(*study, history, sink));
  });
}

Result<std::size_t> write_pairs(const Study& study, const StudyTask& task, const Sink& sink) {
  PLUMB_TRY(counts, study::export_preferences(study, task, sink));
  return counts.pairs;
}

// The task that is asked for, or the only one of preferences.
Result<const StudyTask*> preference_task(const Study& study, const std::string& name) {
  const auto is_one = [](const StudyTask& task) {
    return task.header.kind == tasks::Kind::kPreference;
  };
  const auto& all = study.tasks();
  if (name.empty() && std::ranges::count_if(all, is_one) == 1) {
    return &*std::ranges::find_if(all, is_one);
  }
  PLUMB_TRY(task, study::find_task(study, name));
  if (is_one(*task)) return task;
  return fail(ErrorKind::kUsage, fmt::format("\"{}\" is a {} task; only preferences make pairs",
                                             task->header.name, kind_name(task->header.kind)));
}

Result<Response> preferences(const SharedStudy& study, const Request& request) {
  PLUMB_TRY(task, preference_task(*study, query_of(request, "task")));
  return one_task(study, *task, ".preferences.jsonl", write_pairs);
}

Result<Response> decisions(const SharedStudy& study, const Request& request) {
  PLUMB_TRY(task, study::find_task(*study, query_of(request, "task")));
  return one_task(study, *task, ".adjudicated.jsonl", study::export_decisions);
}

Result<Response> gold(const SharedStudy& study, const Request& request) {
  PLUMB_TRY(task, study::find_task(*study, query_of(request, "task")));
  return one_task(study, *task, ".gold.task.jsonl", study::export_gold_candidates);
}

// The tasks that people answered and MTEB knows; of one that was asked for, why there is nothing.
Result<std::vector<gap::MtebFile>> mteb_of(const Study& study, const Request& request) {
  const std::string name = query_of(request, "task"), subset = query_of(request, "subset");
  std::vector<gap::MtebFile> all;
  for (const StudyTask& task : study.tasks()) {
    if (!name.empty() && task.header.name != name) continue;
    auto files = mteb_files_of(study, task, subset.empty() ? "default" : subset);
    const bool skips = name.empty() && study.tasks().size() > 1;
    if (!files && skips) continue;
    if (!files) return tl::unexpected(files.error());
    std::ranges::move(*files, std::back_inserter(all));
  }
  if (!all.empty()) return all;
  if (auto known = study::find_task(study, name); !known && !name.empty()) {
    return tl::unexpected(known.error());
  }
  return fail(ErrorKind::kNotFound, "there is no answer to a task that MTEB knows yet");
}

Result<Response> mteb(const SharedStudy& study, const Request& request) {
  PLUMB_TRY(files, mteb_of(*study, request));
  // A rater's description is the same for all tasks.
  const auto same_path = [](const auto& a, const auto& b) { return a.path == b.path; };
  std::ranges::stable_sort(files, {}, &gap::MtebFile::path);
  files.erase(std::unique(files.begin(), files.end(), same_path), files.end());
  return download("mteb.tar", "application/x-tar",
                  [files = std::move(files)](const Sink& sink) -> Result<void> {
                    for (const gap::MtebFile& file : files) {
                      auto added = append_tar_file(sink, "results/" + file.path.string(),
                                                   to_text(file.json, 2) + "\n");
                      if (!added) return added;
                    }
                    return append_tar_end(sink);
                  });
}

struct Format {
  std::string_view name;
  Result<Response> (*write)(const SharedStudy&, const Request&);
};
constexpr Format kFormats[] = {{"answers", answers},         {"csv", table},
                               {"preferences", preferences}, {"mteb", mteb},
                               {"adjudicated", decisions},   {"gold", gold}};

}  // namespace

Result<Response> export_study(Context& context, const Request& request) {
  PLUMB_TRY(opened, study_of(context, request));
  const auto study = std::make_shared<const Study>(std::move(opened));
  const std::string asked = query_of(request, "format");
  for (const Format& format : kFormats) {
    if (format.name == (asked.empty() ? "answers" : asked)) return format.write(study, request);
  }
  return fail(ErrorKind::kUsage,
              "\"format\" is answers, csv, preferences, mteb, adjudicated or gold");
}

}  // namespace plumb::server
