#include "plumb/server/exports/archive.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <set>
#include <string>

#include "plumb/base/atomic_file.h"
#include "plumb/base/files.h"
#include "plumb/server/exports/tar.h"
#include "plumb/study/review/adjudication.h"

namespace plumb::server {
namespace {

using study::Sink;
using study::Study;
using study::StudyTask;

// The lines of one task, as often as it is called.
using Lines = std::function<Result<std::size_t>(const Sink& sink)>;
// Takes a file; how many lines it has.
using Put = std::function<Result<std::size_t>(const std::string& name, const Lines& lines)>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kEndings = {
    {{"answers", ".answers.jsonl"},
     {"adjudicated", ".adjudicated.jsonl"},
     {"gold", ".gold.task.jsonl"}}};

// Two tasks may have names that differ in what no file's name has.
std::string unique_name(std::set<std::string>& names, const StudyTask& task,
                        std::string_view ending) {
  const std::string base = safe_file_name(task.header.name);
  std::string name = base;
  for (int again = 2; !names.insert(name).second; ++again) name = fmt::format("{}-{}", base, again);
  return name.append(ending);
}

Result<std::size_t> put_all(const Study& study, std::string_view format, const Put& put,
                            const std::function<Lines(const StudyTask&)>& lines_of) {
  std::set<std::string> names;
  std::size_t count = 0;
  for (const StudyTask& task : study.tasks()) {
    PLUMB_TRY(lines, put(unique_name(names, task, task_file_ending(format)), lines_of(task)));
    count += lines;
  }
  return count;
}

// Decisions are few: what is written is what stood at one time.
Lines decisions_of(const Study& study, const StudyTask& task, bool as_gold) {
  return [&study, &task, as_gold](const Sink& sink) -> Result<std::size_t> {
    std::string text;
    const Sink keep = [&text](std::string_view bytes) {
      text += bytes;
      return Result<void>();
    };
    PLUMB_TRY(lines, as_gold ? study::export_gold_candidates(study, task, keep)
                             : study::export_decisions(study, task, keep));
    if (auto written = sink(text); !written) return tl::unexpected(written.error());
    return lines;
  };
}

Result<std::size_t> put_format(const Study& study, std::string_view format, const Put& put) {
  if (format != "answers") {
    return put_all(study, format, put, [&](const StudyTask& task) {
      return decisions_of(study, task, format == "gold");
    });
  }
  return study.store().read<std::size_t>([&](study::Connection& connection) {
    return put_all(study, format, put, [&connection](const StudyTask& task) -> Lines {
      return [&](const Sink& sink) { return study::export_answers(connection, task, sink); };
    });
  });
}

// The size of a file comes before it, so of a snapshot it is written twice.
Result<std::size_t> put_counted(const Sink& sink, const std::string& name, const Lines& lines) {
  std::uint64_t size = 0;
  PLUMB_TRY(count, lines([&size](std::string_view bytes) {
              size += bytes.size();
              return Result<void>();
            }));
  static_cast<void>(count);
  if (auto begun = append_tar_header(sink, name, size); !begun) {
    return tl::unexpected(begun.error());
  }
  PLUMB_TRY(written, lines(sink));
  if (auto ended = append_tar_padding(sink, size); !ended) return tl::unexpected(ended.error());
  return written;
}

Result<std::size_t> put_whole(const Sink& sink, const std::string& name, const Lines& lines) {
  std::string text;
  PLUMB_TRY(count, lines([&text](std::string_view bytes) {
              text += bytes;
              return Result<void>();
            }));
  if (auto added = append_tar_file(sink, name, text); !added) return tl::unexpected(added.error());
  return count;
}

}  // namespace

std::string_view task_file_ending(std::string_view format) {
  for (const auto& [name, ending] : kEndings) {
    if (name == format) return ending;
  }
  return "";
}

Result<std::size_t> write_archive(const Study& study, std::string_view format, const Sink& sink) {
  const bool of_snapshot = format == "answers";
  const Put put = [&](const std::string& name, const Lines& of_task) {
    return of_snapshot ? put_counted(sink, name, of_task) : put_whole(sink, name, of_task);
  };
  PLUMB_TRY(lines, put_format(study, format, put));
  if (auto ended = append_tar_end(sink); !ended) return tl::unexpected(ended.error());
  return lines;
}

Result<std::size_t> write_folder(const Study& study, std::string_view format,
                                 const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("make the folder", folder, code.value()));
  return put_format(
      study, format, [&folder](const std::string& name, const Lines& lines) -> Result<std::size_t> {
        PLUMB_TRY(file, AtomicFile::create(folder / name));
        PLUMB_TRY(count, lines([&file](std::string_view bytes) { return file.write(bytes); }));
        if (auto done = file.commit(); !done) return tl::unexpected(done.error());
        return count;
      });
}

}  // namespace plumb::server
