#include "plumb/cli/options.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/nearest.h"

namespace plumb::cli {

namespace {

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> words;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(", "), names.size());
    words.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 2, names.size()));
  }
  return words;
}

// All of `text` as a number; nothing where it is none.
template <typename Number>
std::optional<Number> parse(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

template <typename Number>
CLI::Validator between(std::string_view what, Number low, Number high) {
  const auto check = [what, low, high](const std::string& text) {
    const std::optional<Number> value = parse<Number>(text);
    if (value && *value >= low && *value <= high) return std::string();
    return fmt::format("'{}' is not a {} from {} to {}", text, what, low, high);
  };
  return CLI::Validator(check, "");
}

}  // namespace

CLI::Validator one_of(std::string_view names) {
  const auto check = [list = std::string(names)](const std::string& text) {
    const std::vector<std::string> words = split(list);
    if (std::ranges::find(words, text) != words.end()) return std::string();
    const auto meant = nearest(text, words);
    return fmt::format("'{}' is not one of {}{}", text, list,
                       meant ? fmt::format("; did you mean '{}'?", *meant) : std::string());
  };
  return CLI::Validator(check, "");
}

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  return between("whole number", low, high);
}

CLI::Validator number(double low, double high) { return between("number", low, high); }

CLI::Validator not_empty() {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("the value is empty") : std::string();
  };
  return CLI::Validator(check, "");
}

void OutputOptions::declare(CLI::App& verb) {
  CLI::Option* forms[] = {
      verb.add_flag("--json", json, "one JSON object (docs/formats.md names its schema)"),
      verb.add_flag("--csv", csv, "every digit, one value a column"),
      verb.add_flag("--markdown", markdown, "a Markdown table")};
  forms[0]->excludes(forms[1])->excludes(forms[2]);
  forms[1]->excludes(forms[2]);
  for (CLI::Option* form : forms) form->group("Output");
  verb.add_option("-o,--output", file, "write to FILE instead of stdout")
      ->type_name("FILE")
      ->check(not_empty())
      ->group("Output");
}

Result<void> write_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return {};
  }
  return fail(ErrorKind::kExhausted,
              fmt::format("stdout: cannot write the result: {}; is it closed, or the disk full?",
                          std::generic_category().message(errno)));
}

Result<void> write(const Output& output, const OutputOptions& options) {
  std::string text;
  if (options.json) {
    text = to_text(output.json(), 2) + "\n";
  } else if (options.csv) {
    text = to_csv(output.records());
  } else if (options.markdown) {
    text = output.markdown();
  } else {
    text = output.text(options.file.empty() ? terminal_of_stdout() : report::Terminal{});
  }
  if (!options.file.empty()) return write_file_atomic(options.file, text);
  return write_stdout(text);
}

void declare_count(CLI::App& verb, const char* name, std::size_t& value, std::uint64_t low,
                   const char* help) {
  verb.add_option(name, value, help)
      ->type_name("N")
      ->check(whole_number(low, 1'000'000'000))
      ->capture_default_str();
}

void declare_number(CLI::App& verb, const char* name, double& value, double low, double high,
                    const char* help) {
  verb.add_option(name, value, help)
      ->type_name("X")
      ->check(number(low, high))
      ->capture_default_str();
}

void add_seed(CLI::App& verb, std::uint64_t& seed) {
  verb.add_option("--seed", seed, "seed of every random draw")
      ->type_name("N")
      ->check(whole_number(0, std::numeric_limits<std::uint64_t>::max()))
      ->capture_default_str();
}

void add_threads(CLI::App& verb, int& threads) {
  verb.add_option("--threads", threads, "threads; 0 takes all (never changes a result)")
      ->type_name("N")
      ->check(whole_number(0, 1024))
      ->capture_default_str();
}

void SamplingOptions::declare(CLI::App& verb, const char* level_option) {
  verb.add_option("--resamples", values.resamples, "bootstrap resamples")
      ->type_name("N")
      ->check(whole_number(100, 10'000'000))
      ->capture_default_str();
  verb.add_option(level_option, level, "level of the intervals")
      ->type_name("X")
      ->check(number(0.5, 0.999))
      ->capture_default_str();
  add_seed(verb, values.seed);
  add_threads(verb, values.threads);
}

void SourceOptions::declare(CLI::App& verb, bool required) {
  verb.add_option("SOURCE", source,
                  "`hume` (built in), a directory of MTEB result files, or a table made by "
                  "`plumb gap import`")
      ->type_name("")
      ->check(not_empty())
      ->required(required);
  verb.add_option("--unknown-subsets", unknown_subsets,
                  "what to do with a subset whose name is not known: refuse, keep, skip")
      ->type_name("WHAT")
      ->check(one_of("refuse, keep, skip"))
      ->capture_default_str();
}

Result<gap::Figures> SourceOptions::load(int threads) const {
  gap::LoadOptions options;
  options.threads = threads;
  options.progress = progress_bar("reading result files");
  if (unknown_subsets == "keep") options.unknown_subsets = gap::UnknownSubsets::kKeep;
  if (unknown_subsets == "skip") options.unknown_subsets = gap::UnknownSubsets::kSkip;
  return gap::load_figures(source, options);
}

report::Terminal terminal_of_stdout() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 1) return {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size.ws_col = 0;
  const char* no_color = std::getenv("NO_COLOR");
  return {.bold = no_color == nullptr || *no_color == '\0', .width = size.ws_col};
}

Progress progress_bar(std::string what) {
  using Clock = std::chrono::steady_clock;
  struct State {
    std::mutex mutex;
    Clock::time_point start = Clock::now();
    Clock::time_point last = start;
    bool drawn = false;
  };
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  return [what = std::move(what), terminal, state = std::make_shared<State>()](std::size_t done,
                                                                               std::size_t total) {
    const std::scoped_lock lock(state->mutex);
    const auto now = Clock::now();
    const auto pause = terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
    const bool finished = done >= total;
    if (now - state->start < std::chrono::seconds(2)) return;
    if (now - state->last < pause && !(finished && state->drawn)) return;
    state->last = now;
    state->drawn = true;
    const double seconds = std::chrono::duration<double>(now - state->start).count();
    const double left = seconds * static_cast<double>(total - done) / static_cast<double>(done);
    fmt::print(stderr, "{}{}: {} of {} ({:.0f} %), {:.0f} s left{}", terminal ? "\r\033[K" : "",
               what, done, total, 100.0 * static_cast<double>(done) / static_cast<double>(total),
               left, terminal && !finished ? "" : "\n");
    std::fflush(stderr);
  };
}

}  // namespace plumb::cli
