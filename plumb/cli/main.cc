// The program: declares the verbs, parses the command line, runs one action, turns errors into one
// line and an exit code (plumb::ErrorKind).
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "plumb/base/nearest.h"
#include "plumb/base/version.h"
#include "plumb/cli/options.h"

namespace {

using plumb::Error;
using plumb::ErrorKind;

int report_error(const Error& error) {
  fmt::print(stderr, "plumb: {}\n", error.message);
  return static_cast<int>(error.kind);
}

// The verb that was being parsed: where an unknown word was found.
const CLI::App* deepest(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

std::vector<std::string> known_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* verb :
       app.get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); })) {
    words.push_back(verb->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

std::string unknown_word(const CLI::App& app, const std::string& word) {
  const std::string bare = word.substr(0, word.find('='));
  const auto known = plumb::nearest(bare, known_words(app));
  return fmt::format("unknown {} '{}'{}", word.starts_with("-") ? "option" : "word", bare,
                     known ? fmt::format("; did you mean '{}'?", *known) : std::string());
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = deepest(&app);
  std::string message = error.what();
  const std::vector<std::string> extras = app.remaining(true);
  const bool no_verb = verb == &app;
  if (!extras.empty() && (no_verb || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)) {
    message = unknown_word(*verb, extras.front());
  }
  std::string path;
  for (const CLI::App* at = verb; at->get_parent() != nullptr; at = at->get_parent()) {
    path = " " + at->get_name() + path;
  }
  return report_error({ErrorKind::kUsage, fmt::format("{} (see `plumb{} --help`)", message, path)});
}

int run(int argc, char** argv) {
  CLI::App app(
      "Example:\n  plumb leaderboard hume\n\n"
      "plumb measures where people and models part.",
      "plumb");
  app.set_version_flag("--version", fmt::format("plumb {}", plumb::kVersion));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  plumb::cli::Program program{&app, {}};
  plumb::cli::add_leaderboard(app, program);
  plumb::cli::add_gap(app, program);
  plumb::cli::add_report(app, program);
  plumb::cli::add_doctor(app, program);
  plumb::cli::add_completion(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  if (const auto done = program.action(); !done) return report_error(done.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return report_error({ErrorKind::kExhausted, "out of memory"});
  } catch (const std::exception& error) {
    return report_error({ErrorKind::kInternal, fmt::format("internal error: {}", error.what())});
  }
}
