// How well one partition of the items agrees with another: V-measure, adjusted Rand index, adjusted
// mutual information and B-cubed, all from one contingency table.
//
// V-measure and B-cubed are not adjusted for chance: with 30 texts in 6 classes of 5, "every text
// its own cluster" gets V = 0.690. Show them beside ARI or AMI, whose expectation under random
// labels is 0, and beside expected_v_measure().
//
//   auto table = contingency(gold, clusters);      // Undefined: no items, unequal lengths
//   if (table) { v_measure(*table); adjusted_mutual_information(*table); }
//
// Cluster ids are any ints; only which items share an id matters. Every function of a table is
// defined for every table that contingency() returns; where a formula is 0/0 the conventions are
// scikit-learn's (1.2). Logarithms are natural.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct Contingency {
  struct Cell {
    std::size_t row;     // class of the first partition
    std::size_t column;  // cluster of the second
    std::int64_t count;
  };
  std::vector<Cell> cells;            // those that hold an item, by row, then column
  std::vector<std::int64_t> rows;     // items in each class
  std::vector<std::int64_t> columns;  // items in each cluster
  std::int64_t total = 0;
};

// gold, clusters: [n]. counts: empty, or [n] how often each item was drawn. Undefined if no item is
// left or the lengths differ.
tl::expected<Contingency, Undefined> contingency(std::span<const int> gold,
                                                 std::span<const int> clusters,
                                                 std::span<const std::uint32_t> counts = {});

// Rosenberg and Hirschberg 2007. 1 if the gold has one class.
double homogeneity(const Contingency& table);
// The same with the two partitions exchanged. 1 if there is one cluster.
double completeness(const Contingency& table);
// Harmonic mean of the two (beta = 1); the same number as normalized_mutual_information().
double v_measure(const Contingency& table);
// Mutual information over the arithmetic mean of the entropies; 1 if both entropies are 0.
double normalized_mutual_information(const Contingency& table);

// Hubert and Arabie 1985. 1 for equal partitions.
double adjusted_rand_index(const Contingency& table);

// (MI - E[MI]) / (mean entropy - E[MI]) with the exact expectation (Vinh, Epps and Bailey 2010,
// AMI_sum). 1 for equal partitions, also where the formula is 0/0.
double adjusted_mutual_information(const Contingency& table);

// E[MI] in nats over all ways to draw a table with these marginals (Vinh, Epps and Bailey
// 2010). Classes of one size are handled together.
// REQUIRES: both sums are equal and all sizes are positive.
double expected_mutual_information(std::span<const std::int64_t> rows,
                                   std::span<const std::int64_t> columns);

// The expectation of V-measure over the same draws: V = MI / mean entropy, and the entropies depend
// on the marginals alone. 1 if both entropies are 0. REQUIRES: as above.
double expected_v_measure(std::span<const std::int64_t> rows,
                          std::span<const std::int64_t> columns);

// Bagga and Baldwin 1998, every item with weight 1/n. An item's precision is the share of its
// cluster that is of its class, its recall the share of its class that is in its cluster, itself
// included.
struct BCubed {
  double precision;
  double recall;
  double f1;  // harmonic mean of the two
};
BCubed b_cubed(const Contingency& table);

// The expectations of precision and recall over all tables with these marginals, with K clusters of
// n items and classes of sizes a: E[precision] = (K + (n - K) sum a (a - 1) / (n (n - 1))) / n, for
// each of the b - 1 others in an item's cluster is of its class with the probability that two items
// are. f1 is their harmonic mean. REQUIRES: both sums are equal and all sizes are positive.
BCubed expected_b_cubed(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns);

}  // namespace plumb::stats
