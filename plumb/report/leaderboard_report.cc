#include <fmt/format.h>

#include "plumb/report/common.h"
#include "plumb/report/gap_report.h"

namespace plumb::report {
namespace {

using gap::Competitor;
using gap::Leaderboard;
using gap::LeaderboardRow;

Json row_json(const Leaderboard& table, const LeaderboardRow& row) {
  const Competitor& competitor = table.board.competitors[row.competitor];
  Json json;
  json["name"] = competitor.name;
  json["revision"] = competitor.revision;
  json["kind"] = kind_name(competitor.kind);
  json["score"] = or_null(row.score);
  json["ci"] = or_null(row.ci);
  json["rank"] = or_null(row.rank);
  json["rank_ci"] = or_null(row.rank_ci);
  json["tie_group"] = or_null(row.tie_group);
  json["coverage"] = {row.have, row.of};
  json["partial"] = row.partial;
  if (row.difference) {
    json["difference"] = {{"value", *row.difference}, {"ci", or_null(row.difference_ci)}};
  }
  if (!row.score) json["reason"] = "this aggregate compares rows that have every subset";
  return json;
}

std::string whole(std::optional<int> value) { return value ? fmt::format("{}", *value) : "-"; }

}  // namespace

Json leaderboard_json(const Leaderboard& table, const std::string& aggregate,
                      const Context& context) {
  Json json;
  json["schema"] = "plumb.leaderboard/1";
  add_provenance(json, context);
  json["aggregate"] = aggregate;
  json["aggregate_title"] = table.title;
  json["human"] = context.human_rule;
  json["resampling"] = table.resampling;
  json["level"] = context.level;
  json["ranked"] = table.ranked;
  json["rows"] = Json::array();
  for (const LeaderboardRow& row : table.rows) json["rows"].push_back(row_json(table, row));
  return json;
}

Table leaderboard_table(const Leaderboard& table, double level) {
  const std::string ci = fmt::format("{:g} % interval", 100 * level);
  Table result{{{"rank", Align::kRight},
                {"interval", Align::kRight},
                {"ties", Align::kRight},
                {"name"},
                {"kind"},
                {"score", Align::kRight},
                {ci, Align::kRight},
                {"to human", Align::kRight},
                {ci, Align::kRight},
                {"subsets", Align::kRight}},
               {}};
  for (const LeaderboardRow& row : table.rows) {
    const Competitor& competitor = table.board.competitors[row.competitor];
    const bool human = competitor.kind == gap::RaterKind::kHuman;
    result.rows.push_back(
        {whole(row.rank), rank_range(row.rank_ci), whole(row.tie_group),
         human ? fmt::format("{} ({})", competitor.name, competitor.revision) : competitor.name,
         std::string(kind_name(competitor.kind)), fixed(row.score), interval(row.ci),
         with_sign(row.difference), signed_interval(row.difference_ci),
         fmt::format("{}/{}{}", row.have, row.of, row.partial ? " partial" : "")});
  }
  return result;
}

Table leaderboard_records(const Leaderboard& table) {
  Table result{columns({"name", "revision", "kind", "score", "ci_low", "ci_high", "rank",
                        "rank_low", "rank_high", "tie_group", "have", "of", "partial", "difference",
                        "difference_low", "difference_high"}),
               {}};
  for (const LeaderboardRow& row : table.rows) {
    const Competitor& competitor = table.board.competitors[row.competitor];
    result.rows.push_back(
        {competitor.name, competitor.revision, std::string(kind_name(competitor.kind)),
         exact(row.score), low(row.ci), high(row.ci), exact(row.rank), rank_low(row.rank_ci),
         rank_high(row.rank_ci), exact(row.tie_group), fmt::format("{}", row.have),
         fmt::format("{}", row.of), row.partial ? "true" : "false", exact(row.difference),
         low(row.difference_ci), high(row.difference_ci)});
  }
  return result;
}

std::string leaderboard_heading(const Leaderboard& table, const Context& context) {
  return fmt::format("{}: {} (0-100), human {}, {} ranked\n", context.figures->name, table.title,
                     context.human_rule, table.ranked);
}

std::string leaderboard_notes(const Leaderboard& table) {
  std::string notes =
      fmt::format("Intervals: {}. Rows of one tie group cannot be told from its first row.\n",
                  table.resampling);
  for (const LeaderboardRow& row : table.rows) {
    if (row.partial) {
      notes +=
          "Partial rows lack subsets; their scores are means over what they have and are not "
          "ranked (--common ranks all rows on the subsets they share).\n";
      break;
    }
  }
  return notes;
}

}  // namespace plumb::report
