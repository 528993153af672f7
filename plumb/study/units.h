// What one slot asks: an item, or, of a clustering, the whole pool of texts, because groups mean
// something only side by side.
//
//   kind         a unit's body                                an answer
//   clustering   {"texts":[{"id","text"},..]}                 {"groups":{"id":"name",..}}
//   the others   an item of codec.h without its gold          an answer of codec.h
//
// Options are shown in an order that is drawn for each annotator and unit from the study's seed:
// the side of A and B, the candidates of a query, the texts of a pool. Answers are stored as the
// item has its options, whatever the order in which they were shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/tasks/task.h"

namespace plumb::study {

struct Unit {
  std::string name;  // the item's id; "pool" of a clustering
  Json body;
  Json gold;  // an answer; null where none is known
};

inline constexpr std::size_t kLargestPool = 500;  // texts that a person is asked to sort at once

// kBadInput: a pool that nobody can sort.
Result<std::vector<Unit>> units_of(const tasks::Task& task);

// The answer in the one form in which it is stored. header: the task without items. kBadInput: it
// does not answer this unit: a rating off the scale, an unknown label, a text in no group.
Result<Json> checked_answer(const tasks::Task& header, const Json& body, const Json& answer);

// order[place] is the option that is shown there; empty for a unit without options.
using Order = std::vector<std::size_t>;
std::size_t options_of(tasks::Kind kind, const Json& body);
Order draw_order(std::uint64_t seed, std::string_view purpose, std::int64_t annotator,
                 std::int64_t item, std::size_t options);
std::string order_text(const Order& order);  // "1 0"

// The body as it is shown, an answer as its item has the options, and the way back. An answer that
// is malformed comes back as it is: checked_answer() says what is wrong with it.
Json shown_body(tasks::Kind kind, const Json& body, const Order& order);
Json stored_answer(tasks::Kind kind, const Json& shown, const Order& order);
Json shown_answer(tasks::Kind kind, const Json& stored, const Order& order);

// From 0 to 1, how near an answer comes to another of the same unit: 1 where they say the same. A
// rating by its distance on the scale; labels and choices 1 or 0; a ranking by the share of pairs
// that both order alike (a pair that one of them ties counts half); groups by the Rand index.
double closeness(const tasks::Task& header, const Json& a, const Json& b);

}  // namespace plumb::study
