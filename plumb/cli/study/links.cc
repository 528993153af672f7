// plumb study links: the report of the three links beside a study.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/base/version.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/report/mismatch/links_file.h"
#include "plumb/study/review/attached_links.h"

namespace plumb::cli {
namespace {

using report::Align;
using report::Table;

struct StudyLinksCommand {
  StudyOptions where;
  std::string file;
  bool removes = false;
  OutputOptions output;

  Result<void> run() const;

 private:
  Result<void> attach() const;
  Result<void> list() const;
};

Result<void> StudyLinksCommand::attach() const {
  PLUMB_TRY(text, read_file(file));
  PLUMB_TRY(checked, report::check_links_report(text, file));
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  auto attached = study::attach_links(open.study, checked.title, text, "");
  if (!attached) return attached;
  fmt::print(stderr, "{}: \"{}\" beside \"{}\"\n", where.studio.shown(),
             report::printable(checked.title), report::printable(where.name));
  return {};
}

// What is attached, if anything is.
Result<void> StudyLinksCommand::list() const {
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kRead));
  PLUMB_TRY(links, study::links_of(open.study));
  Table table{{{"report"}, {"attached", Align::kLeft, 1}, {"sha256"}}, {}};
  Json json = {{"schema", "plumb.study-links/1"},
               {"version", kVersion},
               {"study", where.name},
               {"attached", links.has_value()}};
  if (links) {
    const std::string at = study::utc_text(links->attached_ms);
    table.rows.push_back({report::printable(links->title), at, links->sha256});
    json.update({{"title", links->title},
                 {"attached_by", links->attached_by},
                 {"at", at},
                 {"sha256", links->sha256}});
  }
  return write({.json = [&] { return json; },
                .records = [&] { return table; },
                .text = [&](auto terminal) { return to_terminal(table, terminal); },
                .markdown = [&] { return to_markdown(table); }},
               output);
}

Result<void> StudyLinksCommand::run() const {
  if (removes) {
    PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
    return study::detach_links(open.study);
  }
  return file.empty() ? list() : attach();
}

}  // namespace

void add_study_links(CLI::App& study, Program& program) {
  auto command = std::make_shared<StudyLinksCommand>();
  CLI::App* verb = study.add_subcommand(
      "links",
      "Example:\n  plumb report links runs/grpo --json -o links.json\n"
      "  plumb study links demo links.json\n\n"
      "The report of the three links, for researchers to see in the studio beside the study: "
      "attaches it in place of the one before, or says which is. Annotators see nothing of it.");
  command->where.declare(*verb);
  CLI::Option* file = verb->add_option("FILE", command->file, "of plumb report links --json")
                          ->type_name("")
                          ->check(not_empty());
  verb->add_flag("--remove", command->removes, "take it away")->excludes(file);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
