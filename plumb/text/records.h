// Records: named fields from the rows of a CSV or TSV table or from JSON lines, plain or gzip.
//
//   PLUMB_TRY(reader, RecordReader::open("answers.csv", {}));   // one by one, in constant memory
//   PLUMB_TRY(record, reader.next());
//   PLUMB_TRY(records, read_records("answers.csv", {}));        // all of them
//   for (const Record& record : records) record.fields["rater"];
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/text/csv.h"
#include "plumb/text/lines.h"

namespace plumb {

struct Record {
  std::string where;  // "file:line"
  Json fields;        // an object; the cells of a table are texts
};

// "csv" or "tsv" where a file's name ends so, before .gz too; else "".
std::string table_format(std::string_view path);

struct RecordOptions {
  std::string format =
      {};  // "csv", "tsv", "jsonl"; "": by the file's ending, .txt is TSV, else JSON lines
  bool no_header = false;  // tables without a first row of names: fields are "1", "2", ...
};

class RecordReader {
 public:
  static Result<RecordReader> open(const std::string& path, const RecordOptions& options);

  // The next record; nothing at the end. kBadInput, with file and line: a row of another length
  // than the first, a line that is no JSON object, a quote that is never closed, broken UTF-8, a
  // gzip file that is cut short.
  Result<std::optional<Record>> next();

  const LineReader& lines() const { return lines_; }

 private:
  RecordReader(std::string path, LineReader lines, char separator, bool no_header)
      : path_(std::move(path)),
        lines_(std::move(lines)),
        separator_(separator),
        no_header_(no_header) {}

  Result<std::optional<Record>> next_object();
  Result<std::optional<Record>> next_row();
  Result<std::optional<CsvRow>> next_fields();

  std::string path_;
  LineReader lines_;
  char separator_;  // of a table; 0: JSON lines
  bool no_header_;
  std::vector<std::string> names_;  // of the columns
};

// All that RecordReader reads, and its errors.
Result<std::vector<Record>> read_records(const std::string& path, const RecordOptions& options);

}  // namespace plumb
