// Items and answers as JSON objects, one a line of the files (task_file.h, answers_file.h). What a
// line must hold depends on the kind of task:
//
//   kind            an item                                       an answer
//   sts             {"id","text1","text2","rating":3.5}           {"rating":3.5}
//   classification  {"id","text","label":"joy"}                   {"label":"joy"}
//   clustering      {"id","text","group":"cs"}                    {"group":"my first group"}
//   reranking       {"id","query","candidates":[..],"grades":[..]} {"grades":[..]} or
//   {"scores":[..]} preference      {"id","prompt","a","b","choice":"A","strength":2}
//   {"choice":"A","strength":2}
//
// Gold may be left out. A training item carries "split":"train".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// The header of a task file: everything of a task but its items.
Json header_json(const Task& task);
Result<Task> parse_header(const Json& json);

Json item_json(const Task& task, const Item& item);
// kBadInput: a field is missing or of another type, a rating off the scale, an unknown label.
Result<Item> parse_item(const Task& task, const Json& json);

// The text of a field; of anything else than a text its JSON; `fallback` where there is none.
std::string word_field(const Json& json, const char* field, std::string_view fallback);

// The names of a rater's groups in the order in which they first occur; an answer is a place there.
using GroupNames = std::map<std::string, int>;

// The fields of an answer ("rating", "label", ...) to this item.
Json answer_json(const Task& task, const Answer& answer);
// Nothing where the object holds no answer. groups: of this rater; grows by new names.
Result<std::optional<Answer>> parse_answer(const Task& task, const Item& item, const Json& json,
                                           GroupNames& groups);

}  // namespace plumb::tasks
