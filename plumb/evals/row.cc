#include "plumb/evals/row.h"

#include <fmt/format.h>

#include <utility>

#include "plumb/base/files.h"

namespace plumb::evals {
namespace {

constexpr std::string_view kSchema = "plumb.eval/1";

tl::unexpected<Error> bad(const std::string& where, std::string_view field, std::string_view want) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: \"{}\" is not {}", where, field, want));
}

Result<std::string> text_of(const Json& json, const char* field, bool needed,
                            const std::string& where) {
  const auto found = json.find(field);
  if (found == json.end() && !needed) return std::string();
  if (found == json.end() || !found->is_string()) return bad(where, field, "a text");
  return found->get<std::string>();
}

Result<std::optional<double>> number_of(const Json& json, const char* field,
                                        const std::string& where) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return std::optional<double>();
  if (!found->is_number()) return bad(where, field, "a number or null");
  return std::optional(found->get<double>());
}

Result<std::optional<stats::Interval>> interval_of(const Json& json, const std::string& where) {
  const auto found = json.find("ci");
  if (found == json.end() || found->is_null()) return std::optional<stats::Interval>();
  if (!found->is_array() || found->size() != 2 || !(*found)[0].is_number() ||
      !(*found)[1].is_number()) {
    return bad(where, "ci", "two numbers or null");
  }
  const stats::Interval ci{(*found)[0].get<double>(), (*found)[1].get<double>()};
  if (ci.low > ci.high) return bad(where, "ci", "an interval: its ends are swapped");
  return std::optional(ci);
}

Result<std::optional<At>> parse_at(const Json& json, const std::string& where) {
  const auto found = json.find("at");
  if (found == json.end() || found->is_null()) return std::optional<At>();
  for (const At at : {At::kFloor, At::kCeiling}) {
    if (found->is_string() && found->get<std::string>() == at_name(at)) return std::optional(at);
  }
  return bad(where, "at", "\"floor\", \"ceiling\" or null");
}

Json interval_json(const std::optional<stats::Interval>& ci) {
  return ci ? Json{ci->low, ci->high} : Json(nullptr);
}

}  // namespace

std::string_view at_name(At at) { return at == At::kFloor ? "floor" : "ceiling"; }

Scale choice_scale(double chance) { return {.chance = chance, .floor = chance, .ceiling = 1.0}; }

std::optional<At> place_of(const stats::Interval& ci, const Scale& scale) {
  if (scale.floor && ci.low <= *scale.floor) return At::kFloor;
  if (scale.ceiling && ci.high >= *scale.ceiling) return At::kCeiling;
  return std::nullopt;
}

EvalRow make_row(std::string eval, std::string metric, std::size_t n, const stats::Score& score,
                 std::optional<stats::Interval> ci, const Scale& scale) {
  EvalRow row{.model = {},
              .eval = std::move(eval),
              .metric = std::move(metric),
              .n = n,
              .score = score,
              .ci = score ? ci : std::nullopt,
              .chance = scale.chance};
  if (row.ci) row.at = place_of(*row.ci, scale);
  return row;
}

Json row_json(const EvalRow& row) {
  Json json = Json::object();
  if (!row.model.empty()) json["model"] = row.model;
  json.update(Json{{"eval", row.eval},
                   {"metric", row.metric},
                   {"n", row.n},
                   {"score", row.score ? Json(*row.score) : Json(nullptr)},
                   {"ci", interval_json(row.ci)},
                   {"chance", row.chance ? Json(*row.chance) : Json(nullptr)},
                   {"at", row.at ? Json(at_name(*row.at)) : Json(nullptr)}});
  if (!row.score) json["reason"] = row.score.error().reason;
  if (!row.items.empty()) json["items"] = row.items;
  if (!row.note.empty()) json["note"] = row.note;
  return json;
}

Result<EvalRow> parse_row(const Json& json, const std::string& where) {
  if (!json.is_object()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: a row is no object", where));
  }
  EvalRow row;
  PLUMB_TRY(model, text_of(json, "model", false, where));
  PLUMB_TRY(eval, text_of(json, "eval", true, where));
  PLUMB_TRY(metric, text_of(json, "metric", true, where));
  PLUMB_TRY(items, text_of(json, "items", false, where));
  PLUMB_TRY(note, text_of(json, "note", false, where));
  PLUMB_TRY(reason, text_of(json, "reason", false, where));
  const auto n = json.find("n");
  if (n == json.end() || !n->is_number_unsigned()) return bad(where, "n", "a count");
  PLUMB_TRY(score, number_of(json, "score", where));
  PLUMB_TRY(chance, number_of(json, "chance", where));
  PLUMB_TRY(ci, interval_of(json, where));
  PLUMB_TRY(at, parse_at(json, where));
  row.model = std::move(model);
  row.eval = std::move(eval);
  row.metric = std::move(metric);
  row.n = n->get<std::size_t>();
  if (score) {
    row.score = *score;
  } else {
    row.score = stats::undefined("its note says why");
    if (reason != row.score.error().reason) note = note.empty() ? reason : reason + "; " + note;
  }
  row.ci = ci;
  row.chance = chance;
  row.at = at;
  row.items = std::move(items);
  row.note = std::move(note);
  return row;
}

Result<std::vector<EvalRow>> read_rows(const std::filesystem::path& file) {
  PLUMB_TRY(text, read_file(file));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", Json()) != kSchema ||
      !json.value("rows", Json()).is_array()) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("{}: no result of an evaluation (`plumb eval ... --json` writes {} with rows)",
                    file.string(), kSchema));
  }
  std::vector<EvalRow> rows;
  for (const Json& entry : json["rows"]) {
    PLUMB_TRY(row, parse_row(entry, fmt::format("{}: row {}", file.string(), rows.size() + 1)));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace plumb::evals
