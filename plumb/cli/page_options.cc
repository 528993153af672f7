#include "plumb/cli/page_options.h"

#include <fmt/format.h>

#include "plumb/base/files.h"

namespace plumb::cli {

void PageOptions::declare(CLI::App& verb) {
  verb.add_option("--title", title, "the page's title")->type_name("TEXT");
  verb.add_option("--examples", examples, "prompts, drawn at random, whose completions are shown")
      ->type_name("N")
      ->check(whole_number(0, 100))
      ->capture_default_str();
  verb.add_option("-o,--output", output, "the page to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
}

std::string PageOptions::heading(std::string_view what, std::span<const std::string> runs) const {
  return title.empty() ? fmt::format("{}: {}", what, fmt::join(runs, ", ")) : title;
}

Result<void> PageOptions::write(std::string_view page, std::size_t runs) const {
  if (auto written = write_file_atomic(output, page); !written) return written;
  fmt::print(stderr, "{}: {} run{}; open it in a browser\n", output, runs, runs == 1 ? "" : "s");
  return {};
}

}  // namespace plumb::cli
