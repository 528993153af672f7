// What in a completion can earn reward without being what was wanted: numbers from its text alone,
// by the rules of the meters of style (evals/style/readings.h).
//
//   std::array<float, kStyles> numbers;
//   describe_style(sample, numbers);
//   numbers[static_cast<std::size_t>(Style::kHedging)];
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

enum class Style : std::size_t {
  kLength,      // characters (code points)
  kRefusal,     // 1 where it opens like a refusal (text/refusal.h), else 0
  kHedging,     // phrases such as "however" and "it is important to note"
  kLists,       // lines that begin with a bullet or a number
  kRepetition,  // share of the runs of three words that stood before
};
inline constexpr std::size_t kStyles = 5;

// "length", "refusal", "hedging", "lists", "repetition"; and what one unit of each is: "character",
// "refusal", "hedge", "list line", "repeated share".
std::string_view style_name(Style style);
std::string_view style_unit(Style style);

// REQUIRES: numbers.size() == kStyles.
void describe_style(const rlhf::Sample& sample, std::span<float> numbers);

}  // namespace plumb::mismatch
