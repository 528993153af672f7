#include <fmt/format.h>

#include <algorithm>
#include <set>

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

// Names without their folders, unless two rows would then be called the same.
std::vector<std::string> names(const Leaderboard& table) {
  std::vector<std::string> full, brief;
  for (const LeaderboardRow& row : table.rows) {
    const Competitor& competitor = table.board.competitors[row.competitor];
    const std::string suffix = competitor.kind == gap::RaterKind::kHuman
                                   ? fmt::format(" ({})", competitor.revision)
                                   : std::string();
    full.push_back(competitor.name + suffix);
    brief.push_back(short_name(competitor.name) + suffix);
  }
  const std::set<std::string> different(brief.begin(), brief.end());
  return different.size() == brief.size() ? brief : full;
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
                {"ties", Align::kRight, 2},
                {"name"},
                {"kind", Align::kLeft, 3},
                {"score", Align::kRight},
                {ci, Align::kRight},
                {"to human", Align::kRight, 1},
                {ci, Align::kRight, 1},
                {"subsets", Align::kRight}},
               {}};
  const std::vector<std::string> shown = names(table);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const LeaderboardRow& row = table.rows[i];
    const Competitor& competitor = table.board.competitors[row.competitor];
    result.rows.push_back(
        {whole(row.rank), rank_range(row.rank_ci), whole(row.tie_group), shown[i],
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
      wrapped(fmt::format("Intervals: {}. Rows of one tie group cannot be told from its first row.",
                          table.resampling)) +
      "\n";
  if (std::ranges::any_of(table.rows, &LeaderboardRow::partial)) {
    notes += wrapped(
                 "Partial rows lack subsets; their scores are means over what they have and are "
                 "not ranked (--common ranks all rows on the subsets they share).") +
             "\n";
  }
  return notes;
}

}  // namespace plumb::report
