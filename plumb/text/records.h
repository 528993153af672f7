// Records: named fields from the rows of a CSV or TSV table or from JSON lines, plain or gzip.
//
//   PLUMB_TRY(records, read_records("answers.csv", {}));
//   for (const Record& record : records) record.fields["rater"];
#pragma once

#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb {

struct Record {
  std::string where;  // "file:line"
  Json fields;        // an object; the cells of a table are texts
};

struct RecordOptions {
  std::string format =
      {};  // "csv", "tsv", "jsonl"; "": by the file's ending, .txt is TSV, else JSON lines
  bool no_header = false;  // tables without a first row of names: fields are "1", "2", ...
};

// kBadInput, with file and line: a row of another length than the first, a line that is no JSON
// object, a quote that is never closed, broken UTF-8, a gzip file that is cut short.
Result<std::vector<Record>> read_records(const std::string& path, const RecordOptions& options);

}  // namespace plumb
