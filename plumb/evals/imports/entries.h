// Records of the files in which evaluations leave their outputs: JSON lines, CSV and TSV (plain or
// gzip, text/records.h), and JSON arrays of objects, each with the line where it begins and, where
// others share that line, its number among all.
//
//   PLUMB_TRY(entries, read_entries("outputs.json"));
//   entries[3].where;   // "outputs.json:25"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/text/records.h"

namespace plumb::evals {

// kNotFound; kBadInput with file and line: what RecordReader refuses, an array that is never closed
// or holds something else than objects, no record at all.
Result<std::vector<Record>> read_entries(const std::string& file);

// The error that names a record.
tl::unexpected<Error> bad_record(const Record& record, const std::string& what);

// The first of these fields that is there and not null. nullptr: none.
const Json* first_field(const Json& fields, std::span<const std::string_view> names);

// A text, or "" where the field is missing or null. kBadInput: another type.
Result<std::string> text_field(const Record& record, std::string_view name);
// A text that must be there.
Result<std::string> needed_text(const Record& record, std::string_view name);
// A number, also one that is written as text (tables). Nothing: missing, null or "". kBadInput:
// another type, no number, not finite.
Result<std::optional<double>> number_field(const Record& record, std::string_view name);
Result<double> needed_number(const Record& record, std::string_view name);
// true, false, 1, 0, also as text. Nothing: missing, null or "".
Result<std::optional<bool>> truth_field(const Record& record, std::string_view name);

}  // namespace plumb::evals
