// One MTEB result file, in either layout. The common one is read in a single pass that skips what
// plumb does not keep; whatever that pass does not understand is parsed whole, which also finds out
// what is wrong with it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/figures.h"

namespace plumb::gap {

struct ResultFile {
  std::vector<Cell> cells;
  bool nonstandard = false;  // holds bare NaN or Infinity
};

// Reads result files one after the other, reusing its memory. For one thread.
class ResultFileReader {
 public:
  explicit ResultFileReader(UnknownSubsets unknown_subsets);
  ~ResultFileReader();
  ResultFileReader(const ResultFileReader&) = delete;
  ResultFileReader& operator=(const ResultFileReader&) = delete;

  // `where` names the file in errors: kBadInput (not JSON, not a result, a score outside its range,
  // an unknown subset, two scores for one cell).
  Result<ResultFile> parse(std::string_view text, std::string_view where);
  Result<ResultFile> read(const std::filesystem::path& path);

 private:
  struct Parsers;
  Result<ResultFile> parse_buffer(std::size_t length, std::string_view where);

  UnknownSubsets unknown_subsets_;
  std::unique_ptr<Parsers> parsers_;
  std::string buffer_;
};

namespace internal {

using Scores = std::vector<std::pair<std::string_view, double>>;  // metrics that a table keeps

// A file as it stands, before anything is checked or folded. Views end with the parser's next
// document.
struct RawEntry {
  std::string_view subset;
  std::vector<std::string_view> languages;
  std::optional<double> main_score;
  Scores scores;
  std::vector<Scores> experiments;
  std::optional<Agreement> agreement;
  std::optional<double> items;
};
struct RawFile {
  std::string_view task, dataset_revision, mteb_version;
  std::vector<RawEntry> entries;
};

}  // namespace internal

}  // namespace plumb::gap
