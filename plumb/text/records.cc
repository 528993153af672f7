#include "plumb/text/records.h"

#include <fmt/format.h>

#include <string_view>

#include "plumb/text/csv.h"
#include "plumb/text/lines.h"

namespace plumb {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

Result<std::string> whole_text(const std::string& path) {
  PLUMB_TRY(lines, LineReader::open(path));
  std::string text;
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) return text;
    text.append(*line).append("\n");
  }
}

Result<std::vector<Record>> table_records(const std::string& path, char separator, bool no_header) {
  PLUMB_TRY(text, whole_text(path));
  PLUMB_TRY(rows, parse_csv(text, path, separator));
  std::vector<Record> records;
  std::vector<std::string> names;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto& fields = rows[r].fields;
    if (r == 0) {
      names = fields;
      for (std::size_t c = 0; no_header && c < names.size(); ++c) {
        names[c] = fmt::format("{}", c + 1);
      }
      if (!no_header) continue;
    }
    const std::string where = fmt::format("{}:{}", path, rows[r].line);
    if (fields.size() != names.size()) {
      return bad(fmt::format("{}: {} fields where the table has {} columns", where, fields.size(),
                             names.size()));
    }
    Json columns = Json::object();
    for (std::size_t c = 0; c < names.size(); ++c) columns[names[c]] = fields[c];
    records.push_back({where, std::move(columns)});
  }
  return records;
}

Result<std::vector<Record>> line_records(const std::string& path) {
  PLUMB_TRY(lines, LineReader::open(path));
  std::vector<Record> records;
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) return records;
    if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
    Json columns = Json::parse(*line, nullptr, false);
    if (!columns.is_object()) {
      return bad(fmt::format("{}: the line is not a JSON object; a table needs --format csv or tsv",
                             lines.where()));
    }
    records.push_back({lines.where(), std::move(columns)});
  }
}

// "csv", "tsv" or "jsonl"
std::string format_of(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".csv")) return "csv";
  return path.ends_with(".tsv") || path.ends_with(".txt") ? "tsv" : "jsonl";
}

}  // namespace

Result<std::vector<Record>> read_records(const std::string& path, const RecordOptions& options) {
  const std::string format = options.format.empty() ? format_of(path) : options.format;
  if (format == "jsonl") return line_records(path);
  return table_records(path, format == "csv" ? ',' : '\t', options.no_header);
}

}  // namespace plumb
