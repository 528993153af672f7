// A task: items of one kind that people and models answer alike, with the gold where there is one.
//
// Everything above sees tasks and answer sheets (answers.h) alone and never asks what kind of rater
// filled a sheet in. Gold and answers of all kinds are numbers, so that one code scores them:
//
//   kind            texts of an item             gold, answer
//   sts             [2] the pair                 [1] a rating on the scale
//   classification  [1] the text                 [1] a label, its place in `labels`
//   clustering      [1] the text                 [1] a group; only who shares it matters
//   reranking       [1 + n] query, candidates    [n] grades; an answer: scores, higher is first
//   preference      [3] prompt, A, B             [2] a Choice, its strength (0: none was asked)
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"

namespace plumb::tasks {

enum class Kind { kSts, kClassification, kClustering, kReranking, kPreference };

inline constexpr Kind kKinds[] = {Kind::kSts, Kind::kClassification, Kind::kClustering,
                                  Kind::kReranking, Kind::kPreference};

// "sts", "classification", "clustering", "reranking", "preference"
std::string_view kind_name(Kind kind);
std::optional<Kind> parse_kind(std::string_view name);

enum class Choice { kA, kB, kTie, kBothBad };

// "A", "B", "tie", "both bad"
std::string_view choice_name(Choice choice);
std::optional<Choice> parse_choice(std::string_view name);

// Numbers as the table above says.
using Answer = std::vector<double>;

struct Item {
  std::string id;  // unique in the task, stable
  std::vector<std::string> texts = {};
  Answer gold = {};  // empty: none is known

  bool operator==(const Item&) const = default;
};

struct Scale {
  double low = 0;
  double high = 1;

  bool operator==(const Scale&) const = default;
};

struct Task {
  std::string name = {};
  Kind kind = Kind::kSts;
  std::string instruction = {};  // what a person reads and an instruction model is given
  std::string language = {};     // BCP 47: "en", "ar"; "" where it is not known
  std::string licence = {};
  std::string origin = {};          // where the items come from
  std::string guideline = {};       // the longer text for people, Markdown
  std::optional<Scale> scale = {};  // sts: required; reranking: of the grades; preference: strength
  // classification: the label set; clustering: the names of the gold's groups.
  std::vector<std::string> labels = {};
  std::optional<int> groups = {};  // clustering: how many groups to make; nothing: free
  std::vector<Item> items = {};    // what is answered
  std::vector<Item> train = {};    // classification: what a probe may learn from

  bool operator==(const Task&) const = default;

  std::span<const Item> of(bool training) const { return training ? train : items; }
};

// SHA-256 over kind, scale, labels and every item (id, texts, gold) in their order: what an answer
// is about. The name, the instruction and the training items do not enter. Results carry it, and
// results of different items are never compared.
std::string items_hash(const Task& task);

// The same of the training items, for results of a probe that learnt from them.
std::string train_hash(const Task& task);

}  // namespace plumb::tasks
