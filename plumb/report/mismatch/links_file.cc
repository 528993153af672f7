#include "plumb/report/mismatch/links_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "plumb/base/json.h"

namespace plumb::report {
namespace {

bool is_text(const Json& value) { return value.is_string(); }
bool is_number(const Json& value) { return value.is_number(); }
bool is_truth(const Json& value) { return value.is_boolean(); }
bool is_object(const Json& value) { return value.is_object(); }
bool is_list(const Json& value) { return value.is_array(); }
bool is_texts(const Json& value) { return value.is_array() && std::ranges::all_of(value, is_text); }
bool maybe_text(const Json& value) { return value.is_null() || value.is_string(); }
bool maybe_number(const Json& value) { return value.is_null() || value.is_number(); }
bool maybe_object(const Json& value) { return value.is_null() || value.is_object(); }
bool maybe_interval(const Json& value) {
  return value.is_null() ||
         (value.is_array() && value.size() == 2 && std::ranges::all_of(value, maybe_number));
}
bool is_link(const Json& value) { return value == "A" || value == "B" || value == "C"; }
bool is_verdict(const Json& value) {
  return value == "aligned" || value == "decoupled" || value == "inverted" ||
         value == "insufficient evidence";
}
bool maybe_verdict(const Json& value) { return value.is_null() || is_verdict(value); }

struct Field {
  const char* name;
  bool (*fits)(const Json& value);
};

constexpr Field kReport[] = {{"title", is_text},   {"version", is_text}, {"command", is_text},
                             {"links", is_object}, {"details", is_list}, {"notes", is_texts}};
constexpr Field kLinks[] = {{"level", is_number}, {"resamples", is_number}, {"seed", is_number},
                            {"inputs", is_list},  {"runs", is_list},        {"links", is_list},
                            {"swap", is_list},    {"sentence", is_text}};
constexpr Field kInput[] = {{"what", is_text}, {"file", is_text}, {"sha256", is_text}};
constexpr Field kRun[] = {{"name", is_text},          {"file", is_text},    {"sha256", is_text},
                          {"samples", is_number},     {"steps", is_number}, {"prompts", is_number},
                          {"verdicts", maybe_object}, {"seeds", is_number}, {"missing", is_texts}};
constexpr Field kVerdicts[] = {{"A", is_verdict}, {"B", is_verdict}, {"C", is_verdict}};
constexpr Field kRow[] = {
    {"link", is_link},         {"run", maybe_text},          {"measure", is_text},
    {"ci", maybe_interval},    {"estimate", maybe_number},   {"n", is_number},
    {"headline", is_truth},    {"detectable", maybe_number}, {"of", is_text},
    {"verdict", maybe_verdict}};
constexpr Field kStage[] = {{"stage", is_text}, {"loss", maybe_number}, {"ci", maybe_interval}};
constexpr Field kSwapAt[] = {
    {"prompts", is_number}, {"proxy_gain", is_number}, {"step", is_number}, {"n", is_number}};
constexpr Field kDetails[] = {{"name", is_text},        {"kind", is_text},
                              {"points", is_list},      {"proxy_deviation", maybe_number},
                              {"evaluations", is_list}, {"gold_deviation", maybe_number},
                              {"examples", is_object},  {"ceiling", maybe_object}};
constexpr Field kPoint[] = {{"at", is_number},
                            {"d", maybe_number},
                            {"proxy", maybe_number},
                            {"proxy_ci", maybe_interval},
                            {"gold", maybe_number},
                            {"gold_ci", maybe_interval},
                            {"accuracy", maybe_number},
                            {"accuracy_ci", maybe_interval},
                            {"overconfidence", maybe_number},
                            {"overconfidence_ci", maybe_interval}};
constexpr Field kSeries[] = {{"name", is_text}, {"points", is_list}};
constexpr Field kScore[] = {{"step", is_number}, {"score", is_number}, {"ci", maybe_interval}};
constexpr Field kExamples[] = {{"stages", is_list}, {"prompts", is_list}};
constexpr Field kExampleStage[] = {{"name", is_text}, {"step", is_number}};
constexpr Field kPrompt[] = {{"prompt", is_text}, {"samples", is_list}};
constexpr Field kSample[] = {{"completion", is_text}};

// The first thing that does not fit, in words.
using Trouble = std::optional<std::string>;

Trouble object_trouble(const Json& value, const std::string& where, std::span<const Field> fields) {
  if (!value.is_object()) return fmt::format("{} is no object", where);
  for (const Field& field : fields) {
    const auto found = value.find(field.name);
    if (found == value.end()) return fmt::format("{} has no \"{}\"", where, field.name);
    if (!field.fits(*found))
      return fmt::format("\"{}\" of {} is of another kind", field.name, where);
  }
  return std::nullopt;
}

// Of each entry of a list; `more` looks further into one that fits.
template <typename More>
Trouble list_trouble(const Json& list, const std::string& what, std::span<const Field> fields,
                     const More& more) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{} {}", what, i + 1);
    Trouble trouble = object_trouble(list[i], where, fields);
    if (!trouble) trouble = more(list[i], where);
    if (trouble) return trouble;
  }
  return std::nullopt;
}

Trouble list_trouble(const Json& list, const std::string& what, std::span<const Field> fields) {
  return list_trouble(list, what, fields,
                      [](const Json&, const std::string&) -> Trouble { return std::nullopt; });
}

Trouble run_trouble(const Json& run, const std::string& where) {
  if (run["verdicts"].is_null()) return std::nullopt;
  return object_trouble(run["verdicts"], "the verdicts of " + where, kVerdicts);
}

Trouble links_trouble(const Json& links) {
  Trouble found = object_trouble(links, "\"links\"", kLinks);
  if (!found) found = list_trouble(links["inputs"], "input", kInput);
  if (!found) found = list_trouble(links["runs"], "run", kRun, run_trouble);
  if (!found) found = list_trouble(links["links"], "row", kRow);
  if (!found) found = list_trouble(links["swap"], "stage", kStage);
  if (!found && links.contains("swap_at"))
    found = object_trouble(links["swap_at"], "swap_at", kSwapAt);
  return found;
}

Trouble prompt_trouble(const Json& prompt, const std::string& where) {
  for (const Json& sample : prompt["samples"]) {
    if (sample.is_null()) continue;
    if (Trouble found = object_trouble(sample, "a sample of " + where, kSample)) return found;
  }
  return std::nullopt;
}

Trouble details_trouble(const Json& details, const std::string& where) {
  Trouble found = list_trouble(details["points"], "point of " + where, kPoint);
  if (!found) {
    found = list_trouble(details["evaluations"], "evaluation of " + where, kSeries,
                         [](const Json& series, const std::string& at) {
                           return list_trouble(series["points"], "score of " + at, kScore);
                         });
  }
  if (!found && details["ceiling"].is_object()) {
    constexpr Field kCeiling[] = {{"d_star", is_number}};
    found = object_trouble(details["ceiling"], "the ceiling of " + where, kCeiling);
  }
  const Json& examples = details["examples"];
  if (!found) found = object_trouble(examples, "the examples of " + where, kExamples);
  if (!found) found = list_trouble(examples["stages"], "stage of " + where, kExampleStage);
  if (!found)
    found = list_trouble(examples["prompts"], "prompt of " + where, kPrompt, prompt_trouble);
  return found;
}

Trouble report_trouble(const Json& report) {
  Trouble found = object_trouble(report, "it", kReport);
  if (!found) found = links_trouble(report["links"]);
  if (!found) found = list_trouble(report["details"], "details", kDetails, details_trouble);
  return found;
}

}  // namespace

Result<LinksFile> check_links_report(std::string_view text, const std::string& name) {
  if (text.size() > kLongestLinksReport) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: longer than {} MB; show fewer completions "
                                                  "(plumb report links --examples)",
                                                  name, kLongestLinksReport >> 20U));
  }
  const Json report = Json::parse(text, nullptr, false);
  if (!report.is_object() || report.value("schema", Json()) != "plumb.links-report/1") {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no report of links (plumb.links-report/1), which "
                            "`plumb report links RUN --json -o links.json` writes",
                            name));
  }
  if (const Trouble found = report_trouble(report)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no sound report of links: {}", name, *found));
  }
  return LinksFile{report["title"], report["links"]["sentence"]};
}

}  // namespace plumb::report
