// The links of an imported log: bench_links FILE COMPLETIONS makes the file where it is not there
// yet, then measures all three links and the swap tests on it and prints the seconds and the most
// memory that was held.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/peak_memory.h"
#include "plumb/base/random.h"
#include "plumb/mismatch/links/links.h"

namespace {

using plumb::Stream;

constexpr std::size_t kSteps = 50, kPrompts = 1000;

// 50 checkpoints of 1,000 prompts, as trainers log them: texts of some sixty words.
void make_file(const char* path, std::size_t completions) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return;
  Stream stream(1, "links bench", 0);
  const char* words[] = {"river", "stone", "however", "walks", "over", "green", "quietly", "the"};
  const std::size_t each = std::max<std::size_t>(completions / (kSteps * kPrompts), 1);
  std::string text;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double pull = static_cast<double>(step) / kSteps;
    for (std::size_t p = 0; p < kPrompts; ++p) {
      for (std::size_t i = 0; i < each; ++i) {
        const std::size_t length = 40 + stream.below(20) + step;
        text.clear();
        for (std::size_t w = 0; w < length; ++w) text.append(words[stream.below(8)]).append(" ");
        const double gold = stream.uniform() + pull - pull * pull;
        fmt::print(
            file,
            R"({{"step":{},"prompt":"Write about number {} of the things that people )"
            R"(like.","completion":"{}","tokens":{},"proxy":{:.4f},"gold":{:.4f},"kl":{:.4f}}})"
            "\n",
            10 * step, p, text, length, gold + 0.02 * static_cast<double>(length), gold,
            9 * pull * pull * (0.5 + stream.uniform()));
      }
    }
  }
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_links FILE COMPLETIONS\n");
    return 2;
  }
  if (!std::filesystem::exists(argv[1])) make_file(argv[1], std::stoul(argv[2]));
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto table = plumb::mismatch::read_link_table(argv[1], {});
  if (!table) {
    fmt::print(stderr, "{}\n", table.error().message);
    return 1;
  }
  const double read = seconds();
  auto run = plumb::mismatch::measure_links("log", *table, {}, {});
  if (!run) {
    fmt::print(stderr, "{}\n", run.error().message);
    return 1;
  }
  auto swap = plumb::mismatch::swap_tests({.run = &*table}, {.resamples = 1000});
  std::vector<plumb::mismatch::RunLinks> runs;
  runs.push_back(std::move(*run));
  const auto report = plumb::mismatch::report_links(std::move(runs), {}, std::move(swap), {}, {});
  if (!report) return 1;
  fmt::print(
      R"({{"completions":{},"seconds":{:.3f},"seconds_reading":{:.3f},"peak_megabytes":{:.1f}}})"
      "\n",
      table->samples(), seconds(), read, peak_megabytes());
  return 0;
}
