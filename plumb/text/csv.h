// CSV and TSV: rows of fields as RFC 4180 describes them.
//
//   std::string out;
//   append_csv_row(out, {"model", "5\" disk, new"});     // model,"5"" disk, new"
//   Result<CsvRows> rows = parse_csv(text, "answers.csv");
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb {

// Fields with a separator, a quote or a line break are quoted; the row ends with CR LF. So does a
// row of one empty field, which would otherwise be an empty line.
void append_csv_row(std::string& out, std::span<const std::string> fields, char separator = ',');

struct CsvRow {
  std::size_t line;  // where it starts, from 1
  std::vector<std::string> fields;
};

// All rows of a text with CR LF or LF line ends and an optional byte order mark; a last line
// without an end counts, empty lines do not. How many fields a row should have is the caller's
// business. kBadInput, with file and line: a quote that is never closed, text after a closing
// quote.
// first_line: where the text starts in its file.
Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where,
                                      char separator = ',', std::size_t first_line = 1);

// Whether the line ends inside a quoted field, so that its row goes on in the next one.
// inside: whether it starts in such a field.
bool ends_inside_quotes(std::string_view line, bool inside, char separator = ',');

// A text as a cell that no spreadsheet takes for a formula: one that starts like a formula gets a
// "'" in front. And the way back.
std::string guarded_cell(std::string text);
std::string unguarded_cell(std::string cell);

}  // namespace plumb
