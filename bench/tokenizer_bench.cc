// Encodes the lines of a file: bench_tokenizer TOKENIZER TEXTS prints texts a second, each text on
// its own and as one batch on one and on all threads, and what loading took.
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "plumb/text/lines.h"
#include "plumb/text/tokenizer.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The best of three: texts a second.
double rate(std::size_t texts, const std::function<void()>& encode_all) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto start = Clock::now();
    encode_all();
    best = std::min(best, seconds_since(start));
  }
  return static_cast<double>(texts) / best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_tokenizer TOKENIZER TEXTS\n");
    return 2;
  }
  const auto start = Clock::now();
  const auto tokenizer = plumb::load_tokenizer(argv[1]);
  const double load = seconds_since(start);
  auto reader = plumb::LineReader::open(argv[2]);
  if (!tokenizer || !reader) {
    fmt::print(stderr, "{}\n", tokenizer ? reader.error().message : tokenizer.error().message);
    return 1;
  }
  std::vector<std::string> texts;
  while (const auto line = *reader->next()) texts.emplace_back(*line);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::size_t tokens = 0;
  const double single = rate(texts.size(), [&] {
    tokens = 0;
    for (const std::string_view text : views) tokens += tokenizer->encode(text)->ids.size();
  });
  const double batch = rate(texts.size(), [&] { (void)*tokenizer->encode_batch(views, {}, 1); });
  const double threads = rate(texts.size(), [&] { (void)*tokenizer->encode_batch(views, {}, 0); });
  fmt::print(
      "{{\"name\": \"tokenizer\", \"texts\": {}, \"tokens\": {}, \"load_seconds\": {:.4f}, "
      "\"texts_per_second\": {:.0f}, "
      "\"batch_texts_per_second\": {:.0f}, \"threads_texts_per_second\": {:.0f}}}\n",
      texts.size(), tokens, load, single, batch, threads);
  return 0;
}
