#include "plumb/cli/help.h"

#include <fmt/format.h>

#include <sstream>

#include "plumb/report/table.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kNameWidth = 28;

std::string described(const std::string& text) {
  return report::wrapped(text, report::kProseWidth - kNameWidth);
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kNameWidth);
  label("Positionals", "Arguments");
  label("SUBCOMMAND", "VERB");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  std::string text = Formatter::make_help(app, std::move(name), mode);
  while (text.ends_with("\n\n")) text.pop_back();
  for (std::size_t at; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
  return text;
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  const std::string text = app->get_description();
  const std::size_t cut = text.find("\n\n") + 2;
  return text.substr(0, cut) + report::wrapped(text.substr(cut)) + "\n\n";
}

std::string HelpFormatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode) const {
  std::ostringstream text;
  for (const CLI::App* verb : app->get_subcommands({})) {
    const std::string description = verb->get_description();
    CLI::detail::format_help(text, verb->get_name(),
                             described(description.substr(description.find("\n\n") + 2)),
                             kNameWidth);
  }
  return text.str().empty() ? text.str() : "\nVerbs:\n" + text.str();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_type_size() == 0 ? "" : " " + option->get_type_name();
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  const std::string initial = option->get_default_str();
  return described(option->get_description() +
                   (initial.empty() ? "" : fmt::format(" [{}]", initial)));
}

}  // namespace plumb::cli
