#include "plumb/stats/clustering.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace plumb::stats {
namespace {

using Sizes = std::span<const std::int64_t>;
using Counts = std::span<const std::uint32_t>;

double real(std::int64_t count) { return static_cast<double>(count); }

bool counted(Counts counts, std::size_t i) { return counts.empty() || counts[i] > 0; }

// Replaces the ids of the items that count by places 0, 1, 2, ... in ascending order of id.
std::vector<std::size_t> places(std::span<const int> ids, Counts counts) {
  std::vector<int> distinct;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (counted(counts, i)) distinct.push_back(ids[i]);
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<std::size_t> result(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), ids[i]);
    if (counted(counts, i)) result[i] = static_cast<std::size_t>(found - distinct.begin());
  }
  return result;
}

// The same in linear time where the ids are small numbers, as those of a resample are.
std::vector<std::size_t> small_places(std::span<const int> ids, Counts counts, int largest) {
  std::vector<std::size_t> place_of(static_cast<std::size_t>(largest) + 1);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (counted(counts, i)) place_of[static_cast<std::size_t>(ids[i])] = 1;
  }
  std::size_t next = 0;
  for (std::size_t& place : place_of) place = place == 0 ? 0 : next++;
  std::vector<std::size_t> result;
  result.reserve(ids.size());
  for (const int id : ids) result.push_back(place_of[static_cast<std::size_t>(id)]);
  return result;
}

std::vector<std::size_t> places_of(std::span<const int> ids, Counts counts) {
  const auto [low, high] = std::minmax_element(ids.begin(), ids.end());
  const bool small = *low >= 0 && static_cast<std::size_t>(*high) <= 4 * ids.size();
  return small ? small_places(ids, counts, *high) : places(ids, counts);
}

double entropy(Sizes sizes, std::int64_t total) {
  if (sizes.size() < 2) return 0;
  double sum = 0;
  for (const std::int64_t size : sizes) sum += real(size) * std::log(real(size) / real(total));
  return -sum / real(total);
}

double mutual_information(const Contingency& table) {
  double sum = 0;
  for (const auto& [row, column, count] : table.cells) {
    sum += real(count) * std::log(real(count) * real(table.total) /
                                  (real(table.rows[row]) * real(table.columns[column])));
  }
  return std::max(0.0, sum / real(table.total));
}

bool equal_partitions(const Contingency& table) {
  return table.cells.size() == table.rows.size() && table.cells.size() == table.columns.size();
}

double mean_entropy(Sizes rows, Sizes columns, std::int64_t total) {
  return (entropy(rows, total) + entropy(columns, total)) / 2;
}

double harmonic_mean(double a, double b) { return a + b == 0 ? 0 : 2 * a * b / (a + b); }

// Pairs of items that share a group.
double pairs(Sizes sizes) {
  double sum = 0;
  for (const std::int64_t size : sizes) sum += real(size) * real(size - 1) / 2;
  return sum;
}

// log 0!, log 1!, ..., log n!, summed in extended precision.
std::vector<double> log_factorials(std::int64_t n) {
  std::vector<double> table = {0};
  long double sum = 0;
  for (std::int64_t i = 1; i <= n; ++i) {
    sum += std::log(static_cast<long double>(i));
    table.push_back(static_cast<double>(sum));
  }
  return table;
}

std::map<std::int64_t, std::int64_t> multiplicities(Sizes sizes) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t size : sizes) ++counts[size];
  return counts;
}

// The expectation of n_ij / n log(n n_ij / (a b)) where n_ij is hypergeometric: b draws of n items
// of which a are of the class.
double expected_term(std::int64_t a, std::int64_t b, std::int64_t n,
                     const std::vector<double>& log_factorial) {
  const auto log_of = [&](std::int64_t k) { return log_factorial[static_cast<std::size_t>(k)]; };
  const double fixed = log_of(a) + log_of(b) + log_of(n - a) + log_of(n - b) - log_of(n);
  double sum = 0;
  for (std::int64_t k = std::max<std::int64_t>(1, a + b - n); k <= std::min(a, b); ++k) {
    const double log_probability =
        fixed - log_of(k) - log_of(a - k) - log_of(b - k) - log_of(n - a - b + k);
    sum += real(k) / real(n) * std::log(real(n) * real(k) / (real(a) * real(b))) *
           std::exp(log_probability);
  }
  return sum;
}

// Adds up the items of each cell.
void merge_into(Contingency& table, std::vector<Contingency::Cell>& items) {
  const std::size_t width = table.columns.size();
  if (table.rows.size() * width <= 4 * items.size() + 1024) {  // a dense table is small enough
    std::vector<std::int64_t> counts(table.rows.size() * width);
    for (const auto& item : items) counts[item.row * width + item.column] += item.count;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] > 0) table.cells.push_back({i / width, i % width, counts[i]});
    }
    return;
  }
  const auto place = [width](const auto& cell) { return cell.row * width + cell.column; };
  std::sort(items.begin(), items.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const auto& item : items) {
    if (table.cells.empty() || place(table.cells.back()) != place(item)) {
      table.cells.push_back({item.row, item.column, 0});
    }
    table.cells.back().count += item.count;
  }
}

}  // namespace

tl::expected<Contingency, Undefined> contingency(std::span<const int> gold,
                                                 std::span<const int> clusters, Counts counts) {
  if (gold.size() != clusters.size() || (!counts.empty() && counts.size() != gold.size())) {
    return undefined("the two partitions differ in length");
  }
  if (gold.empty()) return undefined("there are no items");
  const auto rows = places_of(gold, counts), columns = places_of(clusters, counts);
  Contingency table;
  table.rows.resize(1 + *std::max_element(rows.begin(), rows.end()));
  table.columns.resize(1 + *std::max_element(columns.begin(), columns.end()));
  std::vector<Contingency::Cell> items;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t count = counts.empty() ? 1 : counts[i];
    if (count == 0) continue;
    items.push_back({rows[i], columns[i], count});
    table.rows[rows[i]] += count;
    table.columns[columns[i]] += count;
    table.total += count;
  }
  if (items.empty()) return undefined("there are no items");
  merge_into(table, items);
  return table;
}

double homogeneity(const Contingency& table) {
  const double classes = entropy(table.rows, table.total);
  return classes == 0 ? 1 : mutual_information(table) / classes;
}

double completeness(const Contingency& table) {
  const double clusters = entropy(table.columns, table.total);
  return clusters == 0 ? 1 : mutual_information(table) / clusters;
}

double v_measure(const Contingency& table) {
  return harmonic_mean(homogeneity(table), completeness(table));
}

double normalized_mutual_information(const Contingency& table) {
  const double mean = mean_entropy(table.rows, table.columns, table.total);
  return mean == 0 ? 1 : mutual_information(table) / mean;
}

double adjusted_rand_index(const Contingency& table) {
  if (equal_partitions(table)) return 1;
  double both = 0;
  for (const auto& cell : table.cells) both += real(cell.count) * real(cell.count - 1) / 2;
  const double rows = pairs(table.rows), columns = pairs(table.columns);
  const double expected = rows * columns / (real(table.total) * real(table.total - 1) / 2);
  return (both - expected) / ((rows + columns) / 2 - expected);
}

double adjusted_mutual_information(const Contingency& table) {
  if (equal_partitions(table)) return 1;
  const double expected = expected_mutual_information(table.rows, table.columns);
  const double most = mean_entropy(table.rows, table.columns, table.total);
  return (mutual_information(table) - expected) / (most - expected);
}

double expected_mutual_information(Sizes rows, Sizes columns) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  const std::vector<double> log_factorial = log_factorials(total);
  const auto row_sizes = multiplicities(rows), column_sizes = multiplicities(columns);
  double sum = 0;
  for (const auto& [a, rows_of_a] : row_sizes) {
    for (const auto& [b, columns_of_b] : column_sizes) {
      sum += real(rows_of_a) * real(columns_of_b) * expected_term(a, b, total, log_factorial);
    }
  }
  return std::max(0.0, sum);
}

double expected_v_measure(Sizes rows, Sizes columns) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  const double mean = mean_entropy(rows, columns, total);
  return mean == 0 ? 1 : expected_mutual_information(rows, columns) / mean;
}

BCubed b_cubed(const Contingency& table) {
  double precision = 0, recall = 0;
  for (const auto& [row, column, count] : table.cells) {
    precision += real(count) * real(count) / real(table.columns[column]);
    recall += real(count) * real(count) / real(table.rows[row]);
  }
  precision /= real(table.total);
  recall /= real(table.total);
  return {precision, recall, harmonic_mean(precision, recall)};
}

BCubed expected_b_cubed(Sizes rows, Sizes columns) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  const auto expected = [total](Sizes own, Sizes other) {
    const double all_pairs = real(total) * real(total - 1) / 2;
    const double same = all_pairs == 0 ? 0 : pairs(other) / all_pairs;
    const double groups = static_cast<double>(own.size());
    return (groups + (real(total) - groups) * same) / real(total);
  };
  const double precision = expected(columns, rows), recall = expected(rows, columns);
  return {precision, recall, harmonic_mean(precision, recall)};
}

}  // namespace plumb::stats
