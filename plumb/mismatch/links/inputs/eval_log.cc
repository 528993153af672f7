#include "plumb/mismatch/links/inputs/eval_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "plumb/evals/row.h"
#include "plumb/mismatch/links/inputs/fields.h"
#include "plumb/stats/intervals.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

constexpr double kMostCounted = 0x1p53;  // of whole numbers beyond, doubles leave some out

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// A line of this log as evals/row.h reads rows: cells of tables are texts, and only the evaluation
// and its score must be there.
Result<evals::EvalRow> flat_row(const Record& record) {
  const Json& fields = record.fields;
  Json row = {{"metric", text_in(fields, "metric").value_or("")}};
  const auto eval = text_in(fields, "eval");
  if (!eval) return bad(fmt::format("{}: \"eval\" is missing", record.where));
  row["eval"] = *eval;
  const double n = number_in(fields, "n").value_or(1);
  if (n > kMostCounted) return bad(fmt::format("{}: \"n\" is above 2^53", record.where));
  row["n"] = static_cast<std::size_t>(std::max(1.0, n));
  for (const char* name : {"score", "chance"}) {
    if (const auto value = number_in(fields, name)) row[name] = *value;
  }
  const auto low = number_in(fields, "ci_low"), high = number_in(fields, "ci_high");
  if (const auto ci = fields.find("ci"); ci != fields.end() && ci->is_array()) row["ci"] = *ci;
  if (low && high) row["ci"] = {*low, *high};
  for (const char* name : {"at", "reason", "items", "note"}) {
    const auto value = text_in(fields, name);
    if (value && !value->empty()) row[name] = *value;
  }
  return evals::parse_row(row, record.where);
}

// Scores that are all alike say nothing of their error but by their bounds, where they have any.
std::optional<stats::Interval> interval_of(std::span<const double> scores, double level) {
  const auto [least, most] = std::ranges::minmax(scores);
  if (least < most || scores.size() < 2) return stats::student_interval(scores, level);
  if (least < 0 || most > 1) return std::nullopt;
  return stats::bounded_mean_interval(least, scores.size(), 0, 1, level);
}

bool is_baseline(const evals::EvalRow& row) { return row.note.starts_with("baseline:"); }

// A share beside a percentage. Intervals of resamples may miss their score, by less than they are
// wide.
bool is_far_off(const evals::EvalRow& row) {
  if (!row.ci) return false;
  const double width = row.ci->high - row.ci->low, room = std::max(width, 1e-9);
  return *row.score < row.ci->low - room || *row.score > row.ci->high + room;
}

class Log {
 public:
  // A line of its own.
  Result<void> add(const Record& record) {
    PLUMB_TRY(step, step_of(record, record.fields));
    PLUMB_TRY(row, flat_row(record));
    const std::string run = text_in(record.fields, "run").value_or("");
    if (const auto item = text_in(record.fields, "item")) {
      return add_item(record, series_of(run, row), step, row, *item);
    }
    return add_row(record, run, step, row);
  }

  // One of the rows of an object of plumb.eval/1; trivial answers are no policy's.
  Result<void> add(const Record& record, const Json& json) {
    PLUMB_TRY(step,
              step_of(record, json.is_object() && json.contains("step") ? json : record.fields));
    PLUMB_TRY(row, evals::parse_row(json, record.where));
    if (is_baseline(row)) return {};
    const Json& named = json.contains("run") ? json : record.fields;
    return add_row(record, text_in(named, "run").value_or(""), step, row);
  }

  std::vector<EvalSeries> finish(double level) {
    for (EvalSeries& series : series_) {
      std::ranges::sort(series.points, {}, &EvalPoint::step);
      for (EvalPoint& point : series.points) finish(point, level);
    }
    return std::move(series_);
  }

 private:
  static Result<std::size_t> step_of(const Record& record, const Json& fields) {
    const auto step = number_in(fields, "step");
    if (step && *step >= 0 && *step <= kMostCounted && *step == std::floor(*step)) {
      return static_cast<std::size_t>(*step);
    }
    return bad(fmt::format("{}: \"step\" is not a whole number from 0 to 2^53", record.where));
  }

  Result<void> add_item(const Record& record, EvalSeries& series, std::size_t step,
                        const evals::EvalRow& row, const std::string& item) {
    if (!row.score) return bad(fmt::format("{}: \"score\" is not a number", record.where));
    if (point_of(series, step).items.emplace(item, *row.score).second) return {};
    return bad(fmt::format("{}: item \"{}\" of \"{}\" stands twice at step {}", record.where, item,
                           series.name, step));
  }

  Result<void> add_row(const Record& record, const std::string& run, std::size_t step,
                       const evals::EvalRow& row) {
    if (!row.score && !row.note.empty()) return {};
    if (!row.score) return bad(fmt::format("{}: \"score\" is not a number", record.where));
    if (is_far_off(row)) {
      return bad(fmt::format("{}: \"score\" is {:g}, far outside its interval [{:g}, {:g}]",
                             record.where, *row.score, row.ci->low, row.ci->high));
    }
    EvalSeries& series = series_of(run, row);
    const std::string& known = items_.emplace(&series - series_.data(), row.items).first->second;
    if (known != row.items) {
      return bad(fmt::format("{}: step {} of \"{}\" is of other items than the steps before",
                             record.where, step, series.name));
    }
    EvalPoint& point = point_of(series, step);
    if (point.n > 0) {
      return bad(
          fmt::format("{}: step {} of \"{}\" stands twice", record.where, step, series.name));
    }
    point.score = *row.score;
    point.n = std::max<std::size_t>(1, row.n);
    point.ci = row.ci;
    if (row.at) point.at = evals::at_name(*row.at);
    return {};
  }

  EvalSeries& series_of(const std::string& run, const evals::EvalRow& row) {
    const std::string name =
        row.metric.empty() ? row.eval : fmt::format("{} {}", row.eval, row.metric);
    for (EvalSeries& series : series_) {
      if (series.run == run && series.name == name) return series;
    }
    series_.push_back({run, name, {}});
    return series_.back();
  }
  static EvalPoint& point_of(EvalSeries& series, std::size_t step) {
    const auto found = std::find_if(series.points.rbegin(), series.points.rend(),
                                    [step](const EvalPoint& one) { return one.step == step; });
    if (found != series.points.rend()) return *found;
    series.points.push_back({.step = step});
    return series.points.back();
  }
  static void finish(EvalPoint& point, double level) {
    if (point.items.empty()) return;
    std::vector<double> scores;
    for (const auto& [item, score] : point.items) scores.push_back(score);
    point.n = scores.size();
    point.score = 0;
    for (const double score : scores) point.score += score / static_cast<double>(point.n);
    point.ci = interval_of(scores, level);
  }

  std::vector<EvalSeries> series_;
  std::map<std::ptrdiff_t, std::string> items_;  // of each series the hash of its items
};

}  // namespace

const EvalPoint* EvalSeries::at_step(std::size_t step) const {
  const auto found = std::ranges::lower_bound(points, step, {}, &EvalPoint::step);
  return found != points.end() && found->step == step ? &*found : nullptr;
}

Result<std::vector<EvalSeries>> read_eval_log(const std::filesystem::path& file, double level) {
  PLUMB_TRY(reader, RecordReader::open(file.string(), {}));
  Log log;
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    const auto rows = record->fields.find("rows");
    if (rows == record->fields.end() || !rows->is_array()) {
      if (auto added = log.add(*record); !added) {
        return tl::unexpected(added.error());
      }
      continue;
    }
    for (const Json& row : *rows) {
      if (auto added = log.add(*record, row); !added) return tl::unexpected(added.error());
    }
  }
  std::vector<EvalSeries> series = log.finish(level);
  if (series.empty()) return bad(fmt::format("{}: holds no evaluations", file.string()));
  return series;
}

}  // namespace plumb::mismatch
