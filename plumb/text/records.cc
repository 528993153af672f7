#include "plumb/text/records.h"

#include <fmt/format.h>

#include <string_view>

#include "plumb/text/json_line.h"
#include "plumb/text/parquet.h"

namespace plumb {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// "csv", "tsv" or "jsonl"
std::string format_of(std::string_view path) {
  const std::string table = table_format(path);
  if (!table.empty()) return table;
  return path.ends_with(".txt") || path.ends_with(".txt.gz") ? "tsv" : "jsonl";
}

}  // namespace

std::string table_format(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".csv") ? "csv" : path.ends_with(".tsv") ? "tsv" : "";
}

Result<RecordReader> RecordReader::open(const std::string& path, const RecordOptions& options) {
  const std::string format = options.format.empty() ? format_of(path) : options.format;
  if (is_parquet(path)) {
    return bad(fmt::format("{}: Parquet is not read; {}", path, parquet_advice(path)));
  }
  PLUMB_TRY(lines, LineReader::open(path));
  const char separator = format == "jsonl" ? '\0' : format == "csv" ? ',' : '\t';
  return RecordReader(path, std::move(lines), separator, options.no_header);
}

Result<std::optional<Record>> RecordReader::next() {
  return separator_ == '\0' ? next_object() : next_row();
}

Result<std::optional<Record>> RecordReader::next_object() {
  while (true) {
    PLUMB_TRY(line, lines_.next());
    if (!line) return std::nullopt;
    if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
    Json fields = Json::parse(*line, nullptr, false);
    if (fields.is_object()) return Record{lines_.where(), std::move(fields)};
    return bad(fmt::format("{}: {}", lines_.where(), why_no_object(*line)));
  }
}

// The fields of the next row, which may go on over several lines; nothing at the end.
Result<std::optional<CsvRow>> RecordReader::next_fields() {
  std::string text;
  std::size_t first_line = 0;
  bool inside = false;
  while (true) {
    PLUMB_TRY(line, lines_.next());
    if (!line && text.empty()) return std::nullopt;
    if (line && line->empty() && text.empty()) continue;
    if (text.empty()) first_line = lines_.line();
    inside = line && ends_inside_quotes(*line, inside, separator_);
    if (line) text.append(*line).append("\n");
    if (inside) continue;
    PLUMB_TRY(rows, parse_csv(text, path_, separator_, first_line));
    return rows.empty() ? std::optional<CsvRow>() : std::move(rows.front());
  }
}

Result<std::optional<Record>> RecordReader::next_row() {
  PLUMB_TRY(row, next_fields());
  if (!row) return std::nullopt;
  if (names_.empty()) {
    names_ = row->fields;
    for (std::size_t c = 0; no_header_ && c < names_.size(); ++c)
      names_[c] = fmt::format("{}", c + 1);
    if (!no_header_) return next_row();
  }
  const std::string where = fmt::format("{}:{}", path_, row->line);
  if (row->fields.size() != names_.size()) {
    return bad(fmt::format("{}: {} fields where the table has {} columns", where,
                           row->fields.size(), names_.size()));
  }
  Json fields = Json::object();
  for (std::size_t c = 0; c < names_.size(); ++c) fields[names_[c]] = std::move(row->fields[c]);
  return Record{where, std::move(fields)};
}

Result<std::vector<Record>> read_records(const std::string& path, const RecordOptions& options) {
  PLUMB_TRY(reader, RecordReader::open(path, options));
  std::vector<Record> records;
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) return records;
    records.push_back(std::move(*record));
  }
}

}  // namespace plumb
