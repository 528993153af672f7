// The program: declares the verbs, parses the command line, runs one action, turns errors into one
// line and an exit code (plumb::ErrorKind).
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "plumb/base/nearest.h"
#include "plumb/base/version.h"
#include "plumb/cli/eval_options.h"
#include "plumb/cli/help.h"
#include "plumb/cli/options.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/report/table.h"

namespace {

using plumb::Error;
using plumb::ErrorKind;

int report_error(const Error& error) {
  const std::string line = fmt::format("plumb: {}\n", plumb::report::printable(error.message));
  std::fwrite(line.data(), 1, line.size(), stderr);  // a closed stderr is no second error
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
  return fmt::format("unknown {} '{}'{}",
                     word.starts_with("-")                  ? "option"
                     : app.get_require_subcommand_min() > 0 ? "verb"
                                                            : "argument",
                     bare, known ? fmt::format("; did you mean '{}'?", *known) : std::string());
}

// What was wrong with the command line, in our words where the library's are unclear.
std::string explain(const CLI::App& app, const CLI::App& verb, const CLI::ParseError& error) {
  const std::string message = error.what();
  std::vector<std::string> extras = verb.remaining(true);
  if (extras.empty()) extras = app.remaining(true);
  const bool no_verb = message == CLI::RequiredError::Subcommand(1).what();
  if (!extras.empty() && (no_verb || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)) {
    return unknown_word(verb, extras.front());
  }
  if (no_verb) return "a verb is missing";
  if (const auto cut = message.find(": 1 required "); cut != std::string::npos) {
    return message.substr(0, cut) + " needs a value";
  }
  if (const auto cut = message.find(": At Most 1 required but received ");
      cut != std::string::npos) {
    const std::string times = message.substr(message.rfind(' ') + 1);
    return message.substr(0, cut) + " was given " + (times == "2" ? "twice" : times + " times");
  }
  if (const auto cut = message.find(" excludes "); cut != std::string::npos) {
    return message.substr(0, cut) + " cannot be used with " + message.substr(cut + 10);
  }
  return message;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = deepest(&app);
  std::string path;
  for (const CLI::App* at = verb; at->get_parent() != nullptr; at = at->get_parent()) {
    path = " " + at->get_name() + path;
  }
  return report_error({ErrorKind::kUsage,
                       fmt::format("{} (see `plumb{} --help`)", explain(app, *verb, error), path)});
}

int finish(const plumb::Result<void>& done) { return done ? 0 : report_error(done.error()); }

int run(int argc, char** argv) {
  CLI::App app(
      "Example:\n  plumb leaderboard hume\n\n"
      "plumb measures where people and models part.",
      "plumb");
  app.formatter(std::make_shared<plumb::cli::HelpFormatter>());
  app.set_help_flag("-h,--help", "show this help");
  app.set_version_flag("--version", fmt::format("plumb {}", plumb::kVersion), "show the version");
  app.footer(
      "Exit codes: 0 done, 1 a bug in plumb, 2 wrong usage, 3 bad input, 4 not found,\n"
      "5 busy, 6 no permission, 7 a gate failed, 8 out of memory or disk.\n"
      "`plumb VERB --help` says more.");
  app.require_subcommand(1);
  plumb::cli::Program program{&app, {}};
  plumb::cli::add_leaderboard(app, program);
  plumb::cli::add_gap(app, program);
  plumb::cli::add_task(app, program);
  plumb::cli::add_score(app, program);
  plumb::cli::add_embed(app, program);
  plumb::cli::add_agree(app, program);
  plumb::cli::add_study(app, program);
  plumb::cli::add_serve(app, program);
  plumb::cli::add_reward(app, program);
  plumb::cli::add_policy(app, program);
  plumb::cli::add_eval(app, program);
  plumb::cli::add_mismatch(app, program);
  plumb::cli::add_report(app, program);
  plumb::cli::add_tokens(app, program);
  plumb::cli::add_lm(app, program);
  plumb::cli::add_doctor(app, program);
  plumb::cli::add_completion(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream text;
    app.exit(success, text, text);
    return finish(plumb::cli::write_stdout(text.str()));
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  return finish(program.action());
}

// A file that is opened while stdout or stderr is closed would take its number, and with it what is
// printed. Writing to what stands there instead fails.
void occupy_closed_streams() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) == -1) ::open("/dev/null", O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return report_error({ErrorKind::kExhausted, "out of memory"});
  } catch (const std::exception& error) {
    return report_error({ErrorKind::kInternal, fmt::format("internal error: {}", error.what())});
  }
}
