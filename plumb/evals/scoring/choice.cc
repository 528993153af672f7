#include "plumb/evals/scoring/choice.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <utility>

#include "plumb/base/utf8.h"
#include "plumb/evals/scoring/intervals.h"

namespace plumb::evals {
namespace {

// The gold's share of the first place.
double first_place(std::span<const double> values, std::size_t gold) {
  const double best = *std::ranges::max_element(values);
  if (values[gold] != best) return 0;
  return 1 / static_cast<double>(std::ranges::count(values, best));
}

std::size_t first_best(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

double brier_of(std::span<const double> log_likelihoods, std::size_t gold) {
  const double best = *std::ranges::max_element(log_likelihoods);
  double total = 0;
  for (const double l : log_likelihoods) total += std::exp(l - best);
  double brier = 0;
  for (std::size_t c = 0; c < log_likelihoods.size(); ++c) {
    const double error = std::exp(log_likelihoods[c] - best) / total - (c == gold ? 1 : 0);
    brier += error * error;
  }
  return brier;
}

std::vector<double> lengths_of(const ChoiceItem& item,
                               const std::function<std::size_t(const std::string&)>& length) {
  std::vector<double> lengths;
  for (const std::string& choice : item.choices) {
    lengths.push_back(static_cast<double>(std::max<std::size_t>(length(choice), 1)));
  }
  return lengths;
}

std::vector<double> divided(std::span<const double> values, std::span<const double> by) {
  std::vector<double> result(values.begin(), values.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] /= by[i];
  return result;
}

std::vector<double> less(std::span<const double> values, std::span<const double> other) {
  std::vector<double> result(values.begin(), values.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] -= other[i];
  return result;
}

std::vector<double> characters_of(const ChoiceItem& item) {
  return lengths_of(item, [](const std::string& text) { return count_characters(text); });
}

// One value an item; empty where an item has none.
template <typename Of>
std::vector<double> column(std::span<const ChoiceVerdict> verdicts, Of of) {
  std::vector<double> values;
  for (const ChoiceVerdict& verdict : verdicts) {
    const std::optional<double> value = of(verdict);
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

// The place among the choices that is gold most often.
std::size_t commonest_place(std::span<const ChoiceItem> items) {
  std::vector<std::size_t> counts;
  for (const ChoiceItem& item : items) {
    counts.resize(std::max(counts.size(), item.choices.size()));
    ++counts[item.gold];
  }
  return static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
}

EvalRow baseline_row(const std::string& eval, const char* name, std::span<const ChoiceItem> items,
                     const std::function<double(const ChoiceItem&)>& right, double level) {
  std::vector<double> values;
  for (const ChoiceItem& item : items) values.push_back(right(item));
  EvalRow row = share_row({eval, "acc"}, values, {}, choice_scale(choice_chance(items)), level);
  row.note = std::string("baseline: ") + name;
  return row;
}

}  // namespace

ChoiceVerdict judge_choices(const ChoiceItem& item, const ChoiceScores& scores) {
  const auto& l = scores.log_likelihoods;
  assert(!l.empty() && l.size() == item.choices.size() && item.gold < l.size());
  const auto bytes = lengths_of(item, [](const std::string& text) { return text.size(); });
  ChoiceVerdict verdict{.acc = first_place(l, item.gold),
                        .acc_norm = first_place(divided(l, characters_of(item)), item.gold),
                        .acc_bytes = first_place(divided(l, bytes), item.gold),
                        .acc_mutual_info = {},
                        .brier = brier_of(l, item.gold),
                        .greedy = {},
                        .chosen = first_best(l)};
  if (!scores.unconditional.empty()) {
    verdict.acc_mutual_info = first_place(less(l, scores.unconditional), item.gold);
  }
  if (!scores.greedy.empty()) verdict.greedy = scores.greedy[item.gold] ? 1 : 0;
  return verdict;
}

double choice_chance(std::span<const ChoiceItem> items) {
  if (items.empty()) return 0;
  double sum = 0;
  for (const ChoiceItem& item : items) sum += 1 / static_cast<double>(item.choices.size());
  return sum / static_cast<double>(items.size());
}

std::vector<EvalRow> choice_rows(const std::string& eval, std::span<const ChoiceItem> items,
                                 std::span<const ChoiceScores> scores, double level) {
  assert(items.size() == scores.size());
  std::vector<ChoiceVerdict> verdicts;
  for (std::size_t i = 0; i < items.size(); ++i) {
    verdicts.push_back(judge_choices(items[i], scores[i]));
  }
  const Scale scale = choice_scale(choice_chance(items));
  std::vector<EvalRow> rows;
  const auto add = [&](const char* metric, const Scale& on, auto of) {
    const std::vector<double> values = column(verdicts, of);
    if (values.empty() && !verdicts.empty()) return;
    rows.push_back(share_row({eval, metric}, values, {}, on, level));
  };
  using Value = std::optional<double>;
  add("acc", scale, [](const ChoiceVerdict& v) -> Value { return v.acc; });
  add("acc_norm", scale, [](const ChoiceVerdict& v) -> Value { return v.acc_norm; });
  add("acc_bytes", scale, [](const ChoiceVerdict& v) -> Value { return v.acc_bytes; });
  add("acc_mutual_info", scale, [](const ChoiceVerdict& v) { return v.acc_mutual_info; });
  add("greedy", kShareScale, [](const ChoiceVerdict& v) { return v.greedy; });
  const auto brier = column(verdicts, [](const ChoiceVerdict& v) -> Value { return v.brier; });
  rows.push_back(mean_row({eval, "brier"}, brier, kOpenScale, level));
  return rows;
}

std::vector<EvalRow> choice_baselines(const std::string& eval, std::span<const ChoiceItem> items,
                                      double level) {
  if (items.empty()) return {};
  const std::size_t constant = commonest_place(items);
  const auto shortest = [](const ChoiceItem& item) {
    auto lengths = characters_of(item);
    for (double& length : lengths) length = -length;
    return first_place(lengths, item.gold);
  };
  return {baseline_row(
              eval, "null", items,
              [](const ChoiceItem& item) { return 1 / static_cast<double>(item.choices.size()); },
              level),
          baseline_row(
              eval, "constant", items,
              [&](const ChoiceItem& item) { return item.gold == constant ? 1.0 : 0.0; }, level),
          baseline_row(
              eval, "longest", items,
              [](const ChoiceItem& item) { return first_place(characters_of(item), item.gold); },
              level),
          baseline_row(eval, "shortest", items, shortest, level)};
}

ContinuationTexts move_blanks(std::string context, std::string continuation) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const std::size_t last = context.find_last_not_of(kBlanks);
  const std::size_t end = last == std::string::npos ? 0 : last + 1;
  continuation.insert(0, context, end, std::string::npos);
  context.resize(end);
  return {std::move(context), std::move(continuation)};
}

}  // namespace plumb::evals
