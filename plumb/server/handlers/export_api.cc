// Exports: what people answered and what was decided, as files.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/server/exports/archive.h"
#include "plumb/server/exports/mteb_export.h"
#include "plumb/server/exports/tar.h"
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

using ExportTask = Result<std::size_t> (*)(const Study&, const StudyTask&, const Sink&);

// A file of one task, the one that is asked for.
Result<Response> one_task(const SharedStudy& study, const StudyTask& task, std::string_view ending,
                          ExportTask write) {
  return download(
      file_name(task, ending), "application/x-ndjson",
      [study, &task, write](const Sink& sink) { return done(write(*study, task, sink)); });
}

// The file of the task that is asked for; of all of several an archive.
Result<Response> task_files(const SharedStudy& study, const Request& request,
                            std::string_view format, ExportTask write) {
  const std::string name = query_of(request, "task");
  if (name.empty() && study->tasks().size() > 1) {
    return download(
        fmt::format("{}.tar", format), "application/x-tar",
        [study, format](const Sink& sink) { return done(write_archive(*study, format, sink)); });
  }
  PLUMB_TRY(task, study::find_task(*study, name));
  return one_task(study, *task, task_file_ending(format), write);
}

Result<Response> answers(const SharedStudy& study, const Request& request) {
  return task_files(study, request, "answers", study::export_answers);
}

Result<Response> table(const SharedStudy& study, const Request& request) {
  if (!query_of(request, "task").empty()) {
    return fail(ErrorKind::kUsage, "\"task\": a table is of all tasks; its rows name theirs");
  }
  const bool history = query_of(request, "history") == "1";
  return download("answers.csv", "text/csv; charset=utf-8", [study, history](const Sink& sink) {
    return done(study::export_csv(*study, history, sink));
  });
}

Result<std::size_t> write_pairs(const Study& study, const StudyTask& task, const Sink& sink) {
  PLUMB_TRY(counts, study::export_preferences(study, task, sink));
  return counts.pairs;
}

Result<Response> preferences(const SharedStudy& study, const Request& request) {
  PLUMB_TRY(task, study::find_preference_task(*study, query_of(request, "task")));
  return one_task(study, *task, ".preferences.jsonl", write_pairs);
}

Result<Response> decisions(const SharedStudy& study, const Request& request) {
  return task_files(study, request, "adjudicated", study::export_decisions);
}

Result<Response> gold(const SharedStudy& study, const Request& request) {
  return task_files(study, request, "gold", study::export_gold_candidates);
}

Result<Response> mteb(const SharedStudy& study, const Request& request) {
  const std::string subset = query_of(request, "subset");
  PLUMB_TRY(files, mteb_files_of_study(*study, query_of(request, "task"),
                                       subset.empty() ? "default" : subset));
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
