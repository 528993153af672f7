// Agreement of raters on any long table: item, rater, value. No task is needed.
//
//   PLUMB_TRY(table, long_table(records, {.item = "id", .rater = "who", .value = "label"}));
//   for (const AgreementRow& row : measure_agreement(table, Level::kNominal, {}).rows) ...
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/stats/standings.h"
#include "plumb/text/records.h"

namespace plumb::tasks {

enum class AnswerLevel { kNominal, kOrdinal, kInterval, kRatio, kPartition, kRanking };

// "nominal", "ordinal", "interval", "ratio", "partition", "ranking"
std::string_view level_name(AnswerLevel level);
std::optional<AnswerLevel> parse_level(std::string_view name);

struct LongTable {
  std::vector<std::string> items, raters;          // in the order in which they first occur
  std::vector<std::optional<std::string>> values;  // [items, raters]
  std::vector<std::string> where;                  // [items, raters] "file:line" of a value
};

struct TableColumns {
  std::string item = "item", rater = "rater", value = "value";
};

// kBadInput, with file and line: a column is missing, or a rater answers an item twice. An empty
// value is no answer, and neither is the header of plumb.answers/1.
Result<LongTable> long_table(std::span<const Record> records, const TableColumns& columns);

struct AgreementRow {
  std::string id, title;  // of the metric table, or "mean_pairwise_..."
  stats::Score value = stats::undefined("");
  stats::IntervalScore ci = stats::undefined("");  // percentiles over resampled items
};

struct RaterAgreement {
  std::string rater;
  std::size_t answers = 0;
  stats::Score with_others = stats::undefined("");  // mean of the pairwise coefficient
};

struct ItemDisagreement {
  std::string item;
  double disagreement;  // share of pairs of answers that differ; numbers: their standard deviation
};

struct AgreementReport {
  std::size_t items = 0, raters = 0, answers = 0;
  std::size_t pairable = 0;  // items with two answers or more
  std::vector<AgreementRow> rows;
  std::string pairwise;  // what `with_others` is the mean of
  std::vector<RaterAgreement> by_rater;
  std::vector<ItemDisagreement> most_disagreed;  // the highest first; of nominal and number levels
};

// nominal: percent agreement, Fleiss, Gwet AC1, mean pairwise Cohen, Krippendorff. ordinal,
// interval, ratio: Krippendorff of that level, mean pairwise Spearman. partition: mean pairwise ARI
// and AMI over the items that both have. ranking: mean pairwise tau-b and Spearman. kBadInput, with
// file and line: a value that is no number where numbers belong.
Result<AgreementReport> measure_agreement(const LongTable& table, AnswerLevel level,
                                          const stats::ResampleOptions& sampling,
                                          double confidence);

}  // namespace plumb::tasks
