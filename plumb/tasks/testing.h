// Small tasks for tests: items of every kind with gold that a test can count by hand.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks::testing {

inline std::vector<std::string> some_texts(Kind kind, std::size_t i, std::size_t documents) {
  std::vector<std::string> texts = {fmt::format("text {}", i)};
  if (kind == Kind::kSts) texts.push_back(fmt::format("other {}", i));
  if (kind == Kind::kPreference) texts.insert(texts.end(), {"one", "two"});
  for (std::size_t d = 0; kind == Kind::kReranking && d < documents; ++d) {
    texts.push_back(fmt::format("document {} of {}", d, i));
  }
  return texts;
}

// `golds`: one an item.
inline Task task_of(Kind kind, std::vector<Answer> golds) {
  Task task;
  task.name = "a task";
  task.kind = kind;
  if (kind == Kind::kSts) task.scale = Scale{0, 5};
  if (kind == Kind::kClassification || kind == Kind::kClustering) task.labels = {"x", "y", "z"};
  for (std::size_t i = 0; i < golds.size(); ++i) {
    const std::size_t documents = golds[i].size();
    task.items.push_back(
        {fmt::format("i{}", i), some_texts(kind, i, documents), std::move(golds[i])});
  }
  return task;
}

inline AnswerSheet sheet_of(std::vector<std::optional<Answer>> answers,
                            std::string rater = "someone") {
  AnswerSheet sheet;
  sheet.rater = std::move(rater);
  sheet.answers = std::move(answers);
  return sheet;
}

// An answer of the kind, drawn at random.
inline Answer random_answer(Kind kind, Stream& stream, std::size_t documents = 4) {
  switch (kind) {
    case Kind::kSts:
      return {static_cast<double>(stream.below(6))};
    case Kind::kReranking: {
      Answer scores;
      for (std::size_t d = 0; d < documents; ++d) {
        scores.push_back(static_cast<double>(stream.below(3)));
      }
      return scores;
    }
    case Kind::kPreference:
      return {static_cast<double>(stream.below(4)), 0};
    default:
      return {static_cast<double>(stream.below(3))};
  }
}

// n items with random gold; every query has a relevant document and one that is not.
inline Task random_task(Kind kind, std::size_t n, Stream& stream) {
  std::vector<Answer> golds;
  for (std::size_t i = 0; i < n; ++i) {
    golds.push_back(random_answer(kind, stream));
    if (kind == Kind::kReranking) golds.back()[0] = 1, golds.back()[1] = 0;
  }
  return task_of(kind, std::move(golds));
}

}  // namespace plumb::tasks::testing
