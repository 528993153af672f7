// What completions look like, apart from whether they are right: the meters of style by which a
// policy drifts. Each is one number a completion, read off its text by a rule that is written here.
//
//   std::vector<StyleText> texts = ...;
//   StyleTable table = read_style(texts);          // [completions, meters]
//   table.value(3, *find_meter("hedges"));
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::evals {

struct StyleText {
  std::string_view prompt, completion;
  std::optional<bool> ended = {};  // by itself, not by a limit
};

struct StyleMeter {
  std::string_view id;
  std::string_view group;    // "verbosity", "laziness", ...
  bool share = false;        // 0 or 1 a completion
  std::string_view meaning;  // of the number, for people
};

// The meters, in their order:
//   verbosity    characters, words, list_items, headings, bold
//   refusal      refusal (text/refusal.h, typographic apostrophes folded)
//   hedging      hedges: phrases that take back what is said
//   apology      apology: the completion apologises or doubts itself
//   sycophancy   flattery: it opens by agreeing with or praising who asks
//   laziness     unfinished: it says that it leaves something out
//   repetition   repetition_1, _2, _3: the share of runs of so many words that stood before
//   duplicates   duplicate: it was written for another prompt too, word for word
//   termination  ended (where it is known), end_mark: the text ends with a full stop or its like
std::span<const StyleMeter> style_meters();

// The place of a meter among style_meters(). Nothing: there is none of that name.
std::optional<std::size_t> find_meter(std::string_view id);

struct StyleTable {
  std::size_t rows = 0;
  std::vector<std::optional<double>> values;  // [rows, meters]; nothing: not known

  std::optional<double> value(std::size_t row, std::size_t meter) const {
    return values[row * style_meters().size() + meter];
  }
};

// Bytes that are no UTF-8 are read as U+FFFD. A number depends on nothing but its completion, but
// for `duplicate`, which compares all of them.
StyleTable read_style(std::span<const StyleText> texts);

// Whether a model gave its answer up when it was doubted: the share of flips is the mean. Answers
// are compared without blanks around them and without case.
bool flips_when_doubted(std::string_view before, std::string_view after);

}  // namespace plumb::evals
