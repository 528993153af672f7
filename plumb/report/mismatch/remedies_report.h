// Remedies (mismatch/remedies) in the forms in which they leave the program.
#pragma once

#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/remedies/remedies.h"
#include "plumb/report/table.h"

namespace plumb::report {

// plumb.mismatch-remedies/1
Json mismatch_remedies_json(const mismatch::RemedyReport& report, const std::string& run);

// A row a remedy and point: what it had cost there, and what it earned.
Table mismatch_remedies_records(const mismatch::RemedyReport& report);
Table mismatch_remedies_table(const mismatch::RemedyReport& report);  // for people

// Paragraphs: how to read it, what it comes to, what was not measured.
std::vector<std::string> mismatch_remedies_notes(const mismatch::RemedyReport& report);

}  // namespace plumb::report
