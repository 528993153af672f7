#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/centres.h"
#include "plumb/raters/probes/logistic.h"
#include "plumb/raters/probes/matrix.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kRowsAtATime = 128;

// The first of the greatest, and by how much it is above the others.
struct Lead {
  std::size_t place;
  double margin;
};

template <typename T>
Lead lead_of(const LogisticModel& model, const T* scores) {
  const auto score = [&](std::size_t k) {
    return static_cast<double>(scores[k]) + model.intercepts[k];
  };
  double first = score(0), second = -std::numeric_limits<double>::infinity();
  if (model.labels.size() == 2) return {first > 0 ? 1U : 0U, std::abs(first)};
  std::size_t best = 0;
  for (std::size_t k = 1; k < model.labels.size(); ++k) {
    const double other = score(k);
    second = std::max(second, std::min(first, other));
    if (other > first) {
      first = other;
      best = k;
    }
  }
  return {best, first - second};
}

// Of a row: by the widest registers, as the sums of `dot_rows`.
double length(std::span<const float> row) {
  constexpr std::size_t kFirst = 0;
  double square = 0;
  dot_rows(row, row, {&kFirst, 1}, {&square, 1});
  return std::sqrt(square);
}

double length(std::span<const double> values) { return std::sqrt(sum_of_squares(values)); }

// The greatest lengths of a model's weights and intercepts: what bounds the rounding of its scores.
struct Size {
  double weights = 0, intercepts = 0;
};

Size size_of(const LogisticModel& model, std::size_t dimension) {
  Size size;
  for (std::size_t k = 0; k < model.intercepts.size(); ++k) {
    const auto weights = std::span(model.weights).subspan(k * dimension, dimension);
    size.weights = std::max(size.weights, length(weights));
    size.intercepts = std::max(size.intercepts, std::abs(model.intercepts[k]));
  }
  return size;
}

// How far two scores in float may move against each other when they are taken in double: a sum of n
// products is off by n + 1 roundings of |x| |w| (Higham 2002, section 3.1); what underflows is less
// than the last term.
double rounding(const Size& model, double row, std::size_t dimension) {
  constexpr double kFloat = std::numeric_limits<float>::epsilon() / 2.0;
  constexpr double kDouble = std::numeric_limits<double>::epsilon();
  const auto n = static_cast<double>(dimension);
  return 2.1 * (n + 8) * kFloat * row * model.weights + 4 * kDouble * model.intercepts +
         n * (1 + row) * static_cast<double>(std::numeric_limits<float>::min());
}

// The scores as `multiply` would take them.
std::size_t label_in_double(const LogisticModel& model, std::span<const float> row) {
  std::vector<double> scores(model.intercepts.size());
  for (std::size_t p = 0; p < row.size(); ++p) {
    const auto x = static_cast<double>(row[p]);
    for (std::size_t k = 0; k < scores.size(); ++k) {
      scores[k] += x * model.weights[k * row.size() + p];
    }
  }
  return lead_of(model, scores.data()).place;
}

using Rows = std::span<const std::size_t>;

template <typename T>
Panels<T> all_weights(std::span<const LogisticModel> models, std::size_t dimension) {
  std::vector<T> weights;
  for (const LogisticModel& model : models) {
    for (const double weight : model.weights) weights.push_back(static_cast<T>(weight));
  }
  return Panels<T>::of_columns(weights, dimension);
}

// Calls body(i, scores) for each of the rows, with the scores of all models, summed in T.
template <typename T, typename Body>
void each_row(std::span<const LogisticModel> models, const Vectors& vectors, Rows rows, int threads,
              const Body& body) {
  const auto panels = all_weights<T>(models, vectors.dimension());
  parallel_for(rows.size(), kRowsAtATime, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<T> scores((end - begin) * panels.columns());
    products(vectors, rows.subspan(begin, end - begin), panels, std::span(scores));
    for (std::size_t i = begin; i < end; ++i) {
      body(i, scores.data() + (i - begin) * panels.columns());
    }
  });
}

// In float, which is twice as fast; where that leaves a doubt, in double.
void predict_dense(std::span<const LogisticModel> models, const Vectors& vectors, Rows rows,
                   int threads, std::span<std::vector<int>> labels) {
  std::vector<Size> sizes;
  for (const auto& model : models) sizes.push_back(size_of(model, vectors.dimension()));
  each_row<float>(models, vectors, rows, threads, [&](std::size_t i, const float* scores) {
    const auto row = vectors.dense_row(rows[i]);
    const double norm = length(row);
    for (std::size_t m = 0; m < models.size(); ++m) {
      const Lead lead = lead_of(models[m], scores);
      const bool sure =
          lead.margin > rounding(sizes[m], norm, row.size()) && std::isfinite(lead.margin);
      labels[m][i] = models[m].labels[sure ? lead.place : label_in_double(models[m], row)];
      scores += models[m].intercepts.size();
    }
  });
}

void predict_sparse(std::span<const LogisticModel> models, const Vectors& vectors, Rows rows,
                    int threads, std::span<std::vector<int>> labels) {
  each_row<double>(models, vectors, rows, threads, [&](std::size_t i, const double* scores) {
    for (std::size_t m = 0; m < models.size(); ++m) {
      labels[m][i] = models[m].labels[lead_of(models[m], scores).place];
      scores += models[m].intercepts.size();
    }
  });
}

}  // namespace

std::vector<std::vector<int>> predict(std::span<const LogisticModel> models, const Vectors& vectors,
                                      std::span<const std::size_t> rows, int threads) {
  std::vector<std::vector<int>> labels(models.size(), std::vector<int>(rows.size()));
  if (models.empty() || rows.empty()) return labels;
  const auto predict_rows = vectors.is_dense() ? predict_dense : predict_sparse;
  predict_rows(models, vectors, rows, threads, labels);
  return labels;
}

}  // namespace plumb::raters
