#include "plumb/cli/run_names.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

// A name has dots of its own: "grpo_beta0.05.jsonl.gz".
std::string without_endings(std::string name) {
  for (const std::string_view ending : {".gz", ".jsonl", ".json"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  return name;
}

std::string short_name(const std::string& run) {
  fs::path path = fs::path(run).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (path.filename() == "samples.jsonl" && path.has_parent_path()) path = path.parent_path();
  std::string name = path.filename().string();
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) name = without_endings(std::move(name));
  return name.empty() ? run : name;
}

}  // namespace

std::vector<std::string> run_names(const std::vector<std::string>& runs) {
  std::vector<std::string> names;
  for (const std::string& run : runs) names.push_back(short_name(run));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (std::ranges::count(names, short_name(runs[i])) > 1) names[i] = runs[i];
  }
  return names;
}

}  // namespace plumb::cli
