#include "plumb/tasks/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <unordered_map>

#include "plumb/stats/agreement.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/clustering.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/krippendorff.h"
#include "plumb/stats/metrics.h"
#include "plumb/tasks/codec.h"

namespace plumb::tasks {
namespace {

using stats::Counts;
using stats::Ratings;
using stats::Score;

constexpr std::array<std::string_view, 6> kLevelNames = {"nominal", "ordinal",   "interval",
                                                         "ratio",   "partition", "ranking"};

bool is_named(AnswerLevel level) {
  return level == AnswerLevel::kNominal || level == AnswerLevel::kPartition;
}

// Names of categories as codes.
Result<Ratings> named_ratings(const LongTable& table) {
  std::map<std::string, int> codes;
  for (const auto& value : table.values) {
    if (value) codes.emplace(*value, 0);
  }
  int next = 0;
  for (auto& [name, code] : codes) code = next++;
  std::vector<int> result;
  for (const auto& value : table.values) {
    result.push_back(value ? codes.at(*value) : stats::kMissing);
  }
  auto ratings = stats::nominal_ratings(std::move(result), table.raters.size(), codes.size());
  if (!ratings) return fail(ErrorKind::kBadInput, std::string(ratings.error().reason));
  return std::move(*ratings);
}

Result<Ratings> number_ratings(const LongTable& table) {
  std::vector<std::optional<double>> answers;
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    const auto& text = table.values[i];
    answers.emplace_back();
    if (!text) continue;
    double value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || !std::isfinite(value)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: \"{}\" is not a number; --level nominal compares names",
                              table.where[i], *text));
    }
    answers.back() = value;
  }
  auto ratings = stats::numeric_ratings(answers, table.raters.size());
  if (!ratings) return fail(ErrorKind::kBadInput, std::string(ratings.error().reason));
  return std::move(*ratings);
}

// The ratings of a resample, items written out as often as they were drawn.
Ratings resampled(const Ratings& ratings, Counts counts) {
  Ratings result{{}, ratings.raters, ratings.values};
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    const auto codes = ratings.item(i);
    for (std::uint32_t k = 0; k < counts[i]; ++k) {
      result.codes.insert(result.codes.end(), codes.begin(), codes.end());
    }
  }
  return result;
}

using Coefficient = std::function<Score(const Ratings&)>;

Score value_of(const stats::CoefficientScore& coefficient) {
  if (!coefficient) return stats::undefined(coefficient.error().reason);
  return coefficient->value;
}

stats::PairScore numbers_by(const std::vector<double>& values,
                            Score (*score)(std::span<const double>, std::span<const double>)) {
  return [&values, score](std::span<const int> a, std::span<const int> b) -> Score {
    std::vector<double> x, y;
    for (const int code : a) x.push_back(values[static_cast<std::size_t>(code)]);
    for (const int code : b) y.push_back(values[static_cast<std::size_t>(code)]);
    return score(x, y);
  };
}

Score cohen(std::span<const int> a, std::span<const int> b) {
  return value_of(stats::cohen_kappa(a, b));
}

template <double (*score)(const stats::Contingency&)>
Score partition_pair(std::span<const int> a, std::span<const int> b) {
  const auto table = stats::contingency(a, b);
  if (!table) return stats::undefined(table.error().reason);
  return score(*table);
}

// What two raters' answers are compared by, of this level.
using PairOf = std::function<stats::PairScore(const Ratings&)>;

struct Pairwise {
  std::string id, title;
  PairOf score;
};

std::vector<Pairwise> pairwise_of(AnswerLevel level) {
  const auto spearman = [](const Ratings& r) { return numbers_by(r.values, stats::spearman); };
  const auto tau = [](const Ratings& r) { return numbers_by(r.values, stats::kendall_tau_b); };
  switch (level) {
    case AnswerLevel::kNominal:
      return {{"mean_pairwise_cohen_kappa", "Cohen's kappa, mean over pairs",
               [](const Ratings&) { return cohen; }}};
    case AnswerLevel::kPartition:
      return {{"mean_pairwise_ari", "Adjusted Rand index, mean over pairs",
               [](const Ratings&) { return partition_pair<stats::adjusted_rand_index>; }},
              {"mean_pairwise_ami", "Adjusted mutual information, mean over pairs",
               [](const Ratings&) { return partition_pair<stats::adjusted_mutual_information>; }}};
    case AnswerLevel::kRanking:
      return {{"mean_pairwise_kendall_tau_b", "Kendall's tau-b, mean over pairs", tau},
              {"mean_pairwise_spearman", "Spearman's rho, mean over pairs", spearman}};
    default:
      return {{"mean_pairwise_spearman", "Spearman's rho, mean over pairs", spearman}};
  }
}

Score mean_over_pairs(const Ratings& ratings, const PairOf& score) {
  const auto mean = stats::pairwise_mean(ratings, score(ratings));
  if (!mean) return stats::undefined(mean.error().reason);
  return mean->value;
}

struct Measure {
  const Ratings& ratings;
  const stats::ResampleOptions& sampling;
  double confidence;
  bool partition;

  AgreementRow by(std::string id, std::string title, const Coefficient& coefficient) const {
    const stats::BootstrapOptions how{.resamples = sampling.resamples,
                                      .level = confidence,
                                      .seed = sampling.seed,
                                      .threads = sampling.threads};
    const auto statistic = [&](Counts counts, std::span<Score> value) {
      value[0] = coefficient(resampled(ratings, counts));
    };
    stats::Draws draws =
        stats::paired_bootstrap(stats::Resampling::of_items(ratings.items()), 1, statistic, how);
    if (partition) stats::centre(draws);
    return {std::move(id), std::move(title), draws.points[0],
            stats::summarize(draws, 0, how).interval};
  }

  AgreementRow alpha(stats::Level level) const {
    constexpr std::string_view kIds[] = {"krippendorff_nominal", "krippendorff_ordinal",
                                         "krippendorff_interval", "krippendorff_ratio"};
    const stats::Metric* metric = stats::find_metric(kIds[static_cast<std::size_t>(level)]);
    AgreementRow row{std::string(metric->id), std::string(metric->title),
                     stats::krippendorff_alpha(ratings, level), stats::undefined("")};
    const auto drawn = stats::krippendorff_bootstrap(
        ratings, level, {sampling.resamples, confidence, sampling.seed, sampling.threads});
    if (drawn) {
      row.ci = drawn->interval;
    } else {
      row.ci = stats::undefined(drawn.error().reason);
    }
    return row;
  }

  AgreementRow of_metric(std::string_view id, const Coefficient& coefficient) const {
    return by(std::string(id), std::string(stats::find_metric(id)->title), coefficient);
  }
};

std::vector<AgreementRow> rows_of(const Measure& measure, AnswerLevel level) {
  std::vector<AgreementRow> rows;
  if (level == AnswerLevel::kNominal) {
    rows.push_back(measure.of_metric("percent_agreement", stats::percent_agreement));
    rows.push_back(measure.of_metric(
        "fleiss_kappa", [](const Ratings& r) { return value_of(stats::fleiss_kappa(r)); }));
    rows.push_back(measure.of_metric(
        "gwet_ac1", [](const Ratings& r) { return value_of(stats::gwet_ac1(r)); }));
  }
  if (level <= AnswerLevel::kRatio) {
    rows.push_back(measure.alpha(static_cast<stats::Level>(level)));
  }
  for (const Pairwise& pairwise : pairwise_of(level)) {
    rows.push_back(measure.by(pairwise.id, pairwise.title, [&](const Ratings& r) {
      return mean_over_pairs(r, pairwise.score);
    }));
  }
  return rows;
}

// Two columns of the table.
Ratings pair_of(const Ratings& ratings, std::size_t a, std::size_t b) {
  Ratings result{{}, 2, ratings.values};
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    result.codes.insert(result.codes.end(), {ratings.item(i)[a], ratings.item(i)[b]});
  }
  return result;
}

std::vector<RaterAgreement> rater_rows(const LongTable& table, const Ratings& ratings,
                                       const PairOf& score) {
  std::vector<RaterAgreement> rows;
  for (std::size_t a = 0; a < ratings.raters; ++a) {
    RaterAgreement& row = rows.emplace_back();
    row.rater = table.raters[a];
    for (std::size_t i = 0; i < ratings.items(); ++i) {
      row.answers += ratings.item(i)[a] == stats::kMissing ? 0 : 1;
    }
    double sum = 0, count = 0;
    for (std::size_t b = 0; b < ratings.raters; ++b) {
      if (a == b) continue;
      const Score pair = mean_over_pairs(pair_of(ratings, a, b), score);
      if (!pair) continue;
      sum += *pair;
      ++count;
    }
    row.with_others =
        count == 0 ? stats::undefined("no other rater can be compared with") : Score(sum / count);
  }
  return rows;
}

std::optional<double> disagreement_of(std::span<const int> codes, const Ratings& ratings,
                                      bool named) {
  std::vector<double> values;
  for (const int code : codes) {
    if (code != stats::kMissing) values.push_back(ratings.values[static_cast<std::size_t>(code)]);
  }
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0, differ = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    for (const double other : values) differ += value != other ? 1 : 0;
  }
  return named ? differ / (n * (n - 1)) : std::sqrt(squares / (n - 1));
}

void fill_items(const LongTable& table, const Ratings& ratings, AnswerLevel level,
                AgreementReport& report) {
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    const auto disagreement = disagreement_of(ratings.item(i), ratings, is_named(level));
    if (!disagreement) continue;
    ++report.pairable;
    if (*disagreement > 0) report.most_disagreed.push_back({table.items[i], *disagreement});
  }
  std::stable_sort(report.most_disagreed.begin(), report.most_disagreed.end(),
                   [](const auto& a, const auto& b) { return a.disagreement > b.disagreement; });
  // Groups have no names that two raters share.
  if (level == AnswerLevel::kPartition) report.most_disagreed.clear();
}

}  // namespace

std::string_view level_name(AnswerLevel level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::optional<AnswerLevel> parse_level(std::string_view name) {
  const auto* found = std::find(kLevelNames.begin(), kLevelNames.end(), name);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<AnswerLevel>(found - kLevelNames.begin());
}

namespace {

// The header of an answer file, which is no answer.
bool is_header(const Record& record) {
  return word_field(record.fields, "schema", "") == "plumb.answers/1" &&
         !record.fields.contains("rater");
}

}  // namespace

Result<LongTable> long_table(std::span<const Record> records, const TableColumns& columns) {
  LongTable table;
  struct Cell {
    std::size_t item, rater;
    std::string value, where;
  };
  std::vector<Cell> cells;
  std::unordered_map<std::string, std::size_t> items, raters;
  for (const Record& record : records) {
    if (is_header(record)) continue;
    for (const std::string* column : {&columns.item, &columns.rater, &columns.value}) {
      if (record.fields.contains(*column)) continue;
      std::vector<std::string> names;
      for (const auto& [name, value] : record.fields.items()) names.push_back(name);
      return fail(ErrorKind::kBadInput, fmt::format("{}: there is no column \"{}\"; there are {}",
                                                    record.where, *column, fmt::join(names, ", ")));
    }
    const std::string item = word_field(record.fields, columns.item.c_str(), "");
    const std::string rater = word_field(record.fields, columns.rater.c_str(), "");
    const auto [item_at, new_item] = items.emplace(item, table.items.size());
    if (new_item) table.items.push_back(item);
    const auto [rater_at, new_rater] = raters.emplace(rater, table.raters.size());
    if (new_rater) table.raters.push_back(rater);
    std::string value = word_field(record.fields, columns.value.c_str(), "");
    if (!value.empty())
      cells.push_back({item_at->second, rater_at->second, std::move(value), record.where});
  }
  if (cells.empty()) return fail(ErrorKind::kBadInput, "there are no answers in the table");
  table.values.resize(table.items.size() * table.raters.size());
  table.where.resize(table.values.size());
  for (Cell& cell : cells) {
    const std::size_t at = cell.item * table.raters.size() + cell.rater;
    if (table.values[at]) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: a second answer of \"{}\" to item \"{}\"; the first is at {}",
                              cell.where, table.raters[cell.rater], table.items[cell.item],
                              table.where[at]));
    }
    table.values[at] = std::move(cell.value);
    table.where[at] = std::move(cell.where);
  }
  return table;
}

Result<AgreementReport> measure_agreement(const LongTable& table, AnswerLevel level,
                                          const stats::ResampleOptions& sampling,
                                          double confidence) {
  PLUMB_TRY(ratings, is_named(level) ? named_ratings(table) : number_ratings(table));
  AgreementReport report;
  report.items = table.items.size();
  report.raters = table.raters.size();
  for (const auto& value : table.values) report.answers += value ? 1 : 0;
  report.rows = rows_of({ratings, sampling, confidence, level == AnswerLevel::kPartition}, level);
  const Pairwise first = pairwise_of(level).front();
  report.pairwise = first.title;
  report.by_rater = rater_rows(table, ratings, first.score);
  fill_items(table, ratings, level, report);
  return report;
}

}  // namespace plumb::tasks
