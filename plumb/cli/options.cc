#include "plumb/cli/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "plumb/base/files.h"

namespace plumb::cli {

void OutputOptions::declare(CLI::App& verb) {
  auto* forms = verb.add_option_group("output", "");
  forms->add_flag("--json", json, "one JSON object (docs/formats.md names its schema)");
  forms->add_flag("--csv", csv, "every digit, one value a column");
  forms->add_flag("--markdown", markdown, "a Markdown table");
  forms->require_option(0, 1);
  verb.add_option("-o,--output", file, "write to FILE instead of stdout")->type_name("FILE");
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
    text = output.text(options.file.empty() && wants_colour(STDOUT_FILENO));
  }
  if (!options.file.empty()) return write_file_atomic(options.file, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return fail(ErrorKind::kExhausted, "stdout: cannot write the result; is the disk full?");
  }
  return {};
}

void SamplingOptions::declare(CLI::App& verb) {
  verb.add_option("--resamples", values.resamples, "bootstrap resamples")
      ->check(CLI::Range(100, 10000000))
      ->capture_default_str();
  verb.add_option("--level", level, "level of the intervals")
      ->check(CLI::Range(0.5, 0.999))
      ->capture_default_str();
  verb.add_option("--seed", values.seed, "seed of every random draw")->capture_default_str();
  verb.add_option("--threads", values.threads, "threads; 0 takes all (never changes a result)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void SourceOptions::declare(CLI::App& verb, bool required) {
  verb.add_option("SOURCE", source,
                  "`hume` (built in), a directory of MTEB result files, or a table made by "
                  "`plumb gap import`")
      ->required(required);
  verb.add_option("--unknown-subsets", unknown_subsets,
                  "what to do with a subset whose name is not known: refuse, keep, skip")
      ->check(CLI::IsMember({"refuse", "keep", "skip"}))
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

bool wants_colour(int descriptor) {
  return ::isatty(descriptor) == 1 && std::getenv("NO_COLOR") == nullptr;
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
