#include "plumb/tasks/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "plumb/base/hash.h"

namespace plumb::tasks {
namespace {

constexpr std::array<std::string_view, 5> kKindNames = {"sts", "classification", "clustering",
                                                        "reranking", "preference"};
constexpr std::array<std::string_view, 4> kChoiceNames = {"A", "B", "tie", "both bad"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

void add_size(std::string& bytes, std::size_t size, char mark) {
  const fmt::format_int digits(size);
  bytes.append(digits.data(), digits.size());
  bytes += mark;
}

// Lengths stand before their bytes, so that no two different items give the same bytes.
void add(std::string& bytes, std::string_view text) {
  add_size(bytes, text.size(), ':');
  bytes += text;
}

void add(std::string& bytes, double number) {
  fmt::format_to(std::back_inserter(bytes), "{};", number);
}

std::string hash_of(const Task& task, std::span<const Item> items) {
  std::string bytes;
  add(bytes, kind_name(task.kind));
  if (task.scale) {
    add(bytes, task.scale->low);
    add(bytes, task.scale->high);
  }
  for (const std::string& label : task.labels) add(bytes, label);
  for (const Item& item : items) {
    add(bytes, item.id);
    add_size(bytes, item.texts.size(), 't');
    for (const std::string& text : item.texts) add(bytes, text);
    add_size(bytes, item.gold.size(), 'g');
    for (const double number : item.gold) add(bytes, number);
  }
  return sha256(bytes);
}

}  // namespace

std::string_view kind_name(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<Kind> parse_kind(std::string_view name) { return parse<Kind>(kKindNames, name); }

std::string_view choice_name(Choice choice) {
  return kChoiceNames[static_cast<std::size_t>(choice)];
}

std::optional<Choice> parse_choice(std::string_view name) {
  return parse<Choice>(kChoiceNames, name);
}

std::string items_hash(const Task& task) { return hash_of(task, task.items); }

std::string train_hash(const Task& task) { return hash_of(task, task.train); }

}  // namespace plumb::tasks
