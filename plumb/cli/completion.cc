// plumb completion SHELL: a script that completes verbs and options, made from the options
// themselves.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "plumb/cli/options.h"

namespace plumb::cli {
namespace {

// One line a verb: its words ("gap import") and what may follow it.
void collect(const CLI::App& app, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& lines) {
  std::string words;
  for (const CLI::App* verb :
       app.get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); })) {
    words += verb->get_name() + " ";
  }
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty()) words += "--" + option->get_lnames().front() + " ";
  }
  lines.emplace_back(path, words);
  for (const CLI::App* verb :
       app.get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); })) {
    collect(*verb, path.empty() ? verb->get_name() : path + " " + verb->get_name(), lines);
  }
}

// The deepest verb on the line decides; what is no verb or option is a file.
constexpr std::string_view kBash = R"(_plumb() {{
  local word path="" words
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "${{path:+$path }}$word" in
      {paths}) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{cases}  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _plumb plumb
)";

std::string bash_script(const CLI::App& app) {
  std::vector<std::pair<std::string, std::string>> lines;
  collect(app, "", lines);
  std::string paths, cases;
  for (const auto& [path, words] : lines) {
    if (!path.empty()) paths += fmt::format("{}\"{}\"", paths.empty() ? "" : "|", path);
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words);
  }
  return fmt::format(fmt::runtime(kBash), fmt::arg("paths", paths), fmt::arg("cases", cases));
}

std::string fish_script(const CLI::App& app) {
  std::vector<std::pair<std::string, std::string>> lines;
  collect(app, "", lines);
  std::string script;
  for (const auto& [path, words] : lines) {
    const std::string condition = path.empty() ? "__fish_use_subcommand"
                                               : fmt::format("__fish_seen_subcommand_from {}",
                                                             path.substr(path.rfind(' ') + 1));
    script += fmt::format("complete -c plumb -n '{}' -a '{}'\n", condition, words);
  }
  return script;
}

}  // namespace

void add_completion(CLI::App& app, Program& program) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion",
                                      "Example:\n  source <(plumb completion bash)\n\n"
                                      "A script that completes verbs and options in your shell.");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->type_name("")
      ->required()
      ->check(one_of("bash, zsh, fish"));
  verb->callback([shell, &app, &program] {
    program.action = [shell, &app]() -> Result<void> {
      const std::string zsh_first = "autoload -U +X bashcompinit && bashcompinit\n";
      const std::string script = *shell == "fish"  ? fish_script(app)
                                 : *shell == "zsh" ? zsh_first + bash_script(app)
                                                   : bash_script(app);
      return write(
          {.json = {}, .records = {}, .text = [&](auto) { return script; }, .markdown = {}},
          OutputOptions{});
    };
  });
}

}  // namespace plumb::cli
