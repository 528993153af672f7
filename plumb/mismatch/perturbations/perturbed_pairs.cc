#include "plumb/mismatch/perturbations/perturbed_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "plumb/mismatch/links/inputs/fields.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

// A change that few prompts have is absent from too many resamples of them.
constexpr std::size_t kFewestPrompts = 10;

// What a statistic needs of one prompt: changes of scores, and the spread of scores.
struct PromptSums {
  double shift = 0, texts = 0, squares = 0, freedom = 0;
};

std::vector<PromptSums> sums_of(const std::vector<PerturbedPair>& pairs) {
  std::uint32_t prompts = 0;
  for (const PerturbedPair& pair : pairs) prompts = std::max(prompts, pair.prompt + 1);
  std::vector<PromptSums> sums(prompts);
  std::vector<double> mean(prompts, 0.0);
  for (const PerturbedPair& pair : pairs) {
    PromptSums& own = sums[pair.prompt];
    own.freedom += 2;
    mean[pair.prompt] += pair.chosen + pair.rejected;
    const auto add = [&own](const std::optional<double>& changed, double score) {
      if (!changed) return;
      own.shift += *changed - score;
      own.texts += 1;
    };
    add(pair.chosen_changed, pair.chosen);
    add(pair.rejected_changed, pair.rejected);
  }
  for (std::uint32_t p = 0; p < prompts; ++p) mean[p] /= std::max(1.0, sums[p].freedom);
  for (const PerturbedPair& pair : pairs) {
    const double a = pair.chosen - mean[pair.prompt], b = pair.rejected - mean[pair.prompt];
    sums[pair.prompt].squares += a * a + b * b;
  }
  for (PromptSums& own : sums) own.freedom = std::max(0.0, own.freedom - 1);
  return sums;
}

stats::Score standard_shift(const std::vector<PromptSums>& sums, stats::Counts counts) {
  PromptSums all;
  for (std::size_t p = 0; p < sums.size(); ++p) {
    const double times = counts[p];
    all.shift += times * sums[p].shift;
    all.texts += times * sums[p].texts;
    all.squares += times * sums[p].squares;
    all.freedom += times * sums[p].freedom;
  }
  if (all.texts == 0) return stats::undefined("the perturbation changes no text");
  if (!(all.squares > 0)) return stats::undefined("the two sides of every pair score alike");
  return all.shift / all.texts / std::sqrt(all.squares / all.freedom);
}

void fill_shift(const std::vector<PerturbedPair>& pairs, const PerturbationOptions& options,
                PerturbationResult& result) {
  const std::vector<PromptSums> sums = sums_of(pairs);
  for (const PromptSums& own : sums) result.changed += static_cast<std::size_t>(own.texts);
  const auto statistic = [&](stats::Counts counts, std::span<stats::Score> values) {
    values[0] = standard_shift(sums, counts);
  };
  const auto draws = stats::paired_bootstrap(stats::Resampling::of_items(sums.size()), 1, statistic,
                                             options.sampling);
  result.shift = stats::summarize(draws, 0, stats::expanded(options.sampling, sums.size()));
  const auto changed = static_cast<std::size_t>(
      std::ranges::count_if(sums, [](const PromptSums& own) { return own.texts > 0; }));
  if (result.shift.point && changed < std::min(kFewestPrompts, sums.size())) {
    result.shift.interval = stats::undefined("it changes texts of fewer than ten prompts");
  }
  const auto deviation = stats::deviation_of(draws, 0);
  result.shift_deviation = deviation ? deviation->value : 0;
}

// Values of some pairs, with their prompts numbered anew.
class Shares {
 public:
  void add(double value, std::uint32_t prompt) {
    values_.push_back(value);
    prompts_.push_back(
        known_.emplace(prompt, static_cast<std::uint32_t>(known_.size())).first->second);
  }
  PerturbationResult::Share share(double level) const {
    const auto found = stats::clustered_wilson(values_, prompts_, level);
    return {values_.size(), found ? std::optional(*found) : std::nullopt};
  }

 private:
  std::vector<double> values_;
  std::vector<std::uint32_t> prompts_;
  std::unordered_map<std::uint32_t, std::uint32_t> known_;
};

// 1 where the first is above, 0.5 where they are equal.
double above(double first, double second) { return first == second ? 0.5 : first > second ? 1 : 0; }

void fill_shares(const std::vector<PerturbedPair>& pairs, double level,
                 PerturbationResult& result) {
  Shares turned, overtaken, ordered, before;
  for (const PerturbedPair& pair : pairs) {
    if (pair.rejected_changed) {
      ordered.add(above(pair.chosen, *pair.rejected_changed), pair.prompt);
      before.add(above(pair.chosen, pair.rejected), pair.prompt);
    }
    if (pair.chosen == pair.rejected) continue;
    const bool right = pair.chosen > pair.rejected;
    const auto& lower = right ? pair.rejected_changed : pair.chosen_changed;
    if (lower) overtaken.add(above(*lower, right ? pair.chosen : pair.rejected), pair.prompt);
    if (!pair.chosen_changed && !pair.rejected_changed) continue;
    const double now = above(pair.chosen_changed.value_or(pair.chosen),
                             pair.rejected_changed.value_or(pair.rejected));
    turned.add(right ? 1 - now : now, pair.prompt);
  }
  result.turned = turned.share(level);
  result.overtaken = overtaken.share(level);
  result.ordered = ordered.share(level);
  result.ordered_before = before.share(level);
}

LinkRow ordered_row(const PerturbationResult& result, const PerturbationOptions& options) {
  LinkRow row{
      .link = Link::kB,
      .measure = fmt::format("pairs ordered right, {} on the worse side", result.perturbation)};
  row.n = result.ordered.n;
  row.of = "pairs";
  row.null = 0.5;
  row.resolution = options.accuracy;
  if (!result.ordered.share) {
    row.reason = "the perturbation changes no text";
    return row;
  }
  const stats::ClusteredShare& share = *result.ordered.share;
  row.estimate = share.value;
  row.ci = share.ci;
  row.deviation = stats::normal_error(share.ci, options.sampling.level);
  return row;
}

Result<std::optional<double>> changed_score(const Record& record, const char* field) {
  const auto found = record.fields.find(field);
  const bool is_blank = found == record.fields.end() || found->is_null() || *found == Json("");
  if (is_blank) return std::optional<double>();
  const auto number = number_in(record.fields, field);
  if (number) return number;
  return fail(
      ErrorKind::kBadInput,
      fmt::format("{}: \"{}\" is not a number, the changed text's score", record.where, field));
}

Result<PerturbedPair> parse_pair(const Record& record) {
  const auto chosen = number_in(record.fields, "chosen");
  const auto rejected = number_in(record.fields, "rejected");
  if (!chosen || !rejected) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: \"{}\" is not a number, the score of that side", record.where,
                            chosen ? "rejected" : "chosen"));
  }
  PLUMB_TRY(better, changed_score(record, "chosen_changed"));
  PLUMB_TRY(worse, changed_score(record, "rejected_changed"));
  return PerturbedPair{0, *chosen, *rejected, better, worse};
}

PerturbedPairs& perturbation_of(std::vector<PerturbedPairs>& perturbations, const std::string& name,
                                const Json& fields) {
  const auto found = std::ranges::find(perturbations, name, &PerturbedPairs::perturbation);
  if (found != perturbations.end()) return *found;
  perturbations.push_back(
      {name, text_in(fields, "kind").value_or(""), text_in(fields, "meaning").value_or(""), {}});
  return perturbations.back();
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

double within_prompt_deviation(const std::vector<PerturbedPair>& pairs) {
  double squares = 0, freedom = 0;
  for (const PromptSums& own : sums_of(pairs)) {
    squares += own.squares;
    freedom += own.freedom;
  }
  return freedom > 0 ? std::sqrt(squares / freedom) : 0;
}

std::vector<PerturbationResult> measure_perturbations(
    const std::vector<PerturbedPairs>& perturbations, const PerturbationOptions& options) {
  std::vector<PerturbationResult> results;
  std::vector<LinkRow> rows;
  for (const PerturbedPairs& one : perturbations) {
    PerturbationResult result{
        .perturbation = one.perturbation, .kind = one.kind, .meaning = one.meaning};
    fill_shift(one.pairs, options, result);
    fill_shares(one.pairs, options.sampling.level, result);
    rows.push_back(ordered_row(result, options));
    results.push_back(std::move(result));
  }
  judge(rows, options.sampling.level);
  for (std::size_t i = 0; i < rows.size(); ++i) results[i].row = std::move(rows[i]);
  return results;
}

TieShares tie_shares(const std::vector<PerturbedPair>& pairs, const PerturbationOptions& options) {
  const double margin = options.margin * within_prompt_deviation(pairs);
  Shares equal, near;
  for (const PerturbedPair& pair : pairs) {
    equal.add(pair.chosen == pair.rejected ? 1 : 0, pair.prompt);
    near.add(std::abs(pair.chosen - pair.rejected) <= margin ? 1 : 0, pair.prompt);
  }
  const double level = options.sampling.level;
  return {equal.share(level).share, near.share(level).share, pairs.size()};
}

std::vector<LinkRow> perturbation_rows(const std::vector<PerturbedPairs>& perturbations,
                                       const PerturbationOptions& options) {
  std::vector<LinkRow> rows;
  for (PerturbationResult& one : measure_perturbations(perturbations, options)) {
    LinkRow shift =
        row_of(Link::kB, fmt::format("shift of the score by {}, in deviations", one.perturbation),
               one.shift);
    shift.n = one.changed;
    shift.of = "texts";
    if (shift.ci) shift.deviation = one.shift_deviation;
    rows.push_back(std::move(shift));
    rows.push_back(std::move(one.row));
  }
  return rows;
}

std::string perturbation_lines(const std::vector<PerturbedPairs>& perturbations,
                               const std::vector<std::string>& prompts) {
  std::string text;
  for (const PerturbedPairs& perturbation : perturbations) {
    for (const PerturbedPair& pair : perturbation.pairs) {
      text += to_text(Json{{"perturbation", perturbation.perturbation},
                           {"kind", perturbation.kind},
                           {"meaning", perturbation.meaning},
                           {"prompt", prompts[pair.prompt]},
                           {"chosen", pair.chosen},
                           {"rejected", pair.rejected},
                           {"chosen_changed", or_null(pair.chosen_changed)},
                           {"rejected_changed", or_null(pair.rejected_changed)}}) +
              "\n";
    }
  }
  return text;
}

Result<std::vector<PerturbedPairs>> read_perturbed_pairs(const std::filesystem::path& file) {
  PLUMB_TRY(reader, RecordReader::open(file.string(), {}));
  std::vector<PerturbedPairs> perturbations;
  std::unordered_map<std::string, std::uint32_t> prompts;
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    const auto name = text_in(record->fields, "perturbation");
    if (!name) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: \"perturbation\" is missing", record->where));
    }
    PLUMB_TRY(pair, parse_pair(*record));
    const auto next = static_cast<std::uint32_t>(prompts.size());
    const std::string prompt =
        text_in(record->fields, "prompt").value_or(fmt::format("\n{}", record->where));
    pair.prompt = prompts.emplace(prompt, next).first->second;
    perturbation_of(perturbations, *name, record->fields).pairs.push_back(pair);
  }
  if (!perturbations.empty()) return perturbations;
  return fail(ErrorKind::kBadInput, fmt::format("{}: holds no perturbed pairs", file.string()));
}

}  // namespace plumb::mismatch
