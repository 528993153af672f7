#include "plumb/evals/imports/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/number.h"
#include "plumb/text/json_line.h"
#include "plumb/text/lines.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Cuts a JSON array into the texts of its objects.
class ArrayCutter {
 public:
  ArrayCutter(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  Result<std::vector<Record>> cut() {
    std::vector<Record> records;
    skip_to('[');
    while (true) {
      skip_blanks();
      if (at_ == text_.size()) return error("the array is never closed");
      const char c = text_[at_];
      if (c == ']') return named(std::move(records));
      if (c == ',') {
        ++at_;
        continue;
      }
      if (c != '{') return error("the array holds something that is no object");
      const std::size_t begin = at_, line = line_;
      if (!skip_object()) {
        line_ = line;
        return error("an object that begins here is never closed");
      }
      Json fields = Json::parse(text_.substr(begin, at_ - begin), nullptr, false);
      if (fields.is_discarded()) {
        line_ = line;
        const std::string trouble = nonfinite_trouble(text_.substr(begin, at_ - begin));
        return error(trouble.empty() ? "this is no JSON" : trouble);
      }
      lines_.push_back(line);
      records.push_back({{}, std::move(fields)});
    }
  }

 private:
  // "file:line", and where a line has several records which of all it is.
  std::vector<Record> named(std::vector<Record> records) const {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const bool shared = (i > 0 && lines_[i - 1] == lines_[i]) ||
                          (i + 1 < lines_.size() && lines_[i + 1] == lines_[i]);
      records[i].where =
          fmt::format("{}:{}{}", file_, lines_[i], shared ? fmt::format(", record {}", i + 1) : "");
    }
    return records;
  }

  tl::unexpected<Error> error(std::string_view what) const {
    const std::string record = !lines_.empty() && lines_.back() == line_
                                   ? fmt::format(", after record {}", lines_.size())
                                   : std::string();
    return fail(ErrorKind::kBadInput, fmt::format("{}:{}{}: {}", file_, line_, record, what));
  }

  void step() { line_ += text_[at_++] == '\n' ? 1 : 0; }

  void skip_to(char c) {
    while (text_[at_] != c) step();
    ++at_;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) step();
  }

  // Past the brace that closes this object; false where none does.
  bool skip_object() {
    std::size_t depth = 0;
    for (bool quoted = false; at_ < text_.size(); step()) {
      const char c = text_[at_];
      if (quoted) {
        if (c == '\\' && at_ + 1 < text_.size()) ++at_;
        quoted = c != '"';
        continue;
      }
      quoted = c == '"';
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= c == '}' || c == ']' ? 1 : 0;
      if (depth == 0) {
        ++at_;
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0, line_ = 1;
  std::vector<std::size_t> lines_;  // where the records begin
};

// Whether the file is a JSON array; a table never is.
bool begins_with_bracket(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return trimmed(text).starts_with('[');
}

bool is_json_name(const std::string& file) {
  return std::filesystem::path(file).extension() == ".json";
}

tl::unexpected<Error> wrong_type(const Record& record, std::string_view name,
                                 std::string_view want) {
  return bad_record(record, fmt::format("\"{}\" is not {}", name, want));
}

bool is_missing(const Json& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() || found->is_null() ||
         (found->is_string() && found->get_ref<const std::string&>().empty());
}

}  // namespace

Result<std::vector<Record>> read_entries(const std::string& file) {
  Result<std::vector<Record>> records = std::vector<Record>();
  if (is_json_name(file)) {
    PLUMB_TRY(text, read_file(file));
    if (const auto bad = first_bad_utf8(text)) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: byte {} is no UTF-8", file, *bad));
    }
    records = begins_with_bracket(text) ? ArrayCutter(text, file).cut() : read_records(file, {});
  } else {
    records = read_records(file, {});
  }
  if (records && records->empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: there are no records", file));
  }
  return records;
}

tl::unexpected<Error> bad_record(const Record& record, const std::string& what) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", record.where, what));
}

const Json* first_field(const Json& fields, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = fields.find(name);
    if (found != fields.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

Result<std::string> text_field(const Record& record, std::string_view name) {
  const auto found = record.fields.find(name);
  if (found == record.fields.end() || found->is_null()) return std::string();
  if (!found->is_string()) return wrong_type(record, name, "a text");
  return found->get<std::string>();
}

Result<std::string> needed_text(const Record& record, std::string_view name) {
  if (record.fields.find(name) == record.fields.end()) {
    return bad_record(record, fmt::format("\"{}\" is missing", name));
  }
  return text_field(record, name);
}

Result<std::optional<double>> number_field(const Record& record, std::string_view name) {
  if (is_missing(record.fields, name)) return std::optional<double>();
  const Json& field = record.fields[std::string(name)];
  std::optional<double> value;
  if (field.is_number()) value = field.get<double>();
  if (field.is_string()) value = parse_number(trimmed(field.get_ref<const std::string&>()));
  if (!value || !std::isfinite(*value)) return wrong_type(record, name, "a number");
  return value;
}

Result<double> needed_number(const Record& record, std::string_view name) {
  PLUMB_TRY(value, number_field(record, name));
  if (!value) return bad_record(record, fmt::format("\"{}\" is missing", name));
  return *value;
}

Result<std::optional<bool>> truth_field(const Record& record, std::string_view name) {
  if (is_missing(record.fields, name)) return std::optional<bool>();
  const Json& field = record.fields[std::string(name)];
  if (field.is_boolean()) return std::optional(field.get<bool>());
  const std::string text = field.is_string() ? field.get<std::string>() : to_text(field);
  for (const char* yes : {"true", "True", "TRUE", "1"}) {
    if (text == yes) return std::optional(true);
  }
  for (const char* no : {"false", "False", "FALSE", "0"}) {
    if (text == no) return std::optional(false);
  }
  return wrong_type(record, name, "true or false");
}

}  // namespace plumb::evals
