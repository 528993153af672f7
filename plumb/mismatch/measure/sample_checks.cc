#include "plumb/mismatch/measure/sample_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "plumb/base/counted.h"

namespace plumb::mismatch {
namespace {

// A share of repeats that is worth a word.
constexpr double kManyRepeats = 0.05;

constexpr std::pair<std::string_view, std::vector<double> SampleTable::*> kFields[] = {
    {"proxy", &SampleTable::proxy},   {"gold", &SampleTable::gold},
    {"kl", &SampleTable::kl},         {"log_probability", &SampleTable::k1},
    {"tokens", &SampleTable::tokens}, {"ended", &SampleTable::ended}};

bool is_reward(std::string_view field) { return field == "proxy" || field == "gold"; }

std::string percent(double share) { return fmt::format("{:.2g} %", 100 * share); }

// What each group has of a column, and which prompts have any of it.
struct Coverage {
  std::vector<std::size_t> missing;  // [groups]
  std::vector<bool> seen, measured;  // [prompts]

  Coverage(const SampleTable& table, std::span<const SampleGroup> groups,
           std::span<const double> column)
      : seen(table.prompts.size()), measured(table.prompts.size()) {
    for (const SampleGroup& group : groups) {
      const auto rows = column.subspan(group.begin, group.end - group.begin);
      const auto without = std::ranges::count_if(rows, [](double x) { return std::isnan(x); });
      missing.push_back(static_cast<std::size_t>(without));
      seen[group.prompt] = true;
      if (missing.back() < rows.size()) measured[group.prompt] = true;
    }
  }
};

// Of one step's measured prompts; nothing where none of its samples has the number.
MissingStep count_step(const SampleTable& table, std::span<const SampleGroup> groups,
                       std::span<const std::size_t> missing, const Coverage& coverage) {
  MissingStep step{table.steps[groups.front().step], 0, 0};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!coverage.measured[groups[i].prompt]) continue;
    step.missing += missing[i];
    step.samples += groups[i].end - groups[i].begin;
  }
  return step;
}

MissingField count_field(const SampleTable& table, std::span<const SampleGroup> groups,
                         std::string_view name, std::span<const double> column) {
  MissingField field{.field = name};
  const Coverage coverage(table, groups, column);
  field.prompts = static_cast<std::size_t>(std::ranges::count(coverage.seen, true));
  field.bare_prompts =
      field.prompts - static_cast<std::size_t>(std::ranges::count(coverage.measured, true));
  for (std::size_t begin = 0, end = 0; begin < groups.size(); begin = end) {
    while (end < groups.size() && groups[end].step == groups[begin].step) ++end;
    const MissingStep step =
        count_step(table, groups.subspan(begin, end - begin),
                   std::span(coverage.missing).subspan(begin, end - begin), coverage);
    ++field.steps;
    if (step.missing == step.samples) {
      ++field.bare_steps;
      continue;
    }
    field.missing += step.missing;
    field.samples += step.samples;
    if (step.missing > 0) field.lacking.push_back(step);
  }
  return field;
}

std::span<const SampleGroup> groups_from(const SampleTable& table, std::size_t start) {
  const auto place = std::ranges::lower_bound(table.steps, start) - table.steps.begin();
  const auto first = std::ranges::lower_bound(table.groups, static_cast<std::size_t>(place), {},
                                              &SampleGroup::step);
  return {first, table.groups.end()};
}

std::string where_of(const MissingField& field) {
  const std::size_t measured = field.steps - field.bare_steps;
  if (field.lacking.size() == 1) return fmt::format(", at step {}", field.lacking[0].step);
  const auto most = std::ranges::max_element(field.lacking, {}, &MissingStep::share);
  const std::string worst =
      fmt::format("most at step {}, {} of {}", most->step, most->missing, most->samples);
  if (field.lacking.size() == measured) return fmt::format(" ({})", worst);
  return fmt::format(", at {} of {} steps from step {} on ({})", field.lacking.size(), measured,
                     field.lacking[0].step, worst);
}

std::string partly_sentence(const MissingField& field) {
  std::string text = fmt::format(
      "\"{}\" is missing in {} of {} samples{}: {} of the rest, and wrong where what is missing "
      "hangs on the answer.",
      field.field, field.missing, field.samples, where_of(field),
      field.field == "kl" || field.field == "log_probability" ? "distances are" : "means are");
  if (field.too_much()) {
    text += fmt::format(
        " No verdict rests on it, since a step lacks more than {:.0f} %; where chance alone took "
        "it, leave these samples out.",
        100 * kMostMissing);
  }
  return text;
}

std::string bare_sentence(const MissingField& field) {
  std::string where;
  if (field.bare_steps > 0) {
    where = fmt::format("at {} of {} steps", field.steps - field.bare_steps, field.steps);
  }
  if (field.bare_prompts > 0) {
    where += fmt::format("{}for {} of {} prompts", where.empty() ? "" : " and ",
                         field.prompts - field.bare_prompts, field.prompts);
  }
  return fmt::format("\"{}\" is measured {}; what rests on it is of these.", field.field, where);
}

}  // namespace

bool MissingField::too_much() const {
  return is_reward(field) && std::ranges::any_of(lacking, [](const MissingStep& step) {
           return step.share() > kMostMissing;
         });
}

std::vector<MissingField> missing_fields(const SampleTable& table, std::size_t start) {
  const auto groups = groups_from(table, start);
  std::vector<MissingField> fields;
  for (const auto& [name, column] : kFields) {
    MissingField field = count_field(table, groups, name, table.*column);
    const bool nowhere = field.bare_steps == field.steps;
    const bool bare = is_reward(name) && field.bare_steps + field.bare_prompts > 0;
    if (!nowhere && (field.missing > 0 || bare)) fields.push_back(std::move(field));
  }
  return fields;
}

bool too_much_missing(std::span<const MissingField> missing, std::string_view field,
                      std::size_t first, std::size_t last) {
  const auto found = std::ranges::find(missing, field, &MissingField::field);
  if (found == missing.end()) return false;
  return std::ranges::any_of(found->lacking, [&](const MissingStep& step) {
    return step.step >= first && step.step <= last && step.share() > kMostMissing;
  });
}

std::vector<std::string> missing_sentences(std::span<const MissingField> missing) {
  std::vector<std::string> sentences;
  for (const MissingField& field : missing) {
    if (field.missing > 0) sentences.push_back(partly_sentence(field));
    const bool bare = field.bare_steps + field.bare_prompts > 0;
    if (is_reward(field.field) && bare) sentences.push_back(bare_sentence(field));
  }
  return sentences;
}

std::string repeats_sentence(const SampleTable& table, std::size_t start) {
  std::size_t steps = 0, first = 0, repeats = 0, samples = 0;
  for (std::size_t place = 0; place < table.repeats.size(); ++place) {
    if (table.steps[place] < start) continue;
    std::size_t all = 0;
    for (const SampleGroup& group : table.at_step(place)) all += group.end - group.begin;
    const auto share = static_cast<double>(table.repeats[place]) / static_cast<double>(all);
    if (share <= kManyRepeats) continue;
    if (steps == 0) first = table.steps[place];
    ++steps;
    repeats += table.repeats[place];
    samples += all;
  }
  if (steps == 0) return "";
  return fmt::format(
      "{} of {} samples of {} (the first is step {}) repeat an earlier one of their step: prompt, "
      "completion, proxy and log-probability are the same ({}). A line that stands twice is no "
      "second draw: intervals are too short and best of n reaches too far then; a policy that "
      "writes the same again is none the worse.",
      repeats, samples, counted(steps, "step"), first,
      percent(static_cast<double>(repeats) / static_cast<double>(samples)));
}

std::vector<std::string> sample_warnings(const SampleTable& table, std::size_t start) {
  std::vector<std::string> sentences = check_divergence(table);
  std::string repeats = repeats_sentence(table, start);
  if (!repeats.empty()) sentences.push_back(std::move(repeats));
  return sentences;
}

}  // namespace plumb::mismatch
