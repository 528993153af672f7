#include "plumb/report/eval_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/version.h"
#include "plumb/evals/suites/published.h"
#include "plumb/evals/suites/suite.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using evals::EvalRow;

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

// Large figures need fewer digits behind the point than shares.
int digits_of(const EvalRow& row) {
  double largest = row.score ? std::abs(*row.score) : 0;
  if (row.ci) largest = std::max({largest, std::abs(row.ci->low), std::abs(row.ci->high)});
  return largest >= 10 ? 2 : 4;
}

bool any(const EvalContext& context, bool (*has)(const EvalRow&)) {
  return std::ranges::any_of(context.rows, has);
}

bool has_model(const EvalRow& row) { return !row.model.empty(); }
bool has_note(const EvalRow& row) { return !row.note.empty(); }

std::vector<std::string> cells_of(const EvalRow& row) {
  const int digits = digits_of(row);
  return {row.eval,
          row.metric,
          row.n == 0 && row.score ? "-" : fmt::format("{}", row.n),
          row.score ? fixed(*row.score, digits) : std::string(row.score.error().reason),
          interval(row.ci, digits),
          fixed(row.chance, 3),
          row.at ? std::string(evals::at_name(*row.at)) : "-"};
}

std::string needs_of(const evals::SuiteKind& kind) {
  return kind.needs == evals::Needs::kLogLikelihoods ? "log-probabilities" : "completions";
}

// A suite of the list that is built in is always the same, so its size can be said.
std::string size_of(const evals::SuiteKind& kind) {
  if (!kind.data.empty()) return "-";
  const auto suite = evals::load_suite(kind.id, {});
  return suite ? fmt::format("{}", suite->size()) : "-";
}

}  // namespace

Json eval_json(const EvalContext& context) {
  Json json = {{"schema", "plumb.eval/1"},   {"version", kVersion},    {"suite", context.suite},
               {"subject", context.subject}, {"level", context.level}, {"seed", context.seed}};
  if (!context.provenance.is_null()) json["model"] = context.provenance;
  json["rows"] = Json::array();
  for (const EvalRow& row : context.rows) json["rows"].push_back(evals::row_json(row));
  json["notes"] = context.notes;
  return json;
}

Table eval_table(const EvalContext& context) {
  constexpr auto kRight = Align::kRight;
  const bool models = any(context, has_model), notes = any(context, has_note);
  Table table;
  if (models) table.columns.push_back({"model"});
  for (Column column :
       {Column{"eval"}, Column{"metric"}, Column{"n", kRight, 3}, Column{"score", kRight},
        Column{fmt::format("{:g} % interval", 100 * context.level), kRight},
        Column{"chance", kRight, 2}, Column{"at", Align::kLeft}}) {
    table.columns.push_back(std::move(column));
  }
  if (notes) table.columns.push_back({"note", Align::kLeft, 1});
  for (const EvalRow& row : context.rows) {
    std::vector<std::string> cells;
    if (models) cells.push_back(printable(row.model));
    std::ranges::move(cells_of(row), std::back_inserter(cells));
    if (notes) cells.push_back(printable(row.note));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table eval_records(const EvalContext& context) {
  Table table{columns({"model", "eval", "metric", "n", "score", "low", "high", "chance", "at",
                       "note", "reason"}),
              {}};
  for (const EvalRow& row : context.rows) {
    table.rows.push_back({row.model, row.eval, row.metric, fmt::format("{}", row.n),
                          exact(value_of(row.score)), low(row.ci), high(row.ci), exact(row.chance),
                          row.at ? std::string(evals::at_name(*row.at)) : "", row.note,
                          row.score ? "" : std::string(row.score.error().reason)});
  }
  return table;
}

std::string eval_heading(const EvalContext& context) {
  return fmt::format("{}: {}\n", context.suite, printable(context.subject));
}

std::string eval_notes(const EvalContext& context) {
  std::string notes = fmt::format(
      "Intervals are {:g} %. A score whose interval reaches its floor or its ceiling tells no "
      "models apart, is called so, and is left out of correlations.",
      100 * context.level);
  for (const std::string& note : context.notes) notes += " " + note;
  return notes;
}

Json eval_list_json() {
  Json json = {{"schema", "plumb.eval-list/1"}, {"version", kVersion}, {"suites", Json::array()}};
  for (const evals::SuiteKind& kind : evals::suite_kinds()) {
    const auto suite = kind.data.empty() ? evals::load_suite(kind.id, {})
                                         : Result<evals::Suite>(tl::unexpect, Error{});
    json["suites"].push_back({{"suite", kind.id},
                              {"title", kind.title},
                              {"needs", needs_of(kind)},
                              {"metrics", kind.metrics},
                              {"chance", or_null(kind.chance)},
                              {"n", suite ? Json(suite->size()) : Json(nullptr)},
                              {"data", kind.data}});
  }
  for (const evals::PublishedKind& kind : evals::published_kinds()) {
    json["suites"].push_back({{"suite", kind.id},
                              {"title", kind.title},
                              {"needs", "outputs"},
                              {"metrics", kind.metrics},
                              {"chance", nullptr},
                              {"n", nullptr},
                              {"data", kind.file}});
  }
  return json;
}

Table eval_list_table() {
  constexpr auto kRight = Align::kRight;
  Table table{{{"suite"},
               {"what"},
               {"needs"},
               {"n", kRight},
               {"chance", kRight},
               {"metrics", Align::kLeft, 1},
               {"data", Align::kLeft, 2}},
              {}};
  for (const evals::SuiteKind& kind : evals::suite_kinds()) {
    table.rows.push_back({std::string(kind.id), std::string(kind.title), needs_of(kind),
                          size_of(kind), fixed(kind.chance, 3), std::string(kind.metrics),
                          kind.data.empty() ? "built in" : std::string(kind.data)});
  }
  for (const evals::PublishedKind& kind : evals::published_kinds()) {
    table.rows.push_back({std::string(kind.id), std::string(kind.title), "outputs", "-", "-",
                          std::string(kind.metrics), std::string(kind.file)});
  }
  return table;
}

}  // namespace plumb::report
