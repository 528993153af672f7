// plumb report full RUN -o FILE.html: all that `plumb mismatch full` measured as one self-contained
// page.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/report/page.h"

namespace plumb::cli {
namespace {

constexpr const char* kSchema = "plumb.full-report/1";

struct ReportFullCommand {
  std::string run_folder, title, file;

  Result<void> run() const;
};

Result<Json> read_page_data(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "report.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return fail(
        ErrorKind::kNotFound,
        fmt::format("{}: no measurement that has ended; plumb mismatch full --model MODEL --run "
                    "{} begins one, or takes it up",
                    file.string(), folder.string()));
  }
  PLUMB_TRY(text, read_file(file));
  Json data = Json::parse(text, nullptr, false);
  if (data.is_object() && data.value("schema", Json()) == kSchema) {
    for (const char* field : {"title", "version", "command", "links", "notes"}) {
      if (data.contains(field)) continue;
      return fail(ErrorKind::kBadInput, fmt::format("{}: has no \"{}\"; remove it and run plumb "
                                                    "mismatch full again",
                                                    file.string(), field));
    }
    return data;
  }
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: not of the schema {}; remove it and run plumb mismatch full again",
                          file.string(), kSchema));
}

Result<void> ReportFullCommand::run() const {
  PLUMB_TRY(data, read_page_data(run_folder));
  if (!title.empty()) data["title"] = title;
  if (auto written = write_file_atomic(file, report::html_page(data)); !written) return written;
  fmt::print(stderr, "{}: open it in a browser\n", file);
  return {};
}

}  // namespace

void add_report_full(CLI::App& report, Program& program) {
  auto command = std::make_shared<ReportFullCommand>();
  CLI::App* verb = report.add_subcommand(
      "full",
      "Example:\n  plumb report full full-run -o full.html\n\n"
      "What plumb mismatch full measured: the three links as cards, swap tests, the population of "
      "reward models, remedies and rounds, with their figures and tables.");
  verb->add_option("RUN", command->run_folder, "the folder of plumb mismatch full")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->add_option("--title", command->title, "the page's title")->type_name("TEXT");
  verb->add_option("-o,--output", command->file, "the page to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
