#include "plumb/rlhf/sample_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "plumb/text/parquet.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& folder, std::string_view ending) {
  std::error_code ignored;
  return std::ranges::any_of(fs::directory_iterator(folder, ignored),
                             [&](const auto& entry) { return entry.path().extension() == ending; });
}

// What a folder without samples has, and what to do with it.
std::string instead_of_samples(const fs::path& folder) {
  std::error_code ignored;
  for (const char* runs : {"policies", "chain/policies"}) {
    if (!fs::is_directory(folder / runs, ignored)) continue;
    return fmt::format("; its runs are {}/*", (folder / runs).string());
  }
  if (holds(folder, ".parquet")) return "; " + parquet_advice((folder / "*.parquet").string());
  if (!holds(folder, ".jsonl")) return "";
  return fmt::format("; put its files into one: cat {}/*.jsonl > samples.jsonl", folder.string());
}

std::string names_of(const Json& line) {
  std::vector<std::string> names;
  for (const auto& [name, value] : line.items()) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<std::string> first_names(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  auto reader = RecordReader::open(file.string(), {});
  if (!reader) return std::nullopt;
  const auto record = reader->next();
  return record && *record ? std::optional(names_of((*record)->fields)) : std::nullopt;
}

}  // namespace

Result<fs::path> find_samples(const fs::path& run) {
  const fs::path file = samples_file(run);
  std::error_code ignored;
  if (file == run || fs::exists(file, ignored)) return file;
  return fail(ErrorKind::kNotFound, fmt::format("{}: the folder holds no samples.jsonl{}",
                                                run.string(), instead_of_samples(run)));
}

Result<void> check_names(const fs::path& file, const SampleFields& fields) {
  std::error_code ignored;
  if (fields.names.empty() || !fs::is_regular_file(file, ignored)) return {};
  PLUMB_TRY(reader, RecordReader::open(file.string(), {.format = fields.format}));
  std::map<std::string, std::string> unseen = fields.names;
  std::string first;
  while (!unseen.empty()) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    if (first.empty()) first = names_of(record->fields);
    std::erase_if(unseen, [&](const auto& one) { return record->fields.contains(one.second); });
  }
  if (unseen.empty() || first.empty()) return {};
  const auto& [field, name] = *unseen.begin();
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: no line has \"{}\", which {} was said to be; there are {}",
                          file.string(), name, field, first));
}

std::string how_to_give(std::string_view field, const fs::path& file) {
  const auto names = first_names(file);
  return fmt::format("{}name it with --map {}=NAME, or score it with --{}-by",
                     names ? fmt::format("there are {}; ", *names) : "", field, field);
}

}  // namespace plumb::rlhf
