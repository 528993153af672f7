#include "plumb/report/mismatch/links_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using mismatch::Link;
using mismatch::LinkReport;
using mismatch::LinkRow;
using mismatch::LinkVerdicts;
using mismatch::RunLinks;
using mismatch::SwapStage;

constexpr std::array<const char*, 3> kSides = {
    "A. Reward model and policy", "B. Reward model and evaluation", "C. Policy and evaluation"};

std::string letter(Link link) { return {static_cast<char>(link)}; }

Json row_json(const LinkRow& row) {
  Json json = {{"link", letter(row.link)},
               {"run", row.run.empty() ? Json(nullptr) : Json(row.run)},
               {"measure", row.measure},
               {"estimate", or_null(row.estimate)},
               {"ci", or_null(row.ci)},
               {"verdict", row.verdict ? Json(verdict_name(*row.verdict)) : Json(nullptr)},
               {"detectable", or_null(row.detectable)},
               {"n", row.n},
               {"of", row.of},
               {"headline", row.headline}};
  if (row.resolution) {
    json["null"] = row.null;
    json["resolution"] = *row.resolution;
    json["p"] = row.tested ? Json(row.p) : Json(nullptr);
    json["adjusted_p"] = row.tested ? Json(row.adjusted_p) : Json(nullptr);
  }
  if (!row.reason.empty() && !row.ci) json["reason"] = row.reason;
  if (!row.note.empty()) json["note"] = row.note;
  return json;
}

Json verdicts_json(const LinkVerdicts& verdicts) {
  Json json = Json::object();
  for (std::size_t i = 0; i < 3; ++i) {
    json[letter(static_cast<Link>('A' + i))] = verdict_name(verdicts.links[i]);
  }
  return json;
}

Json run_json(const RunLinks& run, const LinkReport& report) {
  Json json = {{"name", run.draws.name},        {"file", run.draws.file},
               {"sha256", run.draws.sha256},    {"samples", run.draws.samples},
               {"prompts", run.draws.prompts},  {"steps", run.draws.steps},
               {"seeds", run.draws.seeds},      {"missing", run.missing},
               {"warnings", run.draws.warnings}};
  const auto found = std::ranges::find(report.verdicts, run.draws.name, &LinkVerdicts::run);
  json["verdicts"] = found == report.verdicts.end() ? Json(nullptr) : verdicts_json(*found);
  return json;
}

// Why there is no loss, or no interval of it.
std::string reason_of(const SwapStage& stage) {
  if (!stage.loss.value) return std::string(stage.loss.value.error().reason);
  return stage.loss.ci ? "" : std::string(stage.loss.ci.error().reason);
}

Json stage_json(const SwapStage& stage) {
  Json json = {{"stage", stage.stage},
               {"loss", stage.loss.value ? Json(*stage.loss.value) : Json(nullptr)},
               {"ci", or_null(stage.loss.ci)}};
  if (const std::string reason = reason_of(stage); !reason.empty()) json["reason"] = reason;
  return json;
}

// As many digits as a table needs for numbers of this size.
int digits_of(const LinkRow& row) {
  const double size = std::abs(row.estimate.value_or(1));
  if (size != 0 && size < 0.05) return 4;
  return size >= 100 ? 0 : 2;
}

std::string verdict_cell(const LinkRow& row) {
  if (row.verdict) return std::string(verdict_name(*row.verdict));
  return row.estimate ? "" : "-";
}

std::vector<std::string> cells_of(const LinkRow& row) {
  const int digits = digits_of(row);
  const std::string range = row.ci ? interval(row.ci, digits) : row.reason;
  return {row.run.empty() ? "-" : printable(row.run),
          printable(row.measure),
          fixed(row.estimate, digits),
          printable(range),
          verdict_cell(row),
          fixed(row.detectable, digits),
          row.n > 0 ? fmt::format("{} {}", row.n, row.of) : ""};
}

std::string heading_of(const LinkReport& report, std::size_t link) {
  std::string heading = fmt::format("{}: ", kSides[link]);
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const LinkVerdicts& one = report.verdicts[i];
    heading += fmt::format("{}{}", i > 0 ? ", " : "", verdict_name(one.links[link]));
    if (report.verdicts.size() > 1) heading += fmt::format(" ({})", printable(one.run));
  }
  return heading;
}

Table card_of(const LinkReport& report, Link link) {
  const bool several = report.verdicts.size() > 1;
  const std::string level = fmt::format("{:g} %", 100 * report.options.sampling.level);
  Table table{{{"run"},
               {"measure"},
               {"estimate", Align::kRight},
               {level, Align::kRight},
               {"verdict"},
               {"detectable", Align::kRight, 1},
               {"n", Align::kRight, 2}},
              {}};
  for (const LinkRow& row : report.rows) {
    if (row.link == link) table.rows.push_back(cells_of(row));
  }
  if (several) return table;
  table.columns.erase(table.columns.begin());
  for (auto& row : table.rows) row.erase(row.begin());
  return table;
}

Table swap_table(const mismatch::SwapReport& swap, double level) {
  Table table{{{"stage"},
               {"gold lost", Align::kRight},
               {fmt::format("{:g} %", 100 * level), Align::kRight}},
              {}};
  for (const SwapStage& stage : swap.stages) {
    const auto& [value, ci] = stage.loss;
    table.rows.push_back({stage.stage, value ? with_sign(*value, 2) : "-",
                          ci ? signed_interval(to_optional(ci), 2) : reason_of(stage)});
  }
  return table;
}

std::string swap_heading(const mismatch::SwapReport& swap) {
  return fmt::format(
      "Swap tests: {} prompts; run and best of n at a proxy gain of {:.2f} (step {:.0f}, n = "
      "{:.1f})",
      swap.prompts, swap.proxy_gain, swap.step, swap.n);
}

}  // namespace

Json swap_json(const mismatch::SwapReport& swap) {
  Json json = {{"swap", Json::array()}};
  for (const SwapStage& stage : swap.stages) json["swap"].push_back(stage_json(stage));
  if (!swap.reason.empty()) json["swap_reason"] = swap.reason;
  json["swap_at"] = {{"prompts", swap.prompts},
                     {"proxy_gain", swap.proxy_gain},
                     {"step", swap.step},
                     {"n", swap.n}};
  json["swap_notes"] = swap.notes;
  return json;
}

Json links_json(const LinkReport& report, const LinksContext& context) {
  Json json = {{"schema", "plumb.links/1"},
               {"version", kVersion},
               {"command", context.command},
               {"level", report.options.sampling.level},
               {"resamples", report.options.sampling.resamples},
               {"seed", report.options.sampling.seed},
               {"inputs", Json::array()},
               {"runs", Json::array()},
               {"links", Json::array()},
               {"swap", Json::array()}};
  for (const auto& [what, file, sha256] : context.inputs) {
    json["inputs"].push_back({{"what", what}, {"file", file}, {"sha256", sha256}});
  }
  for (const RunLinks& run : report.runs) json["runs"].push_back(run_json(run, report));
  for (const LinkRow& row : report.rows) json["links"].push_back(row_json(row));
  if (report.swap) json.update(swap_json(*report.swap));
  json["sentence"] = report.sentence;
  return json;
}

Table links_records(const LinkReport& report) {
  Table table{
      columns({"link", "run", "measure", "estimate", "ci_low", "ci_high", "verdict", "detectable",
               "null", "resolution", "p", "adjusted_p", "n", "of", "reason", "note"}),
      {}};
  for (const LinkRow& row : report.rows) {
    const bool tested = row.tested;
    table.rows.push_back({letter(row.link), row.run, row.measure, exact(row.estimate), low(row.ci),
                          high(row.ci), row.verdict ? std::string(verdict_name(*row.verdict)) : "",
                          exact(row.detectable), row.resolution ? exact(row.null) : "",
                          exact(row.resolution), tested ? exact(row.p) : "",
                          tested ? exact(row.adjusted_p) : "", fmt::format("{}", row.n), row.of,
                          row.ci ? "" : row.reason, row.note});
  }
  if (!report.swap) return table;
  for (const SwapStage& stage : report.swap->stages) {
    const auto ci = to_optional(stage.loss.ci);
    table.rows.push_back({"swap", "", stage.stage, stage.loss.value ? exact(*stage.loss.value) : "",
                          low(ci), high(ci), "", "", "", "", "", "",
                          fmt::format("{}", report.swap->prompts), "prompts", reason_of(stage),
                          ""});
  }
  return table;
}

std::vector<LinksPart> links_parts(const LinkReport& report) {
  std::vector<LinksPart> parts;
  for (std::size_t i = 0; i < 3; ++i) {
    Table card = card_of(report, static_cast<Link>('A' + i));
    if (!card.rows.empty()) parts.push_back({heading_of(report, i), std::move(card)});
  }
  if (report.swap && !report.swap->stages.empty()) {
    parts.push_back(swap_part(*report.swap, report.options.sampling.level));
  }
  return parts;
}

LinksPart swap_part(const mismatch::SwapReport& swap, double level) {
  return {swap_heading(swap), swap_table(swap, level)};
}

std::vector<std::string> links_notes(const LinkReport& report) {
  std::vector<std::string> notes = {fmt::format(
      "Verdicts: aligned, the interval lies above where the two sides have nothing to do with each "
      "other; inverted, below; decoupled, it is there and too narrow for a difference that "
      "matters; else insufficient evidence. Within a link p-values are Holm's. Detectable: the "
      "difference that would have been found with power 0.8. Intervals are {:g} %, from {} "
      "resamples of {}.",
      100 * report.options.sampling.level, report.options.sampling.resamples,
      report.options.seeds ? "seeds and prompts" : "the prompts")};
  for (const LinkRow& row : report.rows) {
    if (row.note.empty()) continue;
    notes.push_back(fmt::format("{}{}{}: {}.", letter(row.link), row.run.empty() ? "" : ", ",
                                printable(fmt::format("{}, {}", row.run, row.measure)),
                                printable(row.note)));
  }
  for (const RunLinks& run : report.runs) {
    const auto add = [&](const std::string& text) {
      notes.push_back(fmt::format("{}. {}", printable(run.draws.name), printable(text)));
    };
    for (const std::string& text : run.missing) add(text);
    for (const std::string& text : run.draws.warnings) add(text);
    for (const std::string& text : run.attribution.left_out) add(text);
  }
  if (report.swap) {
    if (!report.swap->reason.empty()) {
      notes.push_back(fmt::format("Swap tests: {}.", printable(report.swap->reason)));
    }
    for (const std::string& note : report.swap->notes) notes.push_back(printable(note));
  }
  notes.push_back(report.sentence);
  return notes;
}

}  // namespace plumb::report
