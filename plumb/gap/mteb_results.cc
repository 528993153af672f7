#include "plumb/gap/mteb_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
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
    entry.training_datasets = training_datasets(meta);
  } catch (const Json::exception&) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: not a JSON object that describes a model; fetch the file again",
                            path.string()));
  }
  return entry;
}

struct Source {
  const fs::path* path;
  std::size_t folder;
};

// Reads all files, each into its own place; one reader a range.
std::vector<Result<ResultFile>> read_files(const std::vector<Source>& sources,
                                           const LoadOptions& options) {
  std::vector<Result<ResultFile>> results(sources.size());
  std::atomic<std::size_t> done{0};
  parallel_for(sources.size(), 256, options.threads, [&](std::size_t begin, std::size_t end) {
    ResultFileReader reader(options.unknown_subsets);
    for (std::size_t i = begin; i < end; ++i) results[i] = reader.read(*sources[i].path);
    if (options.progress) options.progress(done += end - begin, sources.size());
  });
  return results;
}

// An entry while it is put together: each cell with the file it came from.
struct Draft {
  Entry entry;
  std::vector<std::pair<Cell, const fs::path*>> cells;
};

// The finished entry, its cells in order. Two cells of one task and subset are an error that names
// both files.
Result<Entry> finish(Draft draft) {
  const auto key = [](const auto& placed) {
    return std::tie(placed.first.task, placed.first.subset);
  };
  std::ranges::sort(draft.cells, {}, key);
  const auto twin = std::ranges::adjacent_find(draft.cells, {}, key);
  if (twin != draft.cells.end()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: two files for one cell: {} subset {} is also in {}; keep one",
                            twin->second->string(), twin->first.task, twin->first.subset,
                            std::next(twin)->second->string()));
  }
  for (auto& placed : draft.cells) draft.entry.cells.push_back(std::move(placed.first));
  return std::move(draft.entry);
}

}  // namespace

Result<Figures> read_mteb_tree(const fs::path& root, const LoadOptions& options) {
  std::error_code code;
  const fs::path top = fs::is_directory(root / "results", code) ? root / "results" : root;
  std::vector<Folder> folders;
  if (auto listed = list_folder(top, {}, folders); !listed) return tl::unexpected(listed.error());

  std::vector<Source> sources;
  for (std::size_t f = 0; f < folders.size(); ++f) {
    for (const fs::path& path : folders[f].files) sources.push_back({&path, f});
  }
  if (sources.empty()) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: no result files; a tree holds <model>/<revision>/<Task>.json",
                            root.string()));
  }

  // Folders whose metadata name the same rater and revision are one entry.
  std::map<std::pair<std::string, std::string>, Draft> drafts;
  std::vector<Draft*> draft_of;
  for (const Folder& folder : folders) {
    PLUMB_TRY(entry, read_entry(folder));
    auto key = std::pair(entry.name, entry.revision);
    draft_of.push_back(
        &drafts.try_emplace(std::move(key), Draft{std::move(entry), {}}).first->second);
  }
  Figures figures;
  figures.files = sources.size();
  std::vector<Result<ResultFile>> results = read_files(sources, options);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!results[i]) return tl::unexpected(results[i].error());
    figures.nonstandard_files += results[i]->nonstandard ? 1 : 0;
    for (Cell& cell : results[i]->cells) {
      draft_of[sources[i].folder]->cells.emplace_back(std::move(cell), sources[i].path);
    }
  }
  for (auto& [key, draft] : drafts) {
    PLUMB_TRY(entry, finish(std::move(draft)));
    if (!entry.cells.empty()) figures.entries.push_back(std::move(entry));
  }
  return figures;
}

}  // namespace plumb::gap
