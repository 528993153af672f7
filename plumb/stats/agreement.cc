#include "plumb/stats/agreement.h"

#include <algorithm>
#include <cmath>

namespace plumb::stats {
namespace {

constexpr std::string_view kOneCategory =
    "chance alone gives complete agreement: all answers are of one category";
constexpr std::string_view kNoPairs = "no item has two answers";

double real(std::size_t count) { return static_cast<double>(count); }
std::size_t place(int code) { return static_cast<std::size_t>(code); }

bool well_shaped(std::size_t answers, std::size_t raters) {
  return raters > 0 && answers % raters == 0;
}

// The joint distribution of two raters' answers with the weight of every cell.
struct Joint {
  std::size_t size = 0;         // categories
  double items = 0;             // with both answers
  std::vector<double> cells;    // [size, size] shares
  std::vector<double> rows;     // [size]
  std::vector<double> columns;  // [size]
};

Joint joint_distribution(std::span<const int> a, std::span<const int> b) {
  Joint joint;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] < 0 || b[i] < 0) continue;
    joint.size = std::max({joint.size, place(a[i]) + 1, place(b[i]) + 1});
    joint.items += 1;
  }
  joint.cells.resize(joint.size * joint.size);
  joint.rows.resize(joint.size);
  joint.columns.resize(joint.size);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] < 0 || b[i] < 0) continue;
    joint.cells[place(a[i]) * joint.size + place(b[i])] += 1 / joint.items;
    joint.rows[place(a[i])] += 1 / joint.items;
    joint.columns[place(b[i])] += 1 / joint.items;
  }
  return joint;
}

// The distance is divided by the largest one that occurs; kappa does not depend on that scale.
double weight(Weights weights, std::size_t i, std::size_t j, std::size_t size) {
  if (i == j) return 1;
  const double distance = std::abs(real(i) - real(j)) / real(size - 1);
  switch (weights) {
    case Weights::kNone:
      return 0;
    case Weights::kLinear:
      return 1 - distance;
    case Weights::kQuadratic:
      return 1 - distance * distance;
  }
  return 0;
}

template <typename Body>  // body(i, j, cell index, weight)
void for_each_cell(const Joint& joint, Weights weights, Body body) {
  for (std::size_t i = 0; i < joint.size; ++i) {
    for (std::size_t j = 0; j < joint.size; ++j) {
      body(i, j, joint.cells[i * joint.size + j], weight(weights, i, j, joint.size));
    }
  }
}

// Fleiss, Cohen and Everitt 1969, for weighted kappa; without weights it is their simpler one.
double cohen_standard_error(const Joint& joint, Weights weights, double kappa, double expected) {
  std::vector<double> row_weights(joint.size), column_weights(joint.size);
  for_each_cell(joint, weights, [&](auto i, auto j, double, double w) {
    row_weights[i] += w * joint.columns[j];
    column_weights[j] += w * joint.rows[i];
  });
  double sum = 0;
  for_each_cell(joint, weights, [&](auto i, auto j, double cell, double w) {
    const double term = w - (row_weights[i] + column_weights[j]) * (1 - kappa);
    sum += cell * term * term;
  });
  const double mean = kappa - expected * (1 - kappa);
  return std::sqrt(std::max(0.0, sum - mean * mean) / joint.items) / (1 - expected);
}

// How one item was answered: how often each category, as (category, count).
using Tally = std::vector<std::pair<std::size_t, double>>;

Tally tally(std::span<const int> answers) {
  std::vector<int> codes;
  for (const int code : answers) {
    if (code >= 0) codes.push_back(code);
  }
  std::sort(codes.begin(), codes.end());
  Tally result;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (i == 0 || codes[i] != codes[i - 1]) result.emplace_back(place(codes[i]), 0);
    result.back().second += 1;
  }
  return result;
}

double answers_in(const Tally& item) {
  double count = 0;
  for (const auto& [category, answers] : item) count += answers;
  return count;
}

double agreeing_pairs(const Tally& item) {
  const double count = answers_in(item);
  double agreeing = 0;
  for (const auto& [category, answers] : item) agreeing += answers * (answers - 1);
  return agreeing / (count * (count - 1));
}

// The items with an answer, how often each category is used, and the observed agreement.
struct Pool {
  std::vector<Tally> items;
  std::vector<double> shares;  // [categories] mean over items of the category's share
  double paired = 0;           // items with two or more answers
  double observed = 0;         // mean over those of the share of agreeing pairs
};

Pool pool(const Ratings& ratings) {
  Pool result;
  result.shares.resize(ratings.categories());
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    Tally item = tally(ratings.item(i));
    if (!item.empty()) result.items.push_back(std::move(item));
  }
  for (const Tally& item : result.items) {
    const double count = answers_in(item);
    for (const auto& [category, answers] : item) {
      result.shares[category] += answers / count / real(result.items.size());
    }
    if (count < 2) continue;
    result.paired += 1;
    result.observed += agreeing_pairs(item);
  }
  if (result.paired > 0) result.observed /= result.paired;
  return result;
}

// The coefficient whose expected agreement is sum_k share_k * chance_k, where chance_k is the
// probability that a second answer agrees with a first one in category k. The standard error
// linearises both parts by item (Gwet 2008, 2014).
CoefficientScore corrected_for_chance(const Pool& answers, std::span<const double> chance) {
  const double n = real(answers.items.size());
  if (answers.items.size() < 2) return undefined("there is only one item");
  double expected = 0;
  for (std::size_t k = 0; k < chance.size(); ++k) expected += answers.shares[k] * chance[k];
  if (1 - expected < 1e-12) return undefined(kOneCategory);
  const double value = (answers.observed - expected) / (1 - expected);

  double squares = 0;
  for (const Tally& item : answers.items) {
    const double count = answers_in(item);
    double own_expected = 0;
    for (const auto& [category, given] : item) own_expected += given / count * chance[category];
    const double own =
        count < 2 ? 0 : n / answers.paired * (agreeing_pairs(item) - expected) / (1 - expected);
    const double term = own - 2 * (1 - value) * (own_expected - expected) / (1 - expected) - value;
    squares += term * term;
  }
  return Coefficient{value, answers.observed, expected, std::sqrt(squares / (n * (n - 1)))};
}

}  // namespace

tl::expected<Ratings, Undefined> nominal_ratings(std::vector<int> codes, std::size_t raters,
                                                 std::size_t categories) {
  if (!well_shaped(codes.size(), raters)) return undefined("the answers do not fill whole items");
  for (const int code : codes) {
    if (code < kMissing || (code >= 0 && place(code) >= categories)) {
      return undefined("an answer is none of the categories");
    }
  }
  Ratings ratings{std::move(codes), raters, {}};
  for (std::size_t k = 0; k < categories; ++k) ratings.values.push_back(real(k));
  return ratings;
}

tl::expected<Ratings, Undefined> numeric_ratings(std::span<const std::optional<double>> answers,
                                                 std::size_t raters) {
  if (!well_shaped(answers.size(), raters)) return undefined("the answers do not fill whole items");
  Ratings ratings{{}, raters, {}};
  for (const auto& answer : answers) {
    if (answer && !std::isfinite(*answer)) return undefined("an answer is not a finite number");
    if (answer) ratings.values.push_back(*answer);
  }
  auto& values = ratings.values;
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  ratings.codes.reserve(answers.size());
  for (const auto& answer : answers) {
    const auto at = answer ? std::lower_bound(values.begin(), values.end(), *answer) : values.end();
    ratings.codes.push_back(answer ? static_cast<int>(at - values.begin()) : kMissing);
  }
  return ratings;
}

CoefficientScore cohen_kappa(std::span<const int> a, std::span<const int> b, Weights weights) {
  if (a.size() != b.size()) return undefined("the two raters' answers differ in length");
  const Joint joint = joint_distribution(a, b);
  if (joint.items == 0) return undefined(kNoPairs);
  double observed = 0, expected = 0;
  for_each_cell(joint, weights, [&](auto i, auto j, double cell, double w) {
    observed += w * cell;
    expected += w * joint.rows[i] * joint.columns[j];
  });
  if (1 - expected < 1e-12) return undefined(kOneCategory);
  const double value = (observed - expected) / (1 - expected);
  return Coefficient{value, observed, expected,
                     cohen_standard_error(joint, weights, value, expected)};
}

CoefficientScore fleiss_kappa(const Ratings& ratings) {
  const Pool answers = pool(ratings);
  if (answers.paired == 0) return undefined(kNoPairs);
  return corrected_for_chance(answers, answers.shares);
}

CoefficientScore gwet_ac1(const Ratings& ratings) {
  const Pool answers = pool(ratings);
  if (answers.paired == 0) return undefined(kNoPairs);
  if (ratings.categories() < 2) return undefined("there is only one category");
  std::vector<double> chance;
  for (const double share : answers.shares) {
    chance.push_back((1 - share) / real(ratings.categories() - 1));
  }
  return corrected_for_chance(answers, chance);
}

Score percent_agreement(const Ratings& ratings) {
  const Pool answers = pool(ratings);
  if (answers.paired == 0) return undefined(kNoPairs);
  return answers.observed;
}

tl::expected<PairwiseMean, Undefined> pairwise_mean(const Ratings& ratings,
                                                    const PairScore& score) {
  PairwiseMean mean{0, 0, 0};
  std::string_view reason = "there is only one rater";
  for (std::size_t first = 0; first < ratings.raters; ++first) {
    for (std::size_t second = first + 1; second < ratings.raters; ++second) {
      std::vector<int> a, b;
      for (std::size_t i = 0; i < ratings.items(); ++i) {
        const auto item = ratings.item(i);
        if (item[first] < 0 || item[second] < 0) continue;
        a.push_back(item[first]);
        b.push_back(item[second]);
      }
      const Score value = score(a, b);
      ++mean.pairs;
      mean.undefined += value ? 0 : 1;
      if (value) mean.value += *value;
      if (!value) reason = value.error().reason;
    }
  }
  if (mean.pairs == mean.undefined) return undefined(reason);
  mean.value /= real(mean.pairs - mean.undefined);
  return mean;
}

}  // namespace plumb::stats
