#include "plumb/rlhf/preferences/preference_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "plumb/base/number.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"
#include "plumb/text/lines.h"
#include "plumb/text/records.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

bool is_plain(const Conversation& conversation) {
  return conversation.size() == 1 && conversation[0].role.empty();
}

// Where the first difference is, moved back to the last blank before it: a word that both sides
// begin alike belongs to the completion.
std::size_t shared_length(std::string_view a, std::string_view b) {
  const auto [end, other] = std::ranges::mismatch(a, b);
  auto length = static_cast<std::size_t>(end - a.begin());
  while (length > 0 && a[length - 1] != ' ' && a[length - 1] != '\n') --length;
  while (length > 0 && a[length - 1] == ' ') --length;
  return length;
}

void split_plain(Comparison& comparison) {
  std::string& chosen = comparison.completions[0][0].content;
  std::string& rejected = comparison.completions[1][0].content;
  if (chosen == rejected) return;
  const std::size_t shared = shared_length(chosen, rejected);
  comparison.prompt = {{"", chosen.substr(0, shared)}};
  chosen.erase(0, shared);
  rejected.erase(0, shared);
}

// Moves the turns that both sides share into the prompt; the last turn of each stays.
void split_turns(Comparison& comparison) {
  auto& [chosen, rejected] = comparison.completions;
  const std::size_t most = std::min(chosen.size(), rejected.size()) - 1;
  std::size_t shared = 0;
  while (shared < most && chosen[shared] == rejected[shared]) ++shared;
  const auto end = chosen.begin() + static_cast<std::ptrdiff_t>(shared);
  // Some files repeat the prompt at the head of both sides.
  const bool repeated =
      is_plain(comparison.prompt) && shared > 0 &&
      trimmed(comparison.prompt[0].content) == trimmed(chosen[shared - 1].content);
  if (repeated) comparison.prompt.clear();
  comparison.prompt.insert(comparison.prompt.end(), chosen.begin(), end);
  for (Conversation* side : {&chosen, &rejected}) {
    side->erase(side->begin(), side->begin() + static_cast<std::ptrdiff_t>(shared));
  }
}

// A transcript in place of a plain text, where it is one.
bool read_transcripts(Comparison& comparison) {
  auto chosen = parse_transcript(comparison.completions[0][0].content);
  auto rejected = parse_transcript(comparison.completions[1][0].content);
  if (!chosen || !rejected) return false;
  comparison.completions = {std::move(*chosen), std::move(*rejected)};
  return true;
}

// "...\n\nHuman: Hello\n\nAssistant:" is a prompt whose completions are the assistant's.
void read_transcript_prompt(Comparison& comparison) {
  if (!is_plain(comparison.prompt)) return;
  auto turns = parse_transcript(comparison.prompt[0].content);
  if (!turns) return;
  if (turns->back().content.empty()) turns->pop_back();
  comparison.prompt = std::move(*turns);
  for (Conversation& side : comparison.completions) {
    if (is_plain(side)) side[0].role = "assistant";
  }
}

Result<double> margin_of(const Json& line) {
  const auto found = line.find("margin");
  if (found == line.end() || found->is_null()) return 0.0;
  if (found->is_number() && std::isfinite(found->get<double>())) return found->get<double>();
  return bad("\"margin\" is not a number");
}

// What projects call a prompt: TRL; OpenRLHF; LLaMA-Factory and Alpaca; others.
constexpr std::array<std::string_view, 6> kPromptNames = {
    "prompt", "context_messages", "instruction", "question", "query", "context"};
constexpr std::array<std::string_view, 7> kOtherNames = {
    "chosen", "rejected", "completions", "ranks", "margin", "eval", "input"};

// The name of the prompt on this line; empty where it has none.
std::string prompt_name(const Json& line) {
  for (const std::string_view name : kPromptNames) {
    const auto found = line.find(name);
    if (found != line.end() && !found->is_null()) return std::string(name);
  }
  return "";
}

// The prompt under its name; behind an instruction, after an empty line, the input that it is for.
Result<Conversation> parse_prompt(const Json& line, const std::string& name) {
  PLUMB_TRY(prompt, parse_conversation(line, name.c_str()));
  const auto input = line.find("input");
  if (name == "instruction" && is_plain(prompt) && input != line.end() && input->is_string() &&
      !input->get_ref<const std::string&>().empty()) {
    prompt[0].content += "\n\n" + input->get<std::string>();
  }
  return std::move(prompt);
}

// Whether the completions bring what came before them.
bool brings_prompt(const Conversation& completion) {
  return completion.size() > 1 && completion[0].role != "assistant";
}

// Whether a completion is a text or messages that do not begin with what they answer.
bool lacks_prompt(const Json& completion) {
  if (completion.is_string()) return !parse_transcript(completion.get_ref<const std::string&>());
  const bool messages = completion.is_array() && !completion.empty() && completion[0].is_object();
  return messages && completion[0].value("role", Json()) == "assistant";
}

// The other texts of a line on which no prompt is named: one of them may be it.
std::vector<std::string> unnamed_texts(const Json& line) {
  std::vector<std::string> names;
  if (!prompt_name(line).empty() || !lacks_prompt(line.value("chosen", Json()))) return names;
  for (const auto& [name, value] : line.items()) {
    const bool known = std::ranges::find(kOtherNames, name) != kOtherNames.end() && name != "input";
    if (!known && (value.is_string() || value.is_array())) names.push_back(name);
  }
  return names;
}

Result<Comparison> parse_pair(const Json& line) {
  Comparison comparison;
  PLUMB_TRY(chosen, parse_conversation(line, "chosen"));
  PLUMB_TRY(rejected, parse_conversation(line, "rejected"));
  if (is_plain(chosen) != is_plain(rejected)) {
    return bad("one of \"chosen\" and \"rejected\" is a text and the other a list of messages");
  }
  comparison.completions = {std::move(chosen), std::move(rejected)};
  const std::string name = prompt_name(line);
  const bool has_prompt =
      name == "prompt" || (!name.empty() && !brings_prompt(comparison.completions[0]));
  if (has_prompt) {
    PLUMB_TRY(prompt, parse_prompt(line, name));
    comparison.prompt = std::move(prompt);
  }
  PLUMB_TRY(margin, margin_of(line));
  comparison.votes = {{"", Choice::kA, margin}};
  const bool turns =
      !is_plain(comparison.completions[0]) || (!has_prompt && read_transcripts(comparison));
  if (turns) {
    split_turns(comparison);
  } else if (has_prompt) {
    read_transcript_prompt(comparison);
  } else {
    split_plain(comparison);
  }
  return comparison;
}

// The places of the completions, the best first: in their order, or as "ranks" says.
Result<std::vector<std::size_t>> order_of(const Json& line, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const Json ranks = line.value("ranks", Json());
  if (ranks.is_null()) return order;
  if (!ranks.is_array() || ranks.size() != count) {
    return bad(fmt::format("\"ranks\" is not a list of {} numbers, one a completion", count));
  }
  for (const Json& rank : ranks) {
    if (!rank.is_number() || !std::isfinite(rank.get<double>())) {
      return bad("\"ranks\" holds something that is not a number");
    }
  }
  const auto rank = [&](std::size_t i) { return ranks[i].get<double>(); };
  std::ranges::stable_sort(order, {}, rank);
  for (std::size_t i = 1; i < count; ++i) {
    if (rank(order[i - 1]) < rank(order[i])) continue;
    return bad(
        fmt::format("completions {} and {} have one rank: ties are not read in rankings; "
                    "leave one of them out, or write pairs",
                    order[i - 1] + 1, order[i] + 1));
  }
  return order;
}

Result<Conversation> ranked_completion(const Json& completion, std::size_t number) {
  if (completion.is_array() && !completion.empty() && !completion[0].is_object()) {
    return bad(
        fmt::format("completion {} is a list of texts: ties are not read in rankings; leave "
                    "all but one of them out, or write pairs",
                    number));
  }
  const std::string name = fmt::format("completion {}", number);
  PLUMB_TRY(turns, parse_conversation(Json{{name, completion}}, name.c_str()));
  if (last_text(turns).empty()) return bad(fmt::format("{} holds no text", name));
  return std::move(turns);
}

Result<std::vector<Conversation>> ranked_completions(const Json& line) {
  const Json& list = line["completions"];
  if (!list.is_array() || list.size() < 2) {
    return bad("\"completions\" is not a list of two or more, from the best to the worst");
  }
  std::vector<Conversation> completions;
  for (const Json& one : list) {
    PLUMB_TRY(turns, ranked_completion(one, completions.size() + 1));
    const auto same = std::ranges::find(completions, turns);
    if (same != completions.end()) {
      return bad(
          fmt::format("completions {} and {} are the same text, which cannot be better than "
                      "itself",
                      same - completions.begin() + 1, completions.size() + 1));
    }
    if (!completions.empty() && is_plain(completions[0]) != is_plain(turns)) {
      return bad("some of \"completions\" are texts and others lists of messages");
    }
    completions.push_back(std::move(turns));
  }
  return completions;
}

// Every pair of a ranking, the better one first.
Result<std::vector<Comparison>> parse_ranking(const Json& line, std::size_t number) {
  PLUMB_TRY(completions, ranked_completions(line));
  PLUMB_TRY(order, order_of(line, completions.size()));
  const std::string name = prompt_name(line);
  PLUMB_TRY(prompt, parse_prompt(line, name.empty() ? "prompt" : name));
  std::vector<Comparison> pairs;
  for (std::size_t better = 0; better < order.size(); ++better) {
    for (std::size_t worse = better + 1; worse < order.size(); ++worse) {
      Comparison pair;
      pair.prompt = prompt;
      pair.completions = {completions[order[better]], completions[order[worse]]};
      pair.votes = {{"", Choice::kA, 0}};
      pair.ranking = number;
      pair.ranks = {better, worse};
      read_transcript_prompt(pair);
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

Result<std::vector<Comparison>> parse_comparisons(const Json& line, std::size_t ranking) {
  if (line.contains("completions")) return parse_ranking(line, ranking);
  PLUMB_TRY(pair, parse_pair(line));
  return std::vector{std::move(pair)};
}

Result<void> check_line(const Json& line) {
  if (line.contains("schema")) {
    return bad("a file of plumb with a header; only preference tasks are read, and not from -");
  }
  if (line.contains("completion") && line.contains("label") && !line.contains("chosen")) {
    return bad(
        "one completion with a label: unpaired labels are not read; a comparison has "
        "\"chosen\" and \"rejected\"");
  }
  return {};
}

// Cells of tables are texts.
void read_margin_cell(Json& fields) {
  const auto margin = fields.find("margin");
  if (margin == fields.end() || !margin->is_string()) return;
  const std::string cell = margin->get<std::string>();
  if (cell.empty()) *margin = nullptr;
  if (const auto number = parse_number(trimmed(cell))) *margin = *number;
}

// The comparisons of a file of lines, and those whose prompt may stand under a name of its own.
struct Pairs {
  std::vector<Comparison> comparisons;
  Defect unnamed{.id = "prompt-not-named", .meaning = {}, .where = {}};

  void note_texts(const Json& line, const std::string& where) {
    const auto names = unnamed_texts(line);
    if (names.empty()) return;
    unnamed.where.push_back(where);
    if (!unnamed.meaning.empty()) return;
    unnamed.meaning = fmt::format(
        "no \"prompt\" is named, and what both texts begin with is taken for it; where \"{}\" is "
        "the "
        "prompt, name it so",
        fmt::join(names, "\" or \""));
  }
};

Result<Pairs> read_pairs(const std::string& path, const Progress& progress) {
  const std::string table = table_format(path);
  PLUMB_TRY(records, RecordReader::open(path, {.format = table.empty() ? "jsonl" : table}));
  Pairs pairs;
  std::size_t rankings = 0;
  while (true) {
    PLUMB_TRY(record, records.next());
    if (!record) return pairs;
    Json& line = record->fields;
    if (!table.empty()) read_margin_cell(line);
    const auto at_line = [&](const Error& error) {
      return fail(error.kind, fmt::format("{}: {}", record->where, error.message));
    };
    if (auto readable = check_line(line); !readable) return at_line(readable.error());
    auto parsed = parse_comparisons(line, rankings + 1);
    if (!parsed) return at_line(parsed.error());
    rankings += parsed->front().ranking > 0 ? 1 : 0;
    pairs.note_texts(line, record->where);
    const auto eval = line.find("eval");
    for (Comparison& one : *parsed) {
      one.where = record->where;
      if (eval != line.end() && eval->is_string()) one.eval = eval->get<std::string>();
      pairs.comparisons.push_back(std::move(one));
    }
    if (progress) progress(records.lines().bytes_read(), records.lines().bytes_total());
  }
}

Result<bool> is_task(const std::string& path) {
  if (path == "-") return false;
  PLUMB_TRY(lines, LineReader::open(path));
  PLUMB_TRY(text, lines.next());
  if (!text) return false;
  const Json line = Json::parse(*text, nullptr, false);
  const auto schema = line.is_object() ? line.find("schema") : line.end();
  return schema != line.end() && *schema == "plumb.task/1";
}

Vote vote_of(std::string annotator, const tasks::Answer& answer) {
  return {std::move(annotator), static_cast<Choice>(static_cast<int>(answer[0])), answer[1]};
}

Result<std::vector<Comparison>> read_task_comparisons(const std::string& path,
                                                      std::span<const std::string> answers,
                                                      const Progress& progress) {
  PLUMB_TRY(task, tasks::read_task(path, progress));
  if (task.kind != tasks::Kind::kPreference) {
    return bad(fmt::format("{}: a {} task; only preference tasks compare two completions", path,
                           kind_name(task.kind)));
  }
  PLUMB_TRY(sheets, tasks::read_all_answers(answers, task));
  std::vector<Comparison> comparisons;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const tasks::Item& item = task.items[i];
    Comparison& comparison = comparisons.emplace_back(comparison_of(item, path));
    for (const tasks::AnswerSheet& sheet : sheets) {
      if (sheet.answers[i]) comparison.votes.push_back(vote_of(sheet.rater, *sheet.answers[i]));
    }
    if (answers.empty() && !item.gold.empty()) comparison.votes = {vote_of("", item.gold)};
  }
  return comparisons;
}

bool is_empty(const Conversation& completion) { return last_text(completion).empty(); }

bool is_not_assistants(const Conversation& completion) {
  const std::string& role = completion.back().role;
  return !role.empty() && role != "assistant";
}

std::vector<Defect> defects_of(std::span<const Comparison> comparisons) {
  const auto either = [](const Comparison& comparison, bool (*holds)(const Conversation&)) {
    return std::ranges::any_of(comparison.completions, holds);
  };
  std::vector<Defect> kinds = {
      {"equal-completions", "both completions are the same text", {}},
      {"empty-completion", "a completion holds no text", {}},
      {"last-turn", "a completion does not end with the assistant's turn", {}},
      {"undecided", "no vote prefers one of the two", {}}};
  for (const Comparison& one : comparisons) {
    const bool holds[] = {one.completions[0] == one.completions[1], either(one, is_empty),
                          either(one, is_not_assistants), !share_of_first(one)};
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      if (holds[k]) kinds[k].where.push_back(one.where);
    }
  }
  std::erase_if(kinds, [](const Defect& defect) { return defect.where.empty(); });
  return kinds;
}

}  // namespace

std::optional<double> share_of_first(const Comparison& comparison) {
  double first = 0, decided = 0;
  for (const Vote& vote : comparison.votes) {
    first += vote.choice == Choice::kA ? 1 : 0;
    decided += vote.choice == Choice::kA || vote.choice == Choice::kB ? 1 : 0;
  }
  return decided == 0 ? std::nullopt : std::optional(first / decided);
}

Comparison comparison_of(const tasks::Item& item, const std::string& where) {
  Comparison comparison;
  comparison.where = fmt::format("{}: item {}", where, item.id);
  comparison.prompt = {{"", item.texts[0]}};
  comparison.completions = {Conversation{{"", item.texts[1]}}, Conversation{{"", item.texts[2]}}};
  read_transcript_prompt(comparison);
  return comparison;
}

ComparisonTexts comparison_texts(const Comparison& comparison) {
  return {plain_text(comparison.prompt),
          {plain_text(comparison.completions[0]), plain_text(comparison.completions[1])}};
}

Result<PreferenceData> read_preferences(const std::string& path,
                                        std::span<const std::string> answers,
                                        const Progress& progress) {
  PLUMB_TRY(task, is_task(path));
  if (!task && !answers.empty()) {
    return bad(fmt::format("{}: answers belong to a preference task, and this is none", path));
  }
  PreferenceData data;
  data.file = path;
  data.order_known = task;
  Pairs read;
  if (task) {
    PLUMB_TRY(comparisons, read_task_comparisons(path, answers, progress));
    read.comparisons = std::move(comparisons);
  } else {
    PLUMB_TRY(pairs, read_pairs(path, progress));
    read = std::move(pairs);
  }
  if (read.comparisons.empty()) return bad(fmt::format("{}: holds no comparison", path));
  data.comparisons = std::move(read.comparisons);
  data.defects = defects_of(data.comparisons);
  if (!read.unnamed.where.empty()) data.defects.push_back(std::move(read.unnamed));
  return data;
}

}  // namespace plumb::rlhf
