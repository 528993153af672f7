#include "plumb/cli/given_command.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "plumb/cli/shell_words.h"

namespace plumb::cli {
namespace {

bool changes_nothing(const CLI::App& verb, const CLI::Option& option) {
  constexpr std::string_view kForms[] = {"json", "csv", "markdown"};
  const auto is = [&](std::string_view name) { return option.check_lname(std::string(name)); };
  const bool makes_tables = verb.get_option_no_throw("--csv") != nullptr;
  return is("threads") || is("output") || (makes_tables && std::ranges::any_of(kForms, is));
}

void add_option(const CLI::Option& option, std::vector<std::string>& words) {
  if (option.get_items_expected_max() == 0) {
    words.push_back(option.get_name());
    return;
  }
  for (const std::string& value : option.results()) {
    if (!option.get_positional()) words.push_back(option.get_name());
    words.push_back(value);
  }
}

}  // namespace

std::string given_command(const CLI::App& verb) {
  std::vector<std::string> words;
  for (const CLI::App* at = &verb; at != nullptr; at = at->get_parent()) {
    words.insert(words.begin(), at->get_name());
  }
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : verb.get_options()) {
      if (option->get_positional() != positional || option->count() == 0) continue;
      if (!changes_nothing(verb, *option)) add_option(*option, words);
    }
  }
  return shell_line(words);
}

}  // namespace plumb::cli
