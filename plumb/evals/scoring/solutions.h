// Answers to problems with a number for a solution, taken out of a worked text and compared as
// lm-evaluation-harness does for GSM8K (lm_eval/tasks/gsm8k/gsm8k.yaml).
//
//   extract_strict("She has 3 + 4 = 7.\n#### 7");   // "7"
//   extract_flexible("That makes $1,234.50 in all"); // "$1,234.50"
//   same_answer("$1,234.", "1234");                  // true
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plumb::evals {

inline constexpr std::string_view kAnswerMark = "#### ";

// The number behind the first mark that has one: the expression #### (\-?[0-9\.\,]+). Nothing: no
// match.
std::optional<std::string> extract_strict(std::string_view text,
                                          std::string_view mark = kAnswerMark);

// The last match of (-?[$0-9.,]{2,})|(-?[0-9]+).
std::optional<std::string> extract_flexible(std::string_view text);

// Text up to the first of the sequences at which generation stops.
std::string_view until(std::string_view text);

// What is compared: without commas, "$", all up to the last "#### ", and one full stop at the end;
// in lower case.
std::string normalised_answer(std::string_view text);

// Whether an answer that was extracted is the reference, a number or a worked solution that ends in
// "#### number".
bool same_answer(std::string_view answer, std::string_view reference);

// Whether the strict filter finds the reference in a worked text, marked in either way.
bool is_solved(std::string_view text, std::string_view reference);

// The other way of ending a worked solution, a last line "A: 18", as GSM8K's published model
// solutions do, turned into "#### 18". Texts without such a line stay as they are.
std::string with_marked_answer(std::string_view text);

}  // namespace plumb::evals
