// One pass over a task of many items: bench_items FILE ITEMS makes the file where it is not there
// yet, then reads it item by item and prints the seconds and the most memory that was held.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/peak_memory.h"
#include "plumb/base/random.h"
#include "plumb/tasks/task_file.h"

namespace {

using plumb::Stream;

void make_file(const char* path, std::size_t items) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return;
  fmt::print(file, "{}\n",
             R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"many pairs"})");
  Stream stream(1, "items bench", 0);
  const char* words[] = {"river", "stone", "a", "walks", "over", "green", "quietly", "the"};
  const auto text = [&] {
    std::string sentence;
    for (int w = 0; w < 12; ++w) sentence += fmt::format("{} ", words[stream.below(8)]);
    return sentence;
  };
  for (std::size_t i = 0; i < items; ++i) {
    fmt::print(file,
               R"({{"id":"{}","text1":"{}","text2":"{}","rating":{}}})"
               "\n",
               i, text(), text(), stream.below(6));
  }
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_items FILE ITEMS\n");
    return 2;
  }
  if (!std::filesystem::exists(argv[1])) make_file(argv[1], std::stoul(argv[2]));
  const auto start = std::chrono::steady_clock::now();
  auto reader = plumb::tasks::TaskReader::open(argv[1]);
  if (!reader) return 1;
  std::size_t items = 0;
  double sum = 0;
  while (true) {
    const auto next = reader->next();
    if (!next) {
      fmt::print(stderr, "{}\n", next.error().message);
      return 1;
    }
    if (!*next) break;
    ++items;
    sum += (*next)->item.gold[0];
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(
      "{{\"name\": \"items\", \"items\": {}, \"mean\": {}, \"seconds\": {:.4f}, "
      "\"peak_megabytes\": {:.1f}}}\n",
      items, sum / static_cast<double>(items), seconds, peak_megabytes());
  return 0;
}
