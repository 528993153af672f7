#include "plumb/raters/llm/llm_prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::Choice;
using tasks::Item;
using tasks::Kind;
using tasks::Scale;
using tasks::Task;

constexpr Scale kGrades{0, 3};
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view default_instruction(Kind kind) {
  switch (kind) {
    case Kind::kSts:
      return "Rate how similar in meaning the two texts are.";
    case Kind::kClassification:
      return "Say which label fits the text best.";
    case Kind::kClustering:
      return "Sort the texts into groups of the same subject.";
    case Kind::kReranking:
      return "Grade how relevant each document is to the query.";
    case Kind::kPreference:
      break;
  }
  return "Say which of the two answers to the prompt is better.";
}

const std::string* own_words(const Task& task) {
  if (!task.guideline.empty()) return &task.guideline;
  return task.instruction.empty() ? nullptr : &task.instruction;
}

std::string instruction_of(const Task& task) {
  const std::string* words = own_words(task);
  return words != nullptr ? *words : std::string(default_instruction(task.kind));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

Scale grades_of(const Task& task) { return task.scale.value_or(kGrades); }

// How an answer must look. Without an example, which would be an anchor.
std::string form_of(const Task& task) {
  const auto or_cannot_tell =
      fmt::format(" If you cannot tell, answer with the words: {}", kCannotTell);
  switch (task.kind) {
    case Kind::kSts:
      return fmt::format("Answer with one number from {} to {}, and with nothing else.{}",
                         task.scale->low, task.scale->high, or_cannot_tell);
    case Kind::kClassification:
      return fmt::format(
          "Answer with exactly one of the following labels, written as it stands here, and with "
          "nothing else.{}\n\n{}",
          or_cannot_tell, fmt::join(task.labels, "\n"));
    case Kind::kReranking:
      return fmt::format(
          "Answer with one line a document, its number, a colon and its grade from {} (not "
          "relevant) to {} (fully relevant), as in \"NUMBER: GRADE\", and with nothing else.{}",
          grades_of(task).low, grades_of(task).high, or_cannot_tell);
    case Kind::kPreference:
      break;
    case Kind::kClustering:
      return "";
  }
  if (!task.scale) {
    return fmt::format("Answer with exactly one of: A, B, tie, both bad; and with nothing else.{}",
                       or_cannot_tell);
  }
  return fmt::format(
      "Answer with A or B, a blank and how much better it is, a number from {} to {}, as in "
      "\"LETTER NUMBER\"; or with: tie; or with: both bad; and with nothing else.{}",
      task.scale->low, task.scale->high, or_cannot_tell);
}

// The text between marks that say what it is.
std::string marked(std::string_view what, std::string_view text) {
  return fmt::format("\n<{0}>\n{1}\n</{0}>\n", what, text);
}

std::string texts_of(const Task& task, const Item& item, std::span<const std::size_t> order) {
  switch (task.kind) {
    case Kind::kSts:
      return marked("text 1", item.texts[0]) + marked("text 2", item.texts[1]);
    case Kind::kReranking: {
      std::string texts = marked("query", item.texts[0]);
      for (std::size_t i = 0; i < order.size(); ++i) {
        texts += marked(fmt::format("document {}", i + 1), item.texts[1 + order[i]]);
      }
      return texts;
    }
    case Kind::kPreference:
      return marked("prompt", item.texts[0]) + marked("answer A", item.texts[1 + order[0]]) +
             marked("answer B", item.texts[1 + order[1]]);
    default:
      return marked("text", item.texts[0]);
  }
}

std::vector<std::size_t> drawn_order(std::size_t count, Stream& stream) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(std::span(order), stream);
  return order;
}

// Digits, with a sign and a fraction perhaps; no exponent, no other writing of numbers.
std::optional<double> plain_number(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('-')) rest.remove_prefix(1);
  const std::size_t point = std::min(rest.find('.'), rest.size());
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!digits(rest.substr(0, point))) return std::nullopt;
  if (point < rest.size() && !digits(rest.substr(point + 1))) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<double> number_on(const Scale& scale, std::string_view text) {
  const auto value = plain_number(text);
  if (!value || *value < scale.low || *value > scale.high) return std::nullopt;
  return value;
}

std::optional<Answer> read_label(const Task& task, std::string_view text) {
  for (std::size_t i = 0; i < task.labels.size(); ++i) {
    if (trimmed(task.labels[i]) == text) return Answer{static_cast<double>(i)};
  }
  return std::nullopt;
}

// Lines "NUMBER: WORDS" where every number from 1 to count stands once: the words, by number.
std::optional<std::vector<std::string_view>> numbered_lines(std::string_view text,
                                                            std::size_t count) {
  std::vector<std::string_view> words(count);
  for (std::size_t line = 0; line < count; ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = std::min(whole.find(':'), whole.size());
    std::size_t number = 0;
    const auto [stop, error] = std::from_chars(whole.data(), whole.data() + colon, number);
    if (error != std::errc() || stop != whole.data() + colon || colon == whole.size() ||
        number < 1 || number > count || !words[number - 1].empty()) {
      return std::nullopt;
    }
    words[number - 1] = trimmed(whole.substr(colon + 1));
    if (words[number - 1].empty()) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return words;
}

std::optional<Answer> read_grades(const Task& task, std::span<const std::size_t> order,
                                  std::string_view text) {
  const auto lines = numbered_lines(text, order.size());
  if (!lines) return std::nullopt;
  Answer grades(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto grade = number_on(grades_of(task), (*lines)[i]);
    if (!grade) return std::nullopt;
    grades[order[i]] = *grade;
  }
  return grades;
}

std::optional<Answer> read_choice(const Task& task, std::span<const std::size_t> order,
                                  std::string_view text) {
  if (text == tasks::choice_name(Choice::kTie)) return Answer{double(Choice::kTie), 0};
  if (text == tasks::choice_name(Choice::kBothBad)) return Answer{double(Choice::kBothBad), 0};
  if (!text.starts_with('A') && !text.starts_with('B')) return std::nullopt;
  const std::size_t shown = text[0] == 'A' ? 0 : 1;
  double strength = 0;
  if (task.scale) {
    if (text.size() < 2 || text[1] != ' ') return std::nullopt;
    const auto stated = number_on(*task.scale, trimmed(text.substr(1)));
    if (!stated) return std::nullopt;
    strength = *stated;
  } else if (text.size() != 1) {
    return std::nullopt;
  }
  return Answer{double(order[shown] == 0 ? Choice::kA : Choice::kB), strength};
}

std::optional<Answer> answer_in(const Task& task, const LlmQuestion& question,
                                std::string_view text) {
  switch (task.kind) {
    case Kind::kSts: {
      const auto rating = number_on(*task.scale, text);
      return rating ? std::optional(Answer{*rating}) : std::nullopt;
    }
    case Kind::kClassification:
      return read_label(task, text);
    case Kind::kReranking:
      return read_grades(task, question.order, text);
    default:
      return read_choice(task, question.order, text);
  }
}

std::string cluster_form(const Task& task, bool has_groups) {
  std::string form =
      "Answer with one line a text, its number, a colon and the name of its group, as in "
      "\"NUMBER: NAME\", and with nothing else. The names are yours; texts of one group have the "
      "same name.";
  if (task.groups) form += fmt::format(" Make {} groups, no more.", *task.groups);
  if (has_groups) {
    form +=
        " Texts that came before were sorted already. Use the names of their groups where they "
        "fit, and new ones where they do not:";
  }
  return form;
}

}  // namespace

std::string_view instruction_source(const Task& task) {
  if (!task.guideline.empty()) return "guideline";
  return task.instruction.empty() ? "default" : "instruction";
}

std::string prompt_head(const Task& task) {
  return fmt::format("{}\n\n{}\n", instruction_of(task), form_of(task));
}

LlmQuestion ask_item(const Task& task, std::size_t place, Stream& order) {
  const Item& item = task.items[place];
  LlmQuestion question;
  question.items = {place};
  question.form = form_of(task);
  if (task.kind == Kind::kReranking) {
    question.order = drawn_order(item.texts.size() - 1, order);
    question.lines = question.order.size();
  }
  if (task.kind == Kind::kPreference) question.order = drawn_order(2, order);
  question.prompt = prompt_head(task) + texts_of(task, item, question.order);
  return question;
}

LlmAnswer read_item(const Task& task, const LlmQuestion& question, std::string_view reply) {
  const std::string_view text = trimmed(reply);
  if (auto answer = answer_in(task, question, text)) {
    return {LlmOutcome::kAnswered, std::move(*answer)};
  }
  return {text == kCannotTell ? LlmOutcome::kRefused : LlmOutcome::kUnreadable, {}};
}

std::vector<std::vector<std::size_t>> cluster_rounds(const Task& task, std::size_t most,
                                                     Stream& order) {
  const auto places = drawn_order(task.items.size(), order);
  const std::size_t step = std::max<std::size_t>(most, 1);
  std::vector<std::vector<std::size_t>> rounds;
  for (std::size_t begin = 0; begin < places.size(); begin += step) {
    const std::size_t end = std::min(begin + step, places.size());
    rounds.emplace_back(places.begin() + static_cast<std::ptrdiff_t>(begin),
                        places.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return rounds;
}

LlmQuestion ask_round(const Task& task, const std::vector<std::size_t>& places,
                      const LlmGroups& groups) {
  LlmQuestion question;
  question.items = places;
  question.lines = places.size();
  question.form = cluster_form(task, !groups.empty());
  std::vector<std::string_view> names(groups.size());
  for (const auto& [name, group] : groups) names[static_cast<std::size_t>(group)] = name;
  question.prompt = fmt::format("{}\n\n{}\n", instruction_of(task), question.form);
  for (const std::string_view name : names) question.prompt += fmt::format("{}\n", name);
  for (std::size_t i = 0; i < places.size(); ++i) {
    question.prompt += marked(fmt::format("text {}", i + 1), task.items[places[i]].texts[0]);
  }
  return question;
}

LlmAnswer read_round(const Task& task, const LlmQuestion& question, std::string_view reply,
                     LlmGroups& groups) {
  const std::string_view text = trimmed(reply);
  const auto lines = numbered_lines(text, question.items.size());
  if (!lines) {
    return {text == kCannotTell ? LlmOutcome::kRefused : LlmOutcome::kUnreadable, {}};
  }
  LlmGroups grown = groups;
  LlmAnswer result{LlmOutcome::kAnswered, {}};
  for (const std::string_view name : *lines) {
    const auto next = static_cast<int>(grown.size());
    result.answer.push_back(grown.emplace(std::string(name), next).first->second);
  }
  if (task.groups && grown.size() > static_cast<std::size_t>(*task.groups)) {
    return {LlmOutcome::kUnreadable, {}};
  }
  groups = std::move(grown);
  return result;
}

}  // namespace plumb::raters
