#include "plumb/gap/mteb_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/base/parallel.h"
#include "plumb/gap/mteb_file.h"

namespace plumb::gap {
namespace {

namespace fs = std::filesystem;

// One directory of result files.
struct Folder {
  fs::path path;
  fs::path relative;
  std::vector<fs::path> files;
  bool has_meta = false;
};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

Result<void> list_folder(const fs::path& path, const fs::path& relative,
                         std::vector<Folder>& folders) {
  std::error_code code;
  Folder folder{path, relative, {}, false};
  std::vector<fs::path> children;
  fs::directory_iterator entries(path, code);
  if (code) return tl::unexpected(file_error("list", path, code.value()));
  for (; entries != fs::directory_iterator(); entries.increment(code)) {
    const fs::directory_entry& entry = *entries;
    if (is_hidden(entry.path())) continue;
    if (entry.is_directory(code) && !entry.is_symlink(code)) {
      children.push_back(entry.path().filename());
    } else if (entry.path().filename() == "model_meta.json") {
      folder.has_meta = true;
    } else if (entry.path().extension() == ".json") {
      folder.files.push_back(entry.path());
    }
  }
  if (code) return tl::unexpected(file_error("list", path, code.value()));
  // Loose files at the top of a tree are indexes and the like, unless the top is one rater's
  // folder.
  if (!folder.files.empty() && (!relative.empty() || folder.has_meta)) {
    std::ranges::sort(folder.files);
    folders.push_back(std::move(folder));
  }
  std::ranges::sort(children);
  for (const fs::path& child : children) {
    auto listed = list_folder(path / child, relative / child, folders);
    if (!listed) return listed;
  }
  return {};
}

std::string model_name_from(const std::string& folder) {
  const std::size_t cut = folder.find("__");
  return cut == std::string::npos ? folder : folder.substr(0, cut) + "/" + folder.substr(cut + 2);
}

// Name and revision as the path says: <model>/<revision>, or <model> alone.
Entry entry_from_path(const Folder& folder) {
  const fs::path relative = folder.relative.empty() ? folder.path.filename() : folder.relative;
  Entry entry;
  const bool nested = relative.has_parent_path();
  entry.name = model_name_from((nested ? relative.parent_path() : relative).filename().string());
  entry.revision = nested ? relative.filename().string() : "no_revision_available";
  return entry;
}

// Names as the keys of an object, or as a list; null or absent: not declared.
std::optional<std::vector<std::string>> training_datasets(const Json& meta) {
  const auto found = meta.find("training_datasets");
  if (found == meta.end() || found->is_null()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [key, value] : found->items()) {
    names.push_back(found->is_object() ? key : value.get<std::string>());
  }
  std::ranges::sort(names);
  return names;
}

// What the metadata says of the rater, and what the path says where there is none.
Result<Entry> read_entry(const Folder& folder) {
  Entry entry = entry_from_path(folder);
  if (!folder.has_meta) return entry;
  const fs::path path = folder.path / "model_meta.json";
  PLUMB_TRY(text, read_file(path));
  try {
    const Json meta = Json::parse(without_nonfinite_words(text).text);
    const Json nameless = nullptr;
    if (meta.value("name", nameless).is_string()) entry.name = meta["name"];
    if (meta.value("revision", nameless).is_string()) entry.revision = meta["revision"];
    if (meta.value("rater_kind", nameless).is_string()) entry.rater_kind = meta["rater_kind"];
    entry.training_datasets = training_datasets(meta);
  } catch (const Json::exception&) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: not a JSON object that describes a model; fetch the file again",
                            path.string()));
  }
  return entry;
}

// What one folder holds: the entry without its cells, and each cell with the file it came from.
struct FolderResults {
  Entry entry;
  std::vector<Cell> cells;
  std::vector<const fs::path*> origins;  // [cells]
  std::size_t nonstandard_files = 0;
};

Result<FolderResults> read_folder(const Folder& folder, UnknownSubsets unknown_subsets) {
  FolderResults results;
  PLUMB_TRY(entry, read_entry(folder));
  results.entry = std::move(entry);
  ResultFileReader reader(unknown_subsets);
  for (const fs::path& path : folder.files) {
    PLUMB_TRY(file, reader.read(path));
    results.nonstandard_files += file.nonstandard ? 1 : 0;
    for (Cell& cell : file.cells) results.cells.push_back(std::move(cell));
    results.origins.resize(results.cells.size(), &path);
  }
  return results;
}

void append(FolderResults& results, FolderResults more) {
  results.nonstandard_files += more.nonstandard_files;
  std::ranges::move(more.cells, std::back_inserter(results.cells));
  results.origins.insert(results.origins.end(), more.origins.begin(), more.origins.end());
}

// Puts the cells in order into the entry. Two cells of one task and subset are an error that names
// both files.
Result<void> finish(FolderResults& results) {
  const auto& cells = results.cells;
  std::vector<std::size_t> order(cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&cells](std::size_t i) { return std::tie(cells[i].task, cells[i].subset); };
  std::ranges::stable_sort(order, {}, key);
  const auto twin = std::ranges::adjacent_find(order, {}, key);
  if (twin != order.end()) {
    const auto [first, second] = std::pair(*twin, *std::next(twin));
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: two files for one cell: {} subset {} is also in {}; keep one",
                            results.origins[first]->string(), cells[first].task,
                            cells[first].subset, results.origins[second]->string()));
  }
  results.entry.cells.reserve(cells.size());
  for (const std::size_t i : order) results.entry.cells.push_back(std::move(results.cells[i]));
  results.cells = {};
  return {};
}

// Reads every folder whole, one after the other on each thread. [folders]
std::vector<Result<FolderResults>> read_folders(const std::vector<Folder>& folders,
                                                std::size_t files, const LoadOptions& options) {
  std::vector<Result<FolderResults>> results(folders.size());
  std::atomic<std::size_t> done{0};
  parallel_for(folders.size(), 1, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      results[i] = read_folder(folders[i], options.unknown_subsets);
      if (options.progress) options.progress(done += folders[i].files.size(), files);
    }
  });
  return results;
}

}  // namespace

Result<Figures> read_mteb_tree(const fs::path& root, const LoadOptions& options) {
  std::error_code code;
  const fs::path top = fs::is_directory(root / "results", code) ? root / "results" : root;
  std::vector<Folder> folders;
  if (auto listed = list_folder(top, {}, folders); !listed) return tl::unexpected(listed.error());

  std::size_t files = 0;
  for (const Folder& folder : folders) files += folder.files.size();
  if (files == 0) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: no result files; a tree holds <model>/<revision>/<Task>.json",
                            root.string()));
  }

  // Folders whose metadata name the same rater and revision are one entry.
  std::map<std::pair<std::string, std::string>, FolderResults> entries;
  for (auto& folder : read_folders(folders, files, options)) {
    if (!folder) return tl::unexpected(folder.error());
    const auto key = std::pair(folder->entry.name, folder->entry.revision);
    const auto [place, is_new] = entries.try_emplace(key);
    if (is_new) {
      place->second = std::move(*folder);
    } else {
      append(place->second, std::move(*folder));
    }
  }
  Figures figures;
  figures.files = files;
  for (auto& [key, results] : entries) {
    if (auto finished = finish(results); !finished) return tl::unexpected(finished.error());
    figures.nonstandard_files += results.nonstandard_files;
    if (!results.entry.cells.empty()) figures.entries.push_back(std::move(results.entry));
  }
  return figures;
}

}  // namespace plumb::gap
