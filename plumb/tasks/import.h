// Tasks made of other people's files: CSV and TSV tables, JSON lines (plain or gzip).
//
//   ImportOptions options;
//   options.header.kind = Kind::kSts, options.header.scale = Scale{0, 5};
//   options.columns = {{"text1", "sentence1"}, {"rating", "score"}};
//   PLUMB_TRY(task, import_task({"stsb.csv"}, {}, options));
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

struct ImportOptions {
  Task header = {};  // kind, name, instruction, scale, labels, ...
  // Which column holds a field of an item (codec.h); a field without an entry is in the column of
  // its name. Reranking also takes a row a document: "query", "candidate", "grade".
  std::map<std::string, std::string> columns = {};
  std::string format = {};  // "csv", "tsv", "jsonl"; "": by the file's ending, .txt is TSV
  bool no_header = false;   // tables without a first row of names: columns are "1", "2", ...
  Progress progress = {};   // bytes of each file
};

// The fields of an item of this kind, the optional ones last.
std::vector<std::string> item_fields(Kind kind);

// files: the items; train: training items. Ids are the row's place where no column holds them.
// Labels that the header does not give are those that occur, in ascending order. kBadInput, with
// file and line: a column that is not there, and whatever parse_item() refuses. kUsage: a field
// that the kind does not have.
Result<Task> import_task(std::span<const std::string> files, std::span<const std::string> train,
                         const ImportOptions& options);

}  // namespace plumb::tasks
