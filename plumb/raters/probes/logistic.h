// Logistic regression as scikit-learn's LogisticRegression(C=1.0) defines it: the least of
//   sum of log losses + |weights|^2 / (2 C),
// the intercepts free. Two classes have one weight vector and the logistic loss; more have one each
// and the softmax. The minimum is unique up to a shift common to all intercepts; here they sum to
// 0. It is found by libLBFGS from weights of zero.
//
//   PLUMB_TRY(model, fit_logistic(training, labels, {}));
//   std::vector<std::vector<int>> labels = predict({&model, 1}, test, rows, 0);
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters {

enum class Stop {
  kOptimum,      // at the minimum, as far as the loss can be told apart in double
  kScikitLearn,  // where scikit-learn 1.2 stops with max_iter=100, tol=1e-4: after the same steps,
                 // up to rounding
};

struct LogisticOptions {
  double inverse_penalty = 1;  // C; above 0
  Stop stop = Stop::kOptimum;
  int threads = 0;
};

struct LogisticModel {
  std::vector<int> labels;         // [classes] those of the training rows, ascending
  std::vector<double> weights;     // [outputs, dimension]; outputs: 1 for two classes
  std::vector<double> intercepts;  // [outputs]
  bool converged = false;          // no component of the gradient is above 1e-4
};

// training: [n, dimension]; labels: [n], not negative. kBadInput: all labels are the same, or there
// is none. kExhausted: the problem has more than 2^31 parameters. The same bytes whatever the
// threads.
Result<LogisticModel> fit_logistic(const Vectors& training, std::span<const int> labels,
                                   const LogisticOptions& options);

// [models][rows], for these rows of the vectors: the label of the greatest score, the first of
// equals; of two labels the second where the score is above 0. REQUIRES: the vectors have the
// models' dimension.
std::vector<std::vector<int>> predict(std::span<const LogisticModel> models, const Vectors& vectors,
                                      std::span<const std::size_t> rows, int threads);

}  // namespace plumb::raters
