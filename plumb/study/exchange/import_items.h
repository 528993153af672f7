// Which items of a study answers from files are about.
//
//   PLUMB_TRY(items, Items::load(connection, task));
//   PLUMB_TRY(placed, place_answers(items, task, answers));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "plumb/study/exchange/read_answers.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct KnownItem {
  std::int64_t id;
  std::string name;
  Json body;
};

// The items of a task, to be found by texts or by id.
class Items {
 public:
  static Result<Items> load(Connection& connection, const StudyTask& task);

  // Of a pool the item is the pool, whichever text the answer is about.
  Result<const KnownItem*> find(const ForeignAnswer& answer) const;

  const std::vector<KnownItem>& all() const { return all_; }

 private:
  static std::vector<std::string> texts_of(const Json& body);
  std::vector<const KnownItem*> by_texts(const std::vector<std::string>& texts) const;

  std::string task_;
  std::vector<KnownItem> all_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_multimap<std::string, std::size_t> by_first_text_;
};

// An answer and its item, checked; refers to both.
struct Placed {
  const ForeignAnswer* from;
  const KnownItem* item;
  Json answer;
};

// Answers about the texts of a pool become one of each rater. kBadInput, with file and line: an
// item that the task does not have, an answer that does not fit it, a second one of a rater to it.
Result<std::vector<Placed>> place_answers(const Items& items, const StudyTask& task,
                                          const std::vector<ForeignAnswer>& answers);

}  // namespace plumb::study
