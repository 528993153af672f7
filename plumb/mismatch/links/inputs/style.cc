#include "plumb/mismatch/links/inputs/style.h"

#include <string>
#include <vector>

#include "plumb/base/utf8.h"
#include "plumb/evals/style/readings.h"
#include "plumb/text/refusal.h"
#include "plumb/text/words.h"

namespace plumb::mismatch {
namespace {

constexpr std::array<std::string_view, kStyles> kNames = {"length", "refusal", "hedging", "lists",
                                                          "repetition"};
constexpr std::array<std::string_view, kStyles> kUnits = {"character", "refusal", "hedge",
                                                          "list line", "repeated share"};

}  // namespace

std::string_view style_name(Style style) { return kNames[static_cast<std::size_t>(style)]; }
std::string_view style_unit(Style style) { return kUnits[static_cast<std::size_t>(style)]; }

void describe_style(const rlhf::Sample& sample, std::span<float> numbers) {
  const std::string plain = evals::folded(sample.completion);
  const std::vector<std::string_view> words = WordSplitter(WordRule::kBlanks).split(plain);
  const auto set = [&](Style style, auto value) {
    numbers[static_cast<std::size_t>(style)] = static_cast<float>(value);
  };
  set(Style::kLength, count_characters(sample.completion));
  set(Style::kRefusal, opens_like_refusal(sample.completion, Apostrophes::kFolded) ? 1 : 0);
  set(Style::kHedging, evals::count_hedges(plain));
  set(Style::kLists, evals::count_list_items(sample.completion));
  set(Style::kRepetition, evals::repetition(words, 3));
}

}  // namespace plumb::mismatch
