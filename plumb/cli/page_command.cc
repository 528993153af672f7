#include "plumb/cli/page_command.h"

#include <algorithm>
#include <vector>

#include "plumb/cli/shell_words.h"

namespace plumb::cli {
namespace {

using Words = std::vector<std::string>;

Words path_of(const CLI::App& verb) {
  Words path;
  for (const CLI::App* at = &verb; at != nullptr; at = at->get_parent()) {
    path.insert(path.begin(), at->get_parent() == nullptr ? "plumb" : at->get_name());
  }
  return path;
}

bool is_left_out(const CLI::Option& option) {
  return option.check_lname("output") || option.check_lname("threads");
}

void add_option(const CLI::Option& option, Words& words) {
  words.push_back("--" + option.get_lnames().front());
  const bool is_flag = option.get_items_expected_max() == 0;
  if (!is_flag) words.insert(words.end(), option.results().begin(), option.results().end());
}

}  // namespace

std::string page_command(const CLI::App& verb) {
  Words words = path_of(verb), options;
  std::vector<const CLI::Option*> seen;
  for (const CLI::Option* option : verb.parse_order()) {
    if (std::ranges::find(seen, option) != seen.end() || is_left_out(*option)) continue;
    seen.push_back(option);
    if (option->get_positional()) {
      words.insert(words.end(), option->results().begin(), option->results().end());
    } else {
      add_option(*option, options);
    }
  }
  words.insert(words.end(), options.begin(), options.end());
  return shell_line(words);
}

}  // namespace plumb::cli
