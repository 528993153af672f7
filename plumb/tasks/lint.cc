#include "plumb/tasks/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "plumb/tasks/task_file.h"

namespace plumb::tasks {
namespace {

using Ids = std::vector<std::string>;

// What one check found; nothing where all is well.
struct Found {
  Severity severity;
  std::string message;
  Ids items = {};
};
using Maybe = std::optional<Found>;

Maybe found_if_any(Severity severity, std::string_view what, Ids items) {
  if (items.empty()) return std::nullopt;
  std::string message = fmt::format("{} {}", items.size(), what);
  return Found{severity, std::move(message), std::move(items)};
}

// The ids of the items, training items included, for which `holds` does.
template <typename Predicate>
Ids items_where(const Task& task, Predicate holds) {
  Ids ids;
  for (const bool training : {false, true}) {
    for (const Item& item : task.of(training)) {
      if (holds(item)) ids.push_back(item.id);
    }
  }
  return ids;
}

template <typename Predicate>
Ids items_with_text(const Task& task, Predicate holds) {
  return items_where(task,
                     [&](const Item& item) { return std::ranges::any_of(item.texts, holds); });
}

// ---- characters

// Calls use(code point) for each character. REQUIRES: valid UTF-8.
template <typename Use>
void for_each_character(std::string_view text, Use use) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    }
    use(code);
    i += length;
  }
}

template <typename Predicate>
bool has_character(std::string_view text, Predicate holds) {
  bool found = false;
  for_each_character(text, [&](char32_t code) { found = found || holds(code); });
  return found;
}

bool is_in(char32_t code, char32_t low, char32_t high) { return code >= low && code <= high; }

// The blocks of scripts that are written from right to left.
bool is_right_to_left(char32_t code) {
  return is_in(code, 0x590, 0x8ff) || is_in(code, 0xfb1d, 0xfdff) || is_in(code, 0xfe70, 0xfeff) ||
         is_in(code, 0x10800, 0x10fff) || is_in(code, 0x1e800, 0x1efff);
}

// Marks that change the direction of what follows, unseen.
bool is_direction_mark(char32_t code) {
  return is_in(code, 0x202a, 0x202e) || is_in(code, 0x2066, 0x2069) || code == 0x200e ||
         code == 0x200f || code == 0x61c;
}

bool is_control(char32_t code) {
  const bool layout = code == '\t' || code == '\n' || code == '\r';
  return (code < 0x20 && !layout) || is_in(code, 0x7f, 0x9f) || code == 0xfffd || code == 0xfeff;
}

std::size_t characters_in(std::string_view text) {
  std::size_t count = 0;
  for_each_character(text, [&count](char32_t) { ++count; });
  return count;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// ---- texts

Maybe empty_texts(const Task& task, const LintOptions&) {
  // The prompt of a preference may be empty, and so may a completion that ended at once.
  return found_if_any(task.kind == Kind::kPreference ? Severity::kWarning : Severity::kError,
                      "items hold a text with nothing to read", items_with_text(task, is_blank));
}

Maybe long_texts(const Task& task, const LintOptions& options) {
  std::size_t longest = 0;
  Ids ids = items_with_text(task, [&](const std::string& text) {
    const std::size_t length = characters_in(text);
    longest = std::max(longest, length);
    return length > options.longest_text;
  });
  return found_if_any(
      Severity::kWarning,
      fmt::format("items hold a text of over {} characters (up to {}): nobody reads that whole, "
                  "and models cut it",
                  options.longest_text, longest),
      std::move(ids));
}

Maybe control_characters(const Task& task, const LintOptions&) {
  return found_if_any(
      Severity::kWarning,
      "items hold control or replacement characters: a sign of a broken conversion",
      items_with_text(task, [](std::string_view text) { return has_character(text, is_control); }));
}

Maybe direction_marks(const Task& task, const LintOptions&) {
  return found_if_any(Severity::kWarning,
                      "items hold invisible marks of direction: people and models read other "
                      "texts",
                      items_with_text(task, [](std::string_view text) {
                        return has_character(text, is_direction_mark);
                      }));
}

Maybe right_to_left(const Task& task, const LintOptions&) {
  return found_if_any(Severity::kNote, "items hold text that is written from right to left",
                      items_with_text(task, [](std::string_view text) {
                        return has_character(text, is_right_to_left);
                      }));
}

// ---- duplicates

using TextPlaces = std::map<std::vector<std::string>, std::vector<const Item*>>;

TextPlaces by_texts(const std::vector<Item>& items) {
  TextPlaces places;
  for (const Item& item : items) places[item.texts].push_back(&item);
  return places;
}

// The items of every set of two or more with the same texts whose golds `holds` of.
template <typename Predicate>
Ids same_texts(const Task& task, Predicate holds) {
  std::set<const Item*> found;
  for (const auto& [texts, items] : by_texts(task.items)) {
    if (items.size() > 1 && holds(items)) found.insert(items.begin(), items.end());
  }
  Ids ids;
  for (const Item& item : task.items) {
    if (found.contains(&item)) ids.push_back(item.id);
  }
  return ids;
}

bool same_gold(const std::vector<const Item*>& items) {
  return std::ranges::all_of(items, [&](const Item* item) { return item->gold == items[0]->gold; });
}

Maybe duplicates(const Task& task, const LintOptions&) {
  return found_if_any(Severity::kWarning,
                      "items have the same texts as another one: they count twice",
                      same_texts(task, same_gold));
}

Maybe contradictions(const Task& task, const LintOptions&) {
  return found_if_any(Severity::kError, "items have the same texts as another one and another gold",
                      same_texts(task, [](const auto& items) { return !same_gold(items); }));
}

Maybe train_overlap(const Task& task, const LintOptions&) {
  const TextPlaces train = by_texts(task.train);
  Ids ids;
  for (const Item& item : task.items) {
    if (train.contains(item.texts)) ids.push_back(item.id);
  }
  return found_if_any(Severity::kError,
                      fmt::format("of {} items are training items too: a probe is told the answer",
                                  task.items.size()),
                      std::move(ids));
}

bool has_repeated_candidate(const Item& item) {
  return std::set<std::string>(item.texts.begin() + 1, item.texts.end()).size() !=
         item.texts.size() - 1;
}

Maybe repeated_candidates(const Task& task, const LintOptions&) {
  if (task.kind != Kind::kReranking) return std::nullopt;
  return found_if_any(Severity::kWarning, "queries list the same document twice",
                      items_where(task, has_repeated_candidate));
}

Maybe equal_completions(const Task& task, const LintOptions&) {
  if (task.kind != Kind::kPreference) return std::nullopt;
  return found_if_any(
      Severity::kError, "pairs compare a completion with itself",
      items_where(task, [](const Item& item) { return item.texts[1] == item.texts[2]; }));
}

Maybe equal_pairs(const Task& task, const LintOptions&) {
  if (task.kind != Kind::kSts) return std::nullopt;
  return found_if_any(
      Severity::kNote, "pairs compare a text with itself",
      items_where(task, [](const Item& item) { return item.texts[0] == item.texts[1]; }));
}

// ---- gold

Maybe missing_gold(const Task& task, const LintOptions&) {
  Ids ids = items_where(task, [](const Item& item) { return item.gold.empty(); });
  if (ids.size() == task.items.size() + task.train.size()) {
    return Found{Severity::kNote, "no item has gold: answers can be compared, not scored"};
  }
  return found_if_any(Severity::kWarning, "items have no gold while others do", std::move(ids));
}

// How many items have each value of the first number of gold.
std::map<double, std::size_t> gold_sizes(const std::vector<Item>& items) {
  std::map<double, std::size_t> sizes;
  for (const Item& item : items) {
    if (!item.gold.empty()) ++sizes[item.gold[0]];
  }
  return sizes;
}

Maybe one_class(const Task& task, const LintOptions&) {
  if (task.kind == Kind::kPreference) return std::nullopt;  // a matter of its position
  if (task.kind == Kind::kReranking) {
    return found_if_any(
        Severity::kWarning, "queries have documents of one grade alone: any order is as good",
        items_where(task, [](const Item& item) {
          return !item.gold.empty() && std::ranges::count(item.gold, item.gold[0]) ==
                                           static_cast<std::ptrdiff_t>(item.gold.size());
        }));
  }
  for (const bool training : {false, true}) {
    if (gold_sizes(training ? task.train : task.items).size() != 1) continue;
    return Found{Severity::kError, fmt::format("all {} have the same gold: nothing can be told "
                                               "apart",
                                               training ? "training items" : "items")};
  }
  return std::nullopt;
}

Maybe unused_labels(const Task& task, const LintOptions&) {
  if (task.kind != Kind::kClassification) return std::nullopt;
  const auto sizes = gold_sizes(task.items), train = gold_sizes(task.train);
  if (sizes.empty()) return std::nullopt;
  std::vector<std::string> unused, untrained;
  for (std::size_t i = 0; i < task.labels.size(); ++i) {
    const auto label = static_cast<double>(i);
    if (!sizes.contains(label)) unused.push_back(task.labels[i]);
    if (sizes.contains(label) && !train.contains(label)) untrained.push_back(task.labels[i]);
  }
  if (!train.empty() && !untrained.empty()) {
    return Found{Severity::kError, fmt::format("no training item has the label {}, so no probe can "
                                               "answer it",
                                               fmt::join(untrained, ", "))};
  }
  if (unused.empty()) return std::nullopt;
  return Found{Severity::kNote, fmt::format("no item has the label {}", fmt::join(unused, ", "))};
}

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// A label without what a reader does not tell apart: case of ASCII letters, blanks at its ends.
std::string plain_label(std::string_view label) {
  const std::size_t first = label.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string plain(label.substr(first, label.find_last_not_of(" \t") - first + 1));
  for (char& c : plain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return plain;
}

Maybe mixed_labels(const Task& task, const LintOptions&) {
  const auto numbers = std::ranges::count_if(task.labels, is_number);
  if (numbers > 0 && static_cast<std::size_t>(numbers) < task.labels.size()) {
    return Found{Severity::kError,
                 fmt::format("the labels are words and numbers mixed: {}; one class may stand "
                             "under two names",
                             fmt::join(task.labels, ", "))};
  }
  std::map<std::string, std::string> seen;
  for (const std::string& label : task.labels) {
    const auto [twin, is_new] = seen.emplace(plain_label(label), label);
    if (is_new) continue;
    return Found{Severity::kError, fmt::format("the labels \"{}\" and \"{}\" differ in case or "
                                               "blanks alone",
                                               twin->second, label)};
  }
  return std::nullopt;
}

// Whether the documents of a query stand from best to worst.
bool lists_best_first(const Item& item) {
  return !item.gold.empty() && std::ranges::is_sorted(item.gold, std::ranges::greater()) &&
         item.gold.front() != item.gold.back();
}

Maybe position(const Task& task, const LintOptions&) {
  if (task.kind == Kind::kReranking) {
    const Ids ids = items_where(task, lists_best_first);
    if (ids.size() < 5 || ids.size() < task.items.size()) return std::nullopt;
    return Found{Severity::kWarning,
                 "every query lists its relevant documents first: shown in this order, the gold "
                 "leaks"};
  }
  if (task.kind != Kind::kPreference) return std::nullopt;
  const auto sizes = gold_sizes(task.items);
  if (sizes.size() != 1 || task.items.size() < 5) return std::nullopt;
  return Found{Severity::kWarning,
               fmt::format("every preferred completion is {}: shown in this order, the gold leaks",
                           choice_name(static_cast<Choice>(sizes.begin()->first)))};
}

struct Check {
  const char* name;
  Maybe (*run)(const Task& task, const LintOptions& options);
};

constexpr Check kChecks[] = {
    {"train-overlap", train_overlap},
    {"contradiction", contradictions},
    {"duplicate", duplicates},
    {"repeated-candidate", repeated_candidates},
    {"equal-completions", equal_completions},
    {"equal-pair", equal_pairs},
    {"empty-text", empty_texts},
    {"long-text", long_texts},
    {"control-character", control_characters},
    {"direction-mark", direction_marks},
    {"missing-gold", missing_gold},
    {"one-class", one_class},
    {"mixed-labels", mixed_labels},
    {"unused-label", unused_labels},
    {"position", position},
    {"right-to-left", right_to_left},
};

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      break;
  }
  return "note";
}

std::vector<Finding> lint_task(const Task& task, const LintOptions& options) {
  std::vector<Finding> findings;
  for (const Check& check : kChecks) {
    if (auto found = check.run(task, options)) {
      findings.push_back(
          {check.name, found->severity, std::move(found->message), std::move(found->items)});
    }
  }
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  return findings;
}

Result<Lint> lint_file(const std::filesystem::path& path, const LintOptions& options) {
  PLUMB_TRY(reader, TaskReader::open(path));
  Lint lint{reader.header(), {}};
  std::vector<Finding> refused;
  std::size_t last_line = 0;
  while (true) {
    auto next = reader.next();
    if (!next) {
      // Damage ends the file; whatever else is wrong with a line leaves the next one readable.
      if (next.error().kind != ErrorKind::kBadInput || reader.lines().line() == last_line) {
        return tl::unexpected(next.error());
      }
      last_line = reader.lines().line();
      refused.push_back({"refused-line", Severity::kError, next.error().message, {}});
      continue;
    }
    if (!*next) break;
    last_line = reader.lines().line();
    auto& items = (*next)->training ? lint.task.train : lint.task.items;
    items.push_back(std::move((*next)->item));
    if (options.progress) {
      options.progress(reader.lines().bytes_read(), reader.lines().bytes_total());
    }
  }
  lint.findings = std::move(refused);
  std::ranges::move(lint_task(lint.task, options), std::back_inserter(lint.findings));
  return lint;
}

}  // namespace plumb::tasks
