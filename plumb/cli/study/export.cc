// plumb study export: what people answered, as files.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "plumb/base/atomic_file.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/server/exports/archive.h"
#include "plumb/server/exports/mteb_export.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/review/adjudication.h"

namespace plumb::cli {
namespace {

struct ExportCommand {
  StudyOptions where;
  std::string format = "answers", task, file, subset = "default";
  bool history = false;

  Result<void> run() const;
  Result<void> export_mteb(const study::Study& study) const;
  Result<void> export_all(const study::Study& study) const;
  bool is_of_all(const study::Study& study) const;
  Result<std::string> export_to(const study::Study& study, const study::Sink& sink) const;
};

// What was written, in words.
Result<std::string> ExportCommand::export_to(const study::Study& study,
                                             const study::Sink& sink) const {
  if (format == "csv") {
    PLUMB_TRY(rows, study::export_csv(study, history, sink));
    return fmt::format("{} rows", rows);
  }
  if (format == "preferences") {
    PLUMB_TRY(chosen, study::find_preference_task(study, task));
    PLUMB_TRY(counts, study::export_preferences(study, *chosen, sink));
    return fmt::format("{} pairs; {} answers prefer neither side and are left out", counts.pairs,
                       counts.undecided);
  }
  PLUMB_TRY(chosen, study::find_task(study, task));
  if (format == "answers") {
    PLUMB_TRY(lines, study::export_answers(study, *chosen, sink));
    return fmt::format("{} answers", lines);
  }
  if (format == "adjudicated") {
    PLUMB_TRY(lines, study::export_decisions(study, *chosen, sink));
    return fmt::format("{} decisions", lines);
  }
  PLUMB_TRY(items, study::export_gold_candidates(study, *chosen, sink));
  return fmt::format("{} items with the gold that was decided", items);
}

bool ExportCommand::is_of_all(const study::Study& study) const {
  return task.empty() && study.tasks().size() > 1 && !server::task_file_ending(format).empty();
}

// A file for each of several tasks.
Result<void> ExportCommand::export_all(const study::Study& study) const {
  if (file.empty()) {
    return fail(ErrorKind::kUsage,
                fmt::format("study \"{}\" has {} tasks: -o FOLDER, or -o FILE.tar, takes them all, "
                            "--task NAME one",
                            study.info().name, study.tasks().size()));
  }
  std::size_t lines = 0;
  if (file.ends_with(".tar")) {
    PLUMB_TRY(out, AtomicFile::create(file));
    PLUMB_TRY(written, server::write_archive(study, format, [&out](std::string_view bytes) {
                return out.write(bytes);
              }));
    if (auto done = out.commit(); !done) return done;
    lines = written;
  } else {
    PLUMB_TRY(written, server::write_folder(study, format, file));
    lines = written;
  }
  fmt::print(stderr, "{}: {} lines of {} tasks\n", file, lines, study.tasks().size());
  return {};
}

// A folder of result files.
Result<void> ExportCommand::export_mteb(const study::Study& study) const {
  if (file.empty()) return fail(ErrorKind::kUsage, "--format mteb needs -o FOLDER");
  PLUMB_TRY(files, server::mteb_files_of_study(study, task, subset));
  if (auto written = gap::write_mteb_files(file, files); !written) return written;
  fmt::print(stderr, "{}: {} files\n", file, files.size());
  return {};
}

Result<void> ExportCommand::run() const {
  if (history && format != "csv") return fail(ErrorKind::kUsage, "--history needs --format csv");
  if (!task.empty() && format == "csv") {
    return fail(ErrorKind::kUsage, "--task: a table is of all tasks");
  }
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kRead));
  if (format == "mteb") return export_mteb(open.study);
  if (is_of_all(open.study)) return export_all(open.study);
  if (file.empty()) {
    auto written = export_to(open.study, write_stdout);
    return written ? Result<void>() : tl::unexpected(written.error());
  }
  PLUMB_TRY(out, AtomicFile::create(file));
  PLUMB_TRY(words,
            export_to(open.study, [&out](std::string_view bytes) { return out.write(bytes); }));
  if (auto done = out.commit(); !done) return done;
  fmt::print(stderr, "{}: {}\n", file, words);
  return {};
}

}  // namespace

void add_study_export(CLI::App& study, Program& program) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* verb = study.add_subcommand(
      "export",
      "Example:\n  plumb study export demo -o people.jsonl\n\n"
      "The answers that count, each with who, when, and under which version of the guidelines: as "
      "answer sheets for `plumb gap TASK --humans`, as a table, as preference pairs for TRL, or as "
      "a folder of MTEB result files; and what adjudicators decided, as an answer sheet, or as a "
      "task whose gold it is. Of several tasks -o names a folder, or a .tar, for a file a task. "
      "Works while a server writes to the file.");
  command->where.declare(*verb);
  verb->add_option("--format", command->format,
                   "answers, csv, preferences, mteb (a folder), adjudicated or gold")
      ->type_name("FORM")
      ->check(one_of("answers, csv, preferences, mteb, adjudicated, gold"))
      ->capture_default_str();
  verb->add_option("--task", command->task, "one task of several; without it all of them")
      ->type_name("NAME")
      ->check(not_empty());
  verb->add_option("--subset", command->subset, "mteb: the name of the task's subset")
      ->type_name("NAME")
      ->check(not_empty())
      ->capture_default_str();
  verb->add_flag("--history", command->history,
                 "csv: every action there ever was, with earlier revisions, skips, checks");
  verb->add_option("-o,--output", command->file,
                   "write to FILE instead of stdout; of several tasks a folder, or FILE.tar")
      ->type_name("FILE")
      ->check(not_empty());
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
