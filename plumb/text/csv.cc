#include "plumb/text/csv.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb {
namespace {

void append_field(std::string& out, const std::string& field, char separator) {
  const char special[] = {separator, '"', '\r', '\n'};
  if (field.find_first_of(special, 0, sizeof special) == std::string::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Reads one text from front to back.
class Parser {
 public:
  Parser(std::string_view text, std::string_view where, char separator, std::size_t first_line)
      : text_(text), where_(where), separator_(separator), line_(first_line) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  Result<std::vector<CsvRow>> parse() {
    std::vector<CsvRow> rows;
    while (!text_.empty()) {
      if (skip_line_end()) continue;
      CsvRow row{line_, {}};
      if (auto read = read_row(row); !read) return tl::unexpected(read.error());
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  Result<void> read_row(CsvRow& row) {
    for (;;) {
      auto field = text_.starts_with('"') ? read_quoted() : read_plain();
      if (!field) return tl::unexpected(field.error());
      row.fields.push_back(std::move(*field));
      if (text_.empty() || skip_line_end()) return {};
      if (text_.front() != separator_) {
        return fail(
            ErrorKind::kBadInput,
            fmt::format("{}:{}: text after a closing quote; double the quotes inside a field",
                        where_, line_));
      }
      text_.remove_prefix(1);
    }
  }

  Result<std::string> read_plain() {
    const char ends[] = {separator_, '\r', '\n'};
    const std::size_t length = std::min(text_.find_first_of(ends, 0, sizeof ends), text_.size());
    std::string field(text_.substr(0, length));
    text_.remove_prefix(length);
    return field;
  }

  Result<std::string> read_quoted() {
    const std::size_t start = line_;
    std::string field;
    text_.remove_prefix(1);
    for (;;) {
      const std::size_t quote = text_.find('"');
      if (quote == std::string_view::npos) {
        return fail(ErrorKind::kBadInput,
                    fmt::format("{}:{}: a quote is never closed", where_, start));
      }
      field += text_.substr(0, quote);
      line_ += static_cast<std::size_t>(std::ranges::count(text_.substr(0, quote), '\n'));
      text_.remove_prefix(quote + 1);
      if (!text_.starts_with('"')) return field;
      field += '"';
      text_.remove_prefix(1);
    }
  }

  bool skip_line_end() {
    const std::size_t length = text_.starts_with("\r\n")                            ? 2
                               : text_.starts_with('\n') || text_.starts_with('\r') ? 1
                                                                                    : 0;
    line_ += length > 0 ? 1 : 0;
    text_.remove_prefix(length);
    return length > 0;
  }

  std::string_view text_;
  std::string_view where_;
  char separator_;
  std::size_t line_;
};

}  // namespace

void append_csv_row(std::string& out, std::span<const std::string> fields, char separator) {
  if (fields.size() == 1 && fields[0].empty()) out += "\"\"";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += separator;
    append_field(out, fields[i], separator);
  }
  out += "\r\n";
}

Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where, char separator,
                                      std::size_t first_line) {
  return Parser(text, where, separator, first_line).parse();
}

bool ends_inside_quotes(std::string_view line, bool inside, char separator) {
  while (inside || !line.empty()) {
    if (inside || line.starts_with('"')) {
      std::size_t close = line.find('"', inside ? 0 : 1);
      while (close != line.npos && line.substr(close + 1).starts_with('"')) {
        close = line.find('"', close + 2);
      }
      if (close == line.npos) return true;
      line.remove_prefix(close + 1);
      inside = false;
    }
    const std::size_t end = line.find(separator);
    if (end == line.npos) return false;
    line.remove_prefix(end + 1);
  }
  return false;
}

namespace {

constexpr std::string_view kFormulaStarts = "=+-@\t\r";

}  // namespace

std::string guarded_cell(std::string text) {
  const bool like_formula = !text.empty() && kFormulaStarts.find(text[0]) != std::string_view::npos;
  if (like_formula) text.insert(text.begin(), '\'');
  return text;
}

std::string unguarded_cell(std::string cell) {
  const bool guarded =
      cell.size() > 1 && cell[0] == '\'' && kFormulaStarts.find(cell[1]) != std::string_view::npos;
  if (guarded) cell.erase(0, 1);
  return cell;
}

}  // namespace plumb
