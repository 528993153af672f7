#include "plumb/evals/scoring/solutions.h"

#include <algorithm>
#include <array>

#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_amount(char c) { return is_digit(c) || c == '.' || c == ',' || c == '$'; }

template <typename Is>
std::size_t run_length(std::string_view text, std::size_t at, Is is) {
  std::size_t end = at;
  while (end < text.size() && is(text[end])) ++end;
  return end - at;
}

// The length of a match of the flexible expression that starts here; 0: none does.
std::size_t amount_at(std::string_view text, std::size_t at) {
  const std::size_t sign = text[at] == '-' ? 1 : 0;
  const std::size_t amount = run_length(text, at + sign, is_amount);
  if (amount >= 2) return sign + amount;
  const std::size_t digits = run_length(text, at + sign, is_digit);
  return digits > 0 ? sign + digits : 0;
}

}  // namespace

std::optional<std::string> extract_strict(std::string_view text, std::string_view mark) {
  for (std::size_t at = text.find(mark); at != std::string_view::npos;
       at = text.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::size_t sign = begin < text.size() && text[begin] == '-' ? 1 : 0;
    const std::size_t number =
        run_length(text, begin + sign, [](char c) { return is_digit(c) || c == '.' || c == ','; });
    if (number > 0) return std::string(text.substr(begin, sign + number));
  }
  return std::nullopt;
}

std::optional<std::string> extract_flexible(std::string_view text) {
  std::string_view last;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = amount_at(text, at);
    if (length > 0) last = text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  if (last.empty()) return std::nullopt;
  return std::string(last);
}

std::string_view until(std::string_view text) {
  constexpr std::array<std::string_view, 3> kStops = {"Question:", "</s>", "<|im_end|>"};
  std::size_t end = text.size();
  for (const std::string_view stop : kStops) end = std::min(end, text.find(stop));
  return text.substr(0, end);
}

std::string normalised_answer(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != ',' && c != '$') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  if (const std::size_t mark = plain.rfind(kAnswerMark); mark != std::string::npos) {
    plain.erase(0, mark + kAnswerMark.size());
  }
  if (plain.ends_with('.')) plain.pop_back();
  return plain;
}

bool same_answer(std::string_view answer, std::string_view reference) {
  return normalised_answer(answer) == normalised_answer(reference);
}

bool is_solved(std::string_view text, std::string_view reference) {
  const auto answer = extract_strict(with_marked_answer(until(text)));
  return answer && same_answer(*answer, reference);
}

std::string with_marked_answer(std::string_view text) {
  const std::size_t line = text.rfind("\nA: ");
  const std::size_t begin = line != std::string_view::npos ? line + 1 : 0;
  if (line == std::string_view::npos && !text.starts_with("A: ")) return std::string(text);
  std::string marked(text.substr(0, begin));
  marked += kAnswerMark;
  marked += text.substr(begin + 3);
  return marked;
}

}  // namespace plumb::evals
