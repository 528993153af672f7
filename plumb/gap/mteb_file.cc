#include "plumb/gap/mteb_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/gap/mteb_parsers.h"

namespace plumb::gap {
namespace {

using internal::RawEntry;
using internal::RawFile;
using internal::Scores;

tl::unexpected<Error> bad(std::string_view where, const std::string& what) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where, what));
}

// "eng", or "eng-deu" for a pair; the subset's own where the file gives none.
std::string language_of(const RawEntry& entry, std::string_view folded_subset) {
  std::string language;
  for (const std::string_view name : entry.languages) {
    const std::string_view folded = tasks::fold_language(name).value_or(name);
    if (language.find(folded) != std::string::npos) continue;
    if (!language.empty()) language += '-';
    language += folded;
  }
  constexpr std::size_t kPair = 7;
  if (!language.empty() && language.size() <= kPair) return language;
  return std::string(folded_subset == "default" ? "und" : folded_subset);
}

// 0 where the file does not say it.
int items_of(const RawEntry& entry) {
  const double items = entry.items.value_or(0);
  constexpr double kMost = 1e9;
  return items >= 1 && items <= kMost ? static_cast<int>(items) : 0;
}

// Negative main scores are possible for correlations alone.
Result<void> check_range(const Cell& cell, std::string_view where) {
  const double low = cell.find("spearman") || cell.find("cosine_spearman") ? -1 : 0;
  const auto check = [&](std::string_view what, double value) -> Result<void> {
    if (value >= low - 1e-9 && value <= 1 + 1e-9) return {};
    return bad(where, fmt::format("subset {}: {} {} is outside [{:.0f}, 1]; MTEB files hold "
                                  "fractions, so correct or remove this file",
                                  cell.original, what, value, low));
  };
  if (auto checked = check("main_score", cell.main_score); !checked) return checked;
  for (const double value : cell.experiments) {
    if (auto checked = check("score of an experiment", value); !checked) return checked;
  }
  return {};
}

// The folded subset; "" where it is outside the benchmark or is to be skipped.
Result<std::string> folded_subset(std::string_view task_name, std::string_view subset,
                                  std::string_view where, UnknownSubsets unknown_subsets) {
  if (const tasks::SuiteTask* task = tasks::find_task(task_name)) {
    if (const tasks::SuiteSubset* known = tasks::find_subset(*task, subset)) {
      return std::string(known->used ? known->id : "");
    }
  } else if (auto folded = tasks::fold_subset(subset)) {
    return *std::move(folded);
  }
  if (unknown_subsets == UnknownSubsets::kKeep) return std::string(subset);
  if (unknown_subsets == UnknownSubsets::kSkip) return std::string();
  return bad(where, fmt::format("unknown subset '{}' of {}; correct its name, or pass "
                                "--unknown-subsets keep or skip",
                                subset, task_name));
}

std::vector<double> main_experiments(const std::vector<Scores>& experiments,
                                     std::string_view metric) {
  std::vector<double> values;
  for (const Scores& scores : experiments) {
    const auto found =
        std::ranges::find(scores, metric, [](const auto& score) { return score.first; });
    if (found != scores.end()) values.push_back(found->second);
  }
  return values;
}

Result<Cell> make_cell(RawEntry& entry, const RawFile& file, std::string folded,
                       std::string_view where) {
  Cell cell;
  cell.task = file.task;
  cell.original = entry.subset;
  cell.language = language_of(entry, folded);
  cell.subset = std::move(folded);
  cell.dataset_revision = file.dataset_revision;
  cell.mteb_version = file.mteb_version;
  cell.main_score = *entry.main_score;
  cell.scores = std::move(entry.scores);
  cell.experiments = main_experiments(entry.experiments, cell.main_metric());
  cell.agreement = std::move(entry.agreement);
  cell.items = items_of(entry);
  if (auto checked = check_range(cell, where); !checked) return tl::unexpected(checked.error());
  return cell;
}

// Entries without a main score are missing, not zero.
Result<std::vector<Cell>> make_cells(RawFile& file, std::string_view where,
                                     UnknownSubsets unknown_subsets) {
  std::vector<Cell> cells;
  for (RawEntry& entry : file.entries) {
    if (!entry.main_score) continue;
    PLUMB_TRY(folded, folded_subset(file.task, entry.subset, where, unknown_subsets));
    if (folded.empty()) continue;
    PLUMB_TRY(cell, make_cell(entry, file, std::move(folded), where));
    if (const auto twin = std::ranges::find(cells, cell.subset, &Cell::subset);
        twin != cells.end()) {
      return bad(where, fmt::format("two scores for one cell: subsets '{}' and '{}' of {} are the "
                                    "same; remove one",
                                    twin->original, cell.original, cell.task));
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

// Bare ones; most files hold none of the words, not even in strings.
bool has_nonfinite_words(std::string_view text) {
  if (text.find("NaN") == text.npos && text.find("Infinity") == text.npos) return false;
  return without_nonfinite_words(text).replaced > 0;
}

}  // namespace

struct ResultFileReader::Parsers {
  internal::FastParser fast;
  internal::WholeParser whole;
};

ResultFileReader::ResultFileReader(UnknownSubsets unknown_subsets)
    : unknown_subsets_(unknown_subsets),
      parsers_(std::make_unique<Parsers>()),
      buffer_(1 << 16, '\0') {}

ResultFileReader::~ResultFileReader() = default;

Result<ResultFile> ResultFileReader::parse_buffer(std::size_t length, std::string_view where) {
  const std::string_view text(buffer_.data(), length);
  ResultFile result;
  result.nonstandard = has_nonfinite_words(text);
  if (auto file = parsers_->fast.parse(buffer_, length)) {
    PLUMB_TRY(cells, make_cells(*file, where, unknown_subsets_));
    result.cells = std::move(cells);
    return result;
  }
  const StrictText strict = without_nonfinite_words(text);
  PLUMB_TRY(file, parsers_->whole.parse(strict.text, where));
  PLUMB_TRY(cells, make_cells(file, where, unknown_subsets_));
  result.cells = std::move(cells);
  return result;
}

Result<ResultFile> ResultFileReader::parse(std::string_view text, std::string_view where) {
  buffer_.assign(text);
  buffer_.resize(text.size() + internal::kPadding);
  return parse_buffer(text.size(), where);
}

Result<ResultFile> ResultFileReader::read(const std::filesystem::path& path) {
  PLUMB_TRY(length, read_file_into(path, buffer_));
  if (buffer_.size() < length + internal::kPadding) buffer_.resize(length + internal::kPadding);
  return parse_buffer(length, path.string());
}

}  // namespace plumb::gap
