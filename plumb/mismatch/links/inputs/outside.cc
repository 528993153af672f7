#include "plumb/mismatch/links/inputs/outside.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "plumb/mismatch/links/inputs/fields.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

constexpr double kResolution = 0.2, kAccuracyResolution = 0.05;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

bool less_is_better(const std::string& metric) {
  constexpr const char* kWords[] = {"loss", "ece", "brier", "error"};
  return std::ranges::any_of(
      kWords, [&](const char* word) { return metric.find(word) != std::string::npos; });
}

LinkRow metric_row(const std::string& metric, std::vector<double> values,
                   const std::vector<double>& gold, double level) {
  const bool turned = less_is_better(metric);
  if (turned) {
    for (double& value : values) value = -value;
  }
  LinkRow row{.link = Link::kB,
              .measure = fmt::format("{} and the policy's gold, over reward models", metric)};
  row.n = gold.size();
  row.of = "models";
  row.resolution = kResolution;
  if (turned) row.note = "less is better: turned round";
  const stats::Score rho = stats::spearman(values, gold);
  if (!rho) {
    row.reason = rho.error().reason;
    return row;
  }
  row.estimate = *rho;
  const auto ci = stats::spearman_interval(*rho, gold.size(), level);
  if (!ci) {
    row.reason = ci.error().reason;
    return row;
  }
  row.ci = *ci;
  row.deviation = stats::normal_error(*ci, level);
  return row;
}

double agreement_of(const std::vector<std::string>& labels) {
  double same = 0, pairs = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      same += labels[i] == labels[j] ? 1 : 0;
      pairs += 1;
    }
  }
  return same / pairs;
}

}  // namespace

Result<Population> read_population(const fs::path& path) {
  std::error_code ignored;
  Population population;
  population.file = (fs::is_directory(path, ignored) ? path / "population.jsonl" : path).string();
  PLUMB_TRY(records, read_records(population.file, {}));
  for (const Record& record : records) {
    const bool first = population.gold.empty();
    const auto gold = number_in(record.fields, "gold");
    if (!gold) return bad(fmt::format("{}: \"gold\" is not a number", record.where));
    for (const auto& [name, value] : record.fields.items()) {
      const auto number = number_in(record.fields, name);
      const bool is_metric = name != "gold" && name != "reward_model" && name != "seed";
      if (first && number && is_metric) population.metrics[name] = {};
    }
    population.gold.push_back(*gold);
    for (auto& [name, values] : population.metrics) {
      const auto number = number_in(record.fields, name);
      if (!number) return bad(fmt::format("{}: \"{}\" is not a number", record.where, name));
      values.push_back(*number);
    }
  }
  if (population.gold.size() >= 4) return population;
  return bad(fmt::format("{}: {} reward models; a correlation needs four or more", population.file,
                         population.gold.size()));
}

std::vector<LinkRow> population_rows(const Population& population, double level) {
  std::vector<LinkRow> rows;
  bool any = false;
  for (const auto& [metric, values] : population.metrics) {
    rows.push_back(metric_row(metric, values, population.gold, level));
    rows.back().headline = metric.find("accuracy") != std::string::npos;
    any = any || rows.back().headline;
  }
  for (LinkRow& row : rows) row.headline = row.headline || !any;
  return rows;
}

Result<std::vector<ScoredPairs>> read_scored_pairs(const fs::path& file) {
  PLUMB_TRY(reader, RecordReader::open(file.string(), {}));
  std::vector<ScoredPairs> all;
  std::vector<std::unordered_map<std::string, std::uint32_t>> prompts;
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    const auto chosen = number_in(record->fields, "chosen");
    const auto rejected = number_in(record->fields, "rejected");
    if (!chosen || !rejected) {
      return bad(fmt::format("{}: \"{}\" is not a number, the score of that side", record->where,
                             chosen ? "rejected" : "chosen"));
    }
    const std::string eval = text_in(record->fields, "eval").value_or("pairs");
    auto found = std::ranges::find(all, eval, &ScoredPairs::eval);
    if (found == all.end()) {
      all.push_back({.eval = eval, .right = {}, .cluster = {}});
      prompts.emplace_back();
      found = all.end() - 1;
    }
    auto& known = prompts[static_cast<std::size_t>(found - all.begin())];
    const auto next = static_cast<std::uint32_t>(known.size());
    const std::string prompt =
        text_in(record->fields, "prompt").value_or(fmt::format("\n{}", found->right.size()));
    found->cluster.push_back(known.emplace(prompt, next).first->second);
    found->right.push_back(*chosen > *rejected ? 1 : *chosen == *rejected ? 0.5 : 0);
    found->ties += *chosen == *rejected ? 1 : 0;
  }
  if (all.empty()) return bad(fmt::format("{}: holds no pairs", file.string()));
  return all;
}

std::vector<LinkRow> pair_rows(const std::vector<ScoredPairs>& pairs, double level) {
  std::vector<LinkRow> rows;
  for (const ScoredPairs& one : pairs) {
    LinkRow row{.link = Link::kB, .measure = fmt::format("pairs of {} ordered right", one.eval)};
    row.n = one.right.size();
    row.of = "pairs";
    row.null = 0.5;
    row.resolution = kAccuracyResolution;
    row.headline = true;
    const auto share = stats::clustered_wilson(one.right, one.cluster, level);
    row.estimate = share->value;
    row.ci = share->ci;
    row.deviation = stats::normal_error(share->ci, level);
    if (one.ties > 0) row.note = fmt::format("{} ties count half", one.ties);
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::vector<std::vector<std::string>>> read_labels(const fs::path& file) {
  PLUMB_TRY(reader, RecordReader::open(file.string(), {}));
  std::vector<std::vector<std::string>> items;
  std::unordered_map<std::string, std::size_t> known;
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    const auto item = text_in(record->fields, "item"), label = text_in(record->fields, "label");
    if (!item || !label) {
      return bad(fmt::format("{}: \"{}\" is missing", record->where, item ? "label" : "item"));
    }
    const auto [place, is_new] = known.emplace(*item, items.size());
    if (is_new) items.emplace_back();
    items[place->second].push_back(*label);
  }
  std::erase_if(items, [](const auto& labels) { return labels.size() < 2; });
  if (!items.empty()) return items;
  return bad(fmt::format("{}: no item has two labels, which tell how noisy one is", file.string()));
}

std::vector<LinkRow> noise_ceiling_rows(const std::vector<std::vector<std::string>>& labels,
                                        const stats::BootstrapOptions& options) {
  std::vector<double> agreement;
  for (const auto& item : labels) agreement.push_back(agreement_of(item));
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> row) {
    row[0] = stats::mean(agreement, counts);
    row[1] = row[0] && *row[0] > 0.5
                 ? stats::Score((1 + std::sqrt(2 * *row[0] - 1)) / 2)
                 : stats::Score(stats::undefined("labels agree no more than by chance"));
  };
  const auto draws =
      stats::paired_bootstrap(stats::Resampling::of_items(labels.size()), 2, statistics, options);
  const std::pair<std::size_t, const char*> measures[] = {
      {0, "agreement of repeated labels"}, {1, "noise ceiling of accuracy against labels"}};
  std::vector<LinkRow> rows;
  const stats::BootstrapOptions expanded = stats::expanded(options, labels.size());
  for (const auto& [column, measure] : measures) {
    rows.push_back(row_of(Link::kB, measure, stats::summarize(draws, column, expanded)));
    rows.back().n = labels.size();
    rows.back().of = "items";
    const auto deviation = stats::deviation_of(draws, column);
    if (deviation && rows.back().ci) rows.back().deviation = deviation->value;
  }
  return rows;
}

}  // namespace plumb::mismatch
