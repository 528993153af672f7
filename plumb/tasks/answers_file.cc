#include "plumb/tasks/answers_file.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "plumb/tasks/codec.h"
#include "plumb/text/csv.h"
#include "plumb/text/lines.h"
#include "plumb/text/records.h"

namespace plumb::tasks {
namespace {

// Sheets as they grow, answer by answer.
class SheetBuilder {
 public:
  explicit SheetBuilder(const Task& task) : task_(task), hash_(items_hash(task)) {
    for (std::size_t i = 0; i < task.items.size(); ++i) places_.emplace(task.items[i].id, i);
  }

  Result<void> check_header(const Json& json) const;
  Result<void> add(const Json& json);
  std::vector<AnswerSheet> take() { return std::move(sheets_); }

 private:
  struct Seat {
    std::size_t sheet;
    GroupNames groups;
    std::set<std::size_t> items;
  };

  Result<Seat*> seat_of(const Json& json);
  Result<std::size_t> place_of(const Json& json) const;

  const Task& task_;
  std::string hash_;
  std::unordered_map<std::string, std::size_t> places_;
  std::map<std::pair<std::string, int>, Seat> seats_;  // by rater and run
  std::vector<AnswerSheet> sheets_;
};

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// A field as text; a number stands for its digits.
Result<std::string> name_field(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return bad(fmt::format("\"{}\" is missing", field));
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return to_text(*found);
  return bad(fmt::format("\"{}\" is {}, not a text", field, to_text(*found)));
}

Result<void> SheetBuilder::check_header(const Json& json) const {
  const std::string schema = word_field(json, "schema", "");
  if (schema != "plumb.answers/1") {
    return bad(fmt::format("schema \"{}\" is not \"plumb.answers/1\"", schema));
  }
  const std::string items = word_field(json, "items", "");
  if (items.empty() || items == hash_) return {};
  return bad(fmt::format(
      "the answers belong to other items (hash {} of task \"{}\", here {} of \"{}\"); results of "
      "different items are not compared",
      items.substr(0, 12), word_field(json, "task", "?"), hash_.substr(0, 12), task_.name));
}

Result<SheetBuilder::Seat*> SheetBuilder::seat_of(const Json& json) {
  PLUMB_TRY(rater, name_field(json, "rater"));
  const auto run_field = json.find("run");
  if (run_field != json.end() && !run_field->is_number_integer()) {
    return bad("\"run\" is not a whole number");
  }
  const int run = run_field == json.end() ? 0 : run_field->get<int>();
  const std::string kind_text = word_field(json, "kind", "person");
  const auto kind = parse_rater_kind(kind_text);
  if (!kind) {
    return bad(
        fmt::format("unknown kind of rater \"{}\"; there are person, model, llm, reward "
                    "model, baseline, simulated and adjudicated",
                    kind_text));
  }
  const auto [found, is_new] = seats_.try_emplace({rater, run}, Seat{sheets_.size(), {}, {}});
  if (is_new) {
    AnswerSheet& sheet = sheets_.emplace_back();
    sheet.rater = rater;
    sheet.kind = *kind;
    sheet.run = run;
    sheet.answers.resize(task_.items.size());
  } else if (sheets_[found->second.sheet].kind != *kind) {
    return bad(fmt::format("rater \"{}\" is of kind \"{}\" here and of \"{}\" before", rater,
                           kind_text, rater_kind_name(sheets_[found->second.sheet].kind)));
  }
  return &found->second;
}

Result<std::size_t> SheetBuilder::place_of(const Json& json) const {
  PLUMB_TRY(id, name_field(json, "item"));
  const auto found = places_.find(id);
  if (found != places_.end()) return found->second;
  return bad(fmt::format("the task \"{}\" has no item \"{}\"", task_.name, id));
}

Result<void> SheetBuilder::add(const Json& json) {
  if (!json.is_object()) return bad("a line must be an object");
  PLUMB_TRY(place, place_of(json));
  PLUMB_TRY(seat, seat_of(json));
  AnswerSheet& sheet = sheets_[seat->sheet];
  if (!seat->items.insert(place).second) {
    return bad(fmt::format("a second answer of \"{}\" to item \"{}\"", sheet.rater,
                           task_.items[place].id));
  }
  PLUMB_TRY(answer, parse_answer(task_, task_.items[place], json, seat->groups));
  const auto refused = json.find("refused");
  if (refused != json.end() && *refused == true) ++sheet.refused;
  sheet.answers[place] = std::move(answer);
  return {};
}

tl::unexpected<Error> at(const std::string& where, const Error& error) {
  return fail(error.kind, fmt::format("{}: {}", where, error.message));
}

Result<void> add_line(std::string_view line, const std::string& where, SheetBuilder& builder) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) {
    return bad(fmt::format("{}: the line is not JSON; every line is one object", where));
  }
  const bool header = json.is_object() && json.contains("schema");
  auto done = header ? builder.check_header(json) : builder.add(json);
  return done ? done : at(where, done.error());
}

Result<void> read_jsonl(const std::filesystem::path& path, SheetBuilder& builder) {
  PLUMB_TRY(lines, LineReader::open(path));
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) return {};
    if (auto added = add_line(*line, lines.where(), builder); !added) return added;
  }
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A cell of a table as the JSON field that it stands for.
Json cell_json(const std::string& column, const std::string& cell) {
  if (column == "rating" || column == "strength" || column == "run") {
    const auto value = as_number(cell);
    if (column == "run" && value) return static_cast<int>(*value);
    return value ? Json(*value) : Json(cell);
  }
  if (column == "refused") return cell == "true" || cell == "1";
  if (column != "scores" && column != "grades") return unguarded_cell(cell);
  Json list = Json::array();
  std::size_t begin = 0;
  while ((begin = cell.find_first_not_of(' ', begin)) != std::string::npos) {
    const std::size_t end = std::min(cell.find(' ', begin), cell.size());
    const std::string word = cell.substr(begin, end - begin);
    const auto value = as_number(word);
    list.push_back(value ? Json(*value) : Json(word));
    begin = end;
  }
  return list;
}

Result<void> read_table(const std::filesystem::path& path, const std::string& task,
                        SheetBuilder& builder, const LeftOut& left_out) {
  PLUMB_TRY(records, read_records(path.string(), {}));
  AnswerRows rows(task, false);
  for (const Record& record : records) {
    Json json = Json::object();
    for (const auto& [column, cell] : record.fields.items()) {
      const auto& text = cell.get_ref<const std::string&>();
      if (!text.empty()) json[column] = cell_json(column, text);
    }
    PLUMB_TRY(ours, rows.take(record.where, json));
    if (!ours) continue;
    if (auto added = builder.add(json); !added) return at(record.where, added.error());
  }
  PLUMB_TRY(others, rows.left_out(path.string()));
  if (others > 0 && left_out) left_out(path.string(), others);
  return {};
}

bool is_table(const std::filesystem::path& path) {
  const auto name = path.extension() == ".gz" ? path.stem() : path.filename();
  return name.extension() == ".csv" || name.extension() == ".tsv";
}

}  // namespace

Result<bool> AnswerRows::take(const std::string& where, const Json& row) {
  const std::string task = word_field(row, "task", task_);
  if (task != task_) {
    if (is_strict_) {
      return bad(
          fmt::format("{}: an answer to the task \"{}\", not to \"{}\"; --task {} leaves "
                      "such rows out",
                      where, task, task_, task_));
    }
    if (others_++ == 0) other_ = task;
    return false;
  }
  ++ours_;
  return word_field(row, "counts", "1") != "0";
}

Result<std::size_t> AnswerRows::left_out(const std::string& path) const {
  if (ours_ > 0 || others_ == 0) return others_;
  return bad(fmt::format("{}: no row is of the task \"{}\"; there are rows of \"{}\"", path, task_,
                         other_));
}

Result<std::vector<AnswerSheet>> read_answers(const std::filesystem::path& path, const Task& task,
                                              const LeftOut& left_out) {
  SheetBuilder builder(task);
  auto read =
      is_table(path) ? read_table(path, task.name, builder, left_out) : read_jsonl(path, builder);
  if (!read) return tl::unexpected(read.error());
  auto sheets = builder.take();
  if (sheets.empty()) return bad(fmt::format("{}: there are no answers", path.string()));
  return sheets;
}

Result<std::vector<AnswerSheet>> parse_answers(std::string_view text, std::string_view name,
                                               const Task& task) {
  SheetBuilder builder(task);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto added = add_line(line, fmt::format("{}:{}", name, number), builder);
    if (!added) return tl::unexpected(added.error());
  }
  auto sheets = builder.take();
  if (sheets.empty()) return bad(fmt::format("{}: there are no answers", name));
  return sheets;
}

Result<std::vector<AnswerSheet>> read_all_answers(std::span<const std::string> paths,
                                                  const Task& task, const LeftOut& left_out) {
  std::vector<AnswerSheet> all;
  std::map<std::pair<std::string, int>, std::string> seen;
  for (const std::string& path : paths) {
    PLUMB_TRY(sheets, read_answers(path, task, left_out));
    for (AnswerSheet& sheet : sheets) {
      const auto [found, is_new] = seen.emplace(std::pair(sheet.rater, sheet.run), path);
      if (!is_new) {
        return bad(
            fmt::format("{}: rater \"{}\" has answers in {} too; give each a name of its own", path,
                        sheet.rater, found->second));
      }
      all.push_back(std::move(sheet));
    }
  }
  return all;
}

std::string format_answers(const Task& task, std::span<const AnswerSheet> sheets) {
  std::string text =
      to_text(
          Json{{"schema", "plumb.answers/1"}, {"task", task.name}, {"items", items_hash(task)}}) +
      "\n";
  for (const AnswerSheet& sheet : sheets) {
    for (std::size_t i = 0; i < task.items.size(); ++i) {
      if (!sheet.answers[i]) continue;
      Json json = {{"rater", sheet.rater}, {"kind", rater_kind_name(sheet.kind)}};
      if (sheet.run != 0) json["run"] = sheet.run;
      json["item"] = task.items[i].id;
      json.update(answer_json(task, *sheet.answers[i]));
      text += to_text(json) + "\n";
    }
  }
  return text;
}

}  // namespace plumb::tasks
