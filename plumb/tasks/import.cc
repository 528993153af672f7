#include "plumb/tasks/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "plumb/base/json.h"
#include "plumb/base/nearest.h"
#include "plumb/base/number.h"
#include "plumb/tasks/codec.h"
#include "plumb/text/records.h"

namespace plumb::tasks {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// A cell of a table where a number belongs.
Json as_number(const Json& cell) {
  const auto number = cell.is_string() ? number_of(cell) : std::nullopt;
  return number ? Json(*number) : cell;
}

bool is_numeric(const std::string& field) {
  return field == "rating" || field == "grade" || field == "strength";
}

// Gold that a record leaves out: an empty cell is no class of its own.
bool is_missing_gold(const std::string& field, const Json& value) {
  constexpr std::string_view kGold[] = {"rating", "label", "group", "grades", "choice", "strength"};
  if (std::ranges::find(kGold, field) == std::end(kGold)) return false;
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

const std::vector<std::string>& document_fields() {
  static const std::vector<std::string> fields = {"id", "query", "candidate", "grade"};
  return fields;
}

// The record under the names that an item's line has.
Result<Json> item_fields_of(const Record& record, const std::vector<std::string>& fields,
                            const ImportOptions& options) {
  Json item = Json::object();
  for (const std::string& field : fields) {
    const auto mapped = options.columns.find(field);
    const std::string& column = mapped == options.columns.end() ? field : mapped->second;
    const auto found = record.fields.find(column);
    if (found == record.fields.end()) {
      if (mapped == options.columns.end()) continue;
      std::vector<std::string> names;
      for (const auto& [name, value] : record.fields.items()) names.push_back(name);
      return bad(fmt::format("{}: there is no column \"{}\"; there are {}", record.where, column,
                             fmt::join(names, ", ")));
    }
    if (is_missing_gold(field, *found)) continue;
    item[field] = is_numeric(field) ? as_number(*found) : *found;
    if (field == "label" || field == "group") {
      if (!found->is_string()) item[field] = to_text(*found);
    }
  }
  return item;
}

struct RawItem {
  std::string where;
  Json fields;
};

// Rows of one query that stand together become one item.
void add_document(std::vector<RawItem>& items, const std::string& where, Json row) {
  const bool same = !items.empty() && items.back().fields["query"] == row["query"] &&
                    word_field(items.back().fields, "id", "") == word_field(row, "id", "");
  if (!same) {
    Json item = {{"query", row["query"]}, {"candidates", Json::array()}, {"grades", Json::array()}};
    if (row.contains("id")) item["id"] = row["id"];
    items.push_back({where, std::move(item)});
  }
  items.back().fields["candidates"].push_back(row["candidate"]);
  items.back().fields["grades"].push_back(row.value("grade", Json(0)));
}

Result<std::vector<RawItem>> raw_items(std::span<const std::string> files,
                                       const ImportOptions& options, const std::string& prefix) {
  std::vector<RawItem> items;
  for (const std::string& file : files) {
    PLUMB_TRY(reader, RecordReader::open(file, {options.format, options.no_header}));
    while (true) {
      PLUMB_TRY(next, reader.next());
      if (!next) break;
      const Record& record = *next;
      const auto has = [&](const std::string& field) {
        const auto mapped = options.columns.find(field);
        return record.fields.contains(mapped == options.columns.end() ? field : mapped->second);
      };
      const bool document = options.header.kind == Kind::kReranking && has("candidate");
      PLUMB_TRY(item, item_fields_of(
                          record, document ? document_fields() : item_fields(options.header.kind),
                          options));
      if (document) {
        add_document(items, record.where, std::move(item));
      } else {
        items.push_back({record.where, std::move(item)});
      }
      if (options.progress) {
        options.progress(reader.lines().bytes_read(), reader.lines().bytes_total());
      }
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].fields.contains("id")) items[i].fields["id"] = fmt::format("{}{}", prefix, i + 1);
  }
  return items;
}

// Names that occur as labels or groups.
std::set<std::string> names_in(const std::vector<RawItem>& items, const char* field) {
  std::set<std::string> names;
  for (const RawItem& item : items) {
    if (item.fields.contains(field)) names.insert(word_field(item.fields, field, ""));
  }
  return names;
}

Result<void> check_columns(const ImportOptions& options) {
  std::vector<std::string> known = item_fields(options.header.kind);
  if (options.header.kind == Kind::kReranking) {
    known.insert(known.end(), {"candidate", "grade"});
  }
  for (const auto& [field, column] : options.columns) {
    if (std::find(known.begin(), known.end(), field) != known.end()) continue;
    return fail(ErrorKind::kUsage,
                fmt::format("--map: {} items have no field \"{}\"; there are {}",
                            kind_name(options.header.kind), field, fmt::join(known, ", ")));
  }
  return {};
}

Result<void> parse_into(const Task& task, const std::vector<RawItem>& raw,
                        std::set<std::string>& ids, std::vector<Item>& items) {
  for (const RawItem& each : raw) {
    auto item = parse_item(task, each.fields);
    if (!item) return bad(fmt::format("{}: {}", each.where, item.error().message));
    if (!ids.insert(item->id).second) {
      return bad(fmt::format("{}: the id \"{}\" occurred before; ids are unique in a task",
                             each.where, item->id));
    }
    items.push_back(std::move(*item));
  }
  return {};
}

}  // namespace

std::vector<std::string> item_fields(Kind kind) {
  switch (kind) {
    case Kind::kSts:
      return {"id", "text1", "text2", "rating"};
    case Kind::kClassification:
      return {"id", "text", "label"};
    case Kind::kClustering:
      return {"id", "text", "group"};
    case Kind::kReranking:
      return {"id", "query", "candidates", "grades"};
    case Kind::kPreference:
      break;
  }
  return {"id", "prompt", "a", "b", "choice", "strength"};
}

Result<Task> import_task(std::span<const std::string> files, std::span<const std::string> train,
                         const ImportOptions& options) {
  if (auto known = check_columns(options); !known) return tl::unexpected(known.error());
  PLUMB_TRY(items, raw_items(files, options, ""));
  PLUMB_TRY(training, raw_items(train, options, "train-"));
  Task task = options.header;
  if (task.kind == Kind::kSts && !task.scale) {
    return fail(ErrorKind::kUsage, "--scale: an sts task states the scale of its ratings: 0:5");
  }
  const char* named = task.kind == Kind::kClassification ? "label" : "group";
  if (task.labels.empty() &&
      (task.kind == Kind::kClassification || task.kind == Kind::kClustering)) {
    std::set<std::string> names = names_in(items, named);
    names.merge(names_in(training, named));
    task.labels.assign(names.begin(), names.end());
  }
  if (task.kind == Kind::kClassification && task.labels.empty() && !items.empty()) {
    return bad(
        fmt::format("{}: no item has a label; --labels says which there are", files.front()));
  }
  std::set<std::string> ids;
  if (auto done = parse_into(task, training, ids, task.train); !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = parse_into(task, items, ids, task.items); !done) {
    return tl::unexpected(done.error());
  }
  if (task.items.empty()) return bad(fmt::format("{}: there are no items", files.front()));
  return task;
}

}  // namespace plumb::tasks
