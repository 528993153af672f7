#include "plumb/mismatch/links/inputs/eval_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/mismatch/links/inputs/fields.h"
#include "plumb/stats/intervals.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

std::optional<stats::Interval> interval_in(const Json& fields) {
  const auto ci = fields.find("ci");
  if (ci != fields.end() && ci->is_array() && ci->size() == 2 && (*ci)[0].is_number() &&
      (*ci)[1].is_number()) {
    return stats::Interval{(*ci)[0].get<double>(), (*ci)[1].get<double>()};
  }
  const auto low = number_in(fields, "ci_low"), high = number_in(fields, "ci_high");
  if (!low || !high) return std::nullopt;
  return stats::Interval{*low, *high};
}

class Log {
 public:
  Result<void> add(const Record& record, const Json& row) {
    const auto step = number_in(row.contains("step") ? row : record.fields, "step");
    if (!step || *step < 0 || *step != static_cast<double>(static_cast<std::size_t>(*step))) {
      return bad(fmt::format("{}: \"step\" is not a whole number from 0 on", record.where));
    }
    const auto eval = text_in(row, "eval");
    if (!eval) return bad(fmt::format("{}: \"eval\" is missing", record.where));
    const auto score = number_in(row, "score");
    if (!score && text_in(row, "reason")) return {};
    if (!score) return bad(fmt::format("{}: \"score\" is not a number", record.where));
    const auto metric = text_in(row, "metric").value_or("");
    EvalSeries& series = series_of(text_in(row, "run").value_or(""),
                                   metric.empty() ? *eval : fmt::format("{} {}", *eval, metric));
    EvalPoint& point = point_of(series, static_cast<std::size_t>(*step));
    if (const auto item = text_in(row, "item")) {
      if (!point.items.emplace(*item, *score).second) {
        return bad(fmt::format("{}: item \"{}\" of \"{}\" stands twice at step {}", record.where,
                               *item, series.name, *step));
      }
      return {};
    }
    if (point.n > 0) {
      return bad(
          fmt::format("{}: step {} of \"{}\" stands twice", record.where, *step, series.name));
    }
    point.score = *score;
    point.n = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::max(0.0, number_in(row, "n").value_or(1))));
    point.ci = interval_in(row);
    point.at = text_in(row, "at").value_or("");
    return {};
  }

  std::vector<EvalSeries> finish(double level) {
    for (EvalSeries& series : series_) {
      std::ranges::sort(series.points, {}, &EvalPoint::step);
      for (EvalPoint& point : series.points) finish(point, level);
    }
    return std::move(series_);
  }

 private:
  EvalSeries& series_of(const std::string& run, const std::string& name) {
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
    point.ci = stats::student_interval(scores, level);
  }

  std::vector<EvalSeries> series_;
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
      if (auto added = log.add(*record, record->fields); !added) {
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
