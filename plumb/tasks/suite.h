// What plumb knows of published benchmarks before it reads a single file: the tasks of HUME, their
// subsets, sizes, metrics and instructions, and the names under which result files know one
// language.
//
//   const SuiteTask* task = find_task("HUMESTS22");
//   const SuiteSubset* arabic = find_subset(*task, "arb_Arab");   // the subset "ar"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumb::tasks {

enum class TaskType { kClassification, kClustering, kReranking, kSts, kOther };

// "Classification", "Clustering", "Reranking", "STS", "Other".
std::string_view type_name(TaskType type);

// The type of that name, in any case; nothing for another word.
std::optional<TaskType> parse_type(std::string_view name);

struct SuiteSubset {
  std::string_view id;        // as the task defines it: "default", "ar", "arb_Arab"
  std::string_view language;  // ISO 639-3: "eng"
  int items;                  // texts, pairs or queries that people and models answer
  bool used;                  // false: in the data, but outside the benchmark
};

// The sizes that decide what a trivial answer gets. Classification and clustering: the number of
// items of each class. Reranking: documents and relevant documents of a query.
struct SuiteTask {
  std::string_view name;
  TaskType type;
  std::string_view metric;  // of the main score
  std::span<const std::string_view>
      parents;  // the data sets it was sampled from, as models declare them
  std::span<const SuiteSubset> subsets;
  std::span<const int> class_sizes;
  int documents;
  int relevant;
  std::string_view instruction;              // what an instruction model is given
  std::span<const std::string_view> labels;  // of classification; clustering: where published
};

// The 16 tasks of HUME, in the order of the paper's table: by type, then as published.
// Origin of sizes: descriptive statistics of HUME(v1) in MTEB; of instructions: its task prompts,
// or the prompt of the task type where a task has none.
std::span<const SuiteTask> hume_tasks();

// The revision of the human rows that the benchmark pins, and the 13 models of the paper.
inline constexpr std::string_view kHumeHumanRevision = "2025_09_25";
std::span<const std::string_view> hume_paper_models();

const SuiteTask* find_task(std::string_view name);

// The subset of that id, or of an alias of its language; nullptr where the task has no such subset.
const SuiteSubset* find_subset(const SuiteTask& task, std::string_view subset);

// Folds the names under which one language appears in result files (`ar ara arb arb_Arab ara-Arab`,
// `no nor nob nb`, ...) into its ISO 639-3 code by an explicit table. Nothing for an unknown name.
std::optional<std::string_view> fold_language(std::string_view name);

// Folds a subset id: "default" stays, a language becomes its code, a pair of languages ("en-de") a
// pair of codes. Nothing where any part is unknown.
std::optional<std::string> fold_subset(std::string_view subset);

}  // namespace plumb::tasks
