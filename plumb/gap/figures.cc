#include "plumb/gap/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/json.h"
#include "plumb/gap/mteb_results.h"

extern "C" {
extern const char plumb_hume_begin[];
extern const char plumb_hume_end[];
}

namespace plumb::gap {
namespace {

constexpr std::string_view kSchema = "plumb.figures/1";

// In the order in which main_metric() looks for the metric behind the main score; those that can be
// one come first.
constexpr std::array<std::string_view, 23> kKeptMetrics = {
    "accuracy",
    "v_measure",
    "map",
    "map_at_1000",
    "cosine_spearman",
    "spearman",
    "ndcg_at_10",
    "f1",
    "ap",
    "f1_weighted",
    "precision",
    "recall",
    "v_measure_std",
    "ari",
    "ami",
    "nmi",
    "mrr",
    "mrr@10",
    "ndcg@10",
    "mrr_at_10",
    "pearson",
    "cosine_pearson",
    "mse",
};
constexpr std::size_t kMainMetrics = 9;

// A set of bits of the lengths of kept metrics: most keys of a file have another one.
constexpr std::uint64_t kKeptLengths = [] {
  std::uint64_t lengths = 0;
  for (const std::string_view metric : kKeptMetrics) lengths |= std::uint64_t{1} << metric.size();
  return lengths;
}();

Json cell_to_json(const Cell& cell) {
  Json line;
  line["task"] = cell.task;
  line["subset"] = cell.subset;
  if (cell.original != cell.subset) line["original"] = cell.original;
  line["language"] = cell.language;
  line["dataset_revision"] = cell.dataset_revision;
  line["mteb_version"] = cell.mteb_version;
  line["main_score"] = cell.main_score;
  Json& scores = line["scores"] = Json::object();
  for (const auto& [metric, value] : cell.scores) scores[std::string(metric)] = value;
  if (cell.items > 0) line["items"] = cell.items;
  if (!cell.experiments.empty()) line["experiments"] = cell.experiments;
  if (cell.agreement) {
    Json& block = line["agreement"];
    block["metric"] = cell.agreement->metric;
    if (!cell.agreement->interpretation.empty()) {
      block["interpretation"] = cell.agreement->interpretation;
    }
    block["values"] = cell.agreement->values;
  }
  return line;
}

std::string format_entries(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& entry : entries) {
    Json line;
    line["model"] = entry.name;
    line["revision"] = entry.revision;
    if (!entry.rater_kind.empty()) line["rater_kind"] = entry.rater_kind;
    if (entry.training_datasets) line["training_datasets"] = *entry.training_datasets;
    text += to_text(line) + "\n";
    for (const Cell& cell : entry.cells) text += to_text(cell_to_json(cell)) + "\n";
  }
  return text;
}

Cell cell_from_json(const Json& line) {
  Cell cell;
  cell.task = line.at("task");
  cell.subset = line.at("subset");
  cell.original = line.value("original", cell.subset);
  cell.language = line.at("language");
  cell.dataset_revision = line.value("dataset_revision", "");
  cell.mteb_version = line.value("mteb_version", "");
  cell.main_score = line.at("main_score");
  cell.items = line.value("items", 0);
  for (const auto& [metric, value] : line.at("scores").items()) {
    if (!kept_metric(metric).empty()) cell.scores.emplace_back(kept_metric(metric), value);
  }
  cell.experiments = line.value("experiments", std::vector<double>());
  if (line.contains("agreement")) {
    const Json& block = line["agreement"];
    cell.agreement = Agreement{block.at("metric"), block.value("interpretation", ""), {}};
    for (const auto& [key, value] : block.at("values").items()) {
      cell.agreement->values[key] = value.get<double>();
    }
  }
  return cell;
}

auto by_rater(const Entry& entry) { return std::tie(entry.name, entry.revision); }
auto by_subset(const Cell& cell) { return std::tie(cell.task, cell.subset); }

template <typename T, typename Key>
void append_in_order(std::vector<T>& items, T item, Key key, const char* rule) {
  if (!items.empty() && key(items.back()) >= key(item)) throw std::invalid_argument(rule);
  items.push_back(std::move(item));
}

void read_line(const Json& line, Figures& figures) {
  if (line.contains("model")) {
    Entry entry;
    entry.name = line["model"];
    entry.revision = line.at("revision");
    entry.rater_kind = line.value("rater_kind", "");
    if (line.contains("training_datasets")) entry.training_datasets = line["training_datasets"];
    append_in_order(figures.entries, std::move(entry), by_rater,
                    "raters must stand once, in the order of name and revision");
  } else if (figures.entries.empty()) {
    throw std::invalid_argument("a cell stands before any rater");
  } else {
    append_in_order(figures.entries.back().cells, cell_from_json(line), by_subset,
                    "cells must stand once, in the order of task and subset");
  }
}

void read_header(const Json& line, Figures& figures) {
  const std::string schema = line.value("schema", "");
  if (schema.starts_with("plumb.task/")) {
    throw std::invalid_argument("a task: `plumb gap` wants answers of people, --humans FILE");
  }
  if (schema != kSchema) throw std::invalid_argument("not a plumb.figures/1 table");
  figures.name = line.value("name", "");
  figures.origin = line.value("origin", "");
  figures.licence = line.value("licence", "");
  figures.files = line.value("files", std::size_t{0});
  figures.nonstandard_files = line.value("nonstandard_files", std::size_t{0});
}

Result<Figures> load_file(const std::filesystem::path& path) {
  PLUMB_TRY(text, read_file(path));
  PLUMB_TRY(figures, parse_figures(text, path.string()));
  if (figures.name.empty()) figures.name = path.filename().string();
  return std::move(figures);
}

}  // namespace

std::string_view kept_metric(std::string_view metric) {
  if (metric.size() >= 64 || (kKeptLengths >> metric.size() & 1) == 0) return {};
  const auto found = std::ranges::find(kKeptMetrics, metric);
  return found == kKeptMetrics.end() ? std::string_view() : *found;
}

bool is_main_metric(std::string_view metric) {
  const std::span main_metrics(kKeptMetrics.data(), kMainMetrics);
  return std::ranges::find(main_metrics, metric) != main_metrics.end();
}

std::optional<double> Agreement::find(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

std::optional<double> Agreement::value() const {
  const auto value = find("value");
  return value ? value : find(metric);
}

std::optional<double> Cell::find(std::string_view metric) const {
  const auto found =
      std::ranges::find_if(scores, [metric](const auto& pair) { return pair.first == metric; });
  if (found == scores.end()) return std::nullopt;
  return found->second;
}

std::string_view Cell::main_metric() const {
  for (const std::string_view metric : kKeptMetrics) {
    if (find(metric) == main_score) return metric;
  }
  return "main_score";
}

const Cell* Entry::find(std::string_view task, std::string_view subset) const {
  const auto key = std::pair(task, subset);
  const auto found = std::ranges::lower_bound(cells, key, {}, [](const Cell& cell) {
    return std::pair<std::string_view, std::string_view>(cell.task, cell.subset);
  });
  const bool hit = found != cells.end() && found->task == task && found->subset == subset;
  return hit ? &*found : nullptr;
}

std::string content_hash(const Figures& figures) { return sha256(format_entries(figures.entries)); }

std::string format_figures(const Figures& figures) {
  Json header;
  header["schema"] = kSchema;
  header["name"] = figures.name;
  header["origin"] = figures.origin;
  header["licence"] = figures.licence;
  header["files"] = figures.files;
  header["nonstandard_files"] = figures.nonstandard_files;
  return to_text(header) + "\n" + format_entries(figures.entries);
}

Result<Figures> parse_figures(std::string_view text, std::string_view where) {
  Figures figures;
  std::size_t number = 0;
  try {
    while (!text.empty()) {
      ++number;
      const std::size_t end = std::min(text.find('\n'), text.size());
      const Json line = Json::parse(text.substr(0, end));
      number == 1 ? read_header(line, figures) : read_line(line, figures);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  } catch (const std::exception& error) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}:{}: not a table of figures ({}); make one with "
                            "`plumb gap import DIR -o FILE`",
                            where, number, error.what()));
  }
  if (figures.entries.empty()) {
    return fail(ErrorKind::kNotFound, fmt::format("{}: the table holds no figures", where));
  }
  return figures;
}

Result<Figures> load_figures(std::string_view source, const LoadOptions& options) {
  if (source == "hume") return parse_figures({plumb_hume_begin, plumb_hume_end}, "hume");
  const std::filesystem::path path(source);
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    PLUMB_TRY(figures, read_mteb_tree(path, options));
    figures.name = source;
    return std::move(figures);
  }
  if (!std::filesystem::exists(path, code)) {
    if (code) return tl::unexpected(file_error("read", path, code.value()));
    return fail(
        ErrorKind::kNotFound,
        fmt::format("{}: no such file, directory or published table; `hume` is built in", source));
  }
  return load_file(path);
}

}  // namespace plumb::gap
