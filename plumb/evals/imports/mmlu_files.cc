#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/evals/imports/published.h"
#include "plumb/text/csv.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChoices = 4;
constexpr std::string_view kTestEnd = "_test.csv";

// 0 to 3 or A to D.
std::optional<std::size_t> gold_of(std::string_view text) {
  if (text.size() != 1) return std::nullopt;
  if (text[0] >= '0' && text[0] <= '3') return static_cast<std::size_t>(text[0] - '0');
  if (text[0] >= 'A' && text[0] <= 'D') return static_cast<std::size_t>(text[0] - 'A');
  return std::nullopt;
}

bool is_header(const CsvRow& row) {
  return row.fields.front() == "question" && row.fields.back() == "answer";
}

Result<std::vector<Question>> read_questions(const fs::path& file) {
  PLUMB_TRY(text, read_file(file));
  PLUMB_TRY(rows, parse_csv(text, file.string()));
  std::vector<Question> questions;
  for (const CsvRow& row : rows) {
    const auto refuse = [&](const std::string& what) {
      return fail(ErrorKind::kBadInput, fmt::format("{}:{}: {}", file.string(), row.line, what));
    };
    if (row.fields.size() != kChoices + 2) {
      return refuse(fmt::format("{} fields where a question, four choices and the answer belong",
                                row.fields.size()));
    }
    if (is_header(row)) continue;
    const auto gold = gold_of(trimmed(row.fields.back()));
    if (!gold) {
      return refuse(fmt::format("the answer is \"{}\", not 0 to 3 or A to D", row.fields.back()));
    }
    questions.push_back(
        {row.fields.front(), {row.fields.begin() + 1, row.fields.end() - 1}, *gold});
  }
  return questions;
}

}  // namespace

Result<std::vector<Subject>> read_mmlu(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder / "test", error)) {
    if (entry.path().filename().string().ends_with(kTestEnd)) files.push_back(entry.path());
  }
  if (files.empty()) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: no subject of MMLU (test/<subject>_test.csv and "
                            "dev/<subject>_dev.csv)",
                            folder.string()));
  }
  std::ranges::sort(files);
  std::vector<Subject> subjects;
  for (const fs::path& file : files) {
    std::string name = file.filename().string();
    name.resize(name.size() - kTestEnd.size());
    PLUMB_TRY(asked, read_questions(file));
    PLUMB_TRY(shown, read_questions(folder / "dev" / (name + "_dev.csv")));
    subjects.push_back({std::move(name), std::move(shown), std::move(asked)});
  }
  return subjects;
}

}  // namespace plumb::evals
