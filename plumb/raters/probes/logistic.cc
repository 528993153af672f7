#include "plumb/raters/probes/logistic.h"

#include <fmt/format.h>
#include <lbfgs.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/coordinates.h"
#include "plumb/raters/probes/matrix.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kBlock = 512;          // samples that one thread takes at a time
constexpr std::size_t kReduceAtMost = 1024;  // samples
constexpr double kTolerance = 1e-4;          // scikit-learn's default, of the gradient's components

double greatest_component(std::span<const double> gradient) {
  double greatest = 0;
  for (const double g : gradient) greatest = std::max(greatest, std::abs(g));
  return greatest;
}

// The samples as a linear map, both ways. weights, gradient: [outputs, dimension]; scores,
// residuals: [outputs, count] of the block.
class Design {
 public:
  Design() = default;
  Design(const Design&) = delete;
  Design& operator=(const Design&) = delete;
  virtual ~Design() = default;

  virtual std::size_t dimension() const = 0;
  virtual void scores(std::size_t block, std::span<const double> weights,
                      std::span<double> scores) const = 0;
  // Sets gradient = residuals * samples.
  virtual void gradient(std::size_t block, std::span<const double> residuals,
                        std::span<double> gradient) const = 0;
  // The greatest component of a gradient of the weights, in the dimensions of the samples; exact up
  // to kTolerance, above which it is enough to be above.
  virtual double greatest(std::span<const double> gradient) const {
    return greatest_component(gradient);
  }
};

std::size_t blocks_of(std::size_t samples) { return (samples + kBlock - 1) / kBlock; }

class DenseDesign : public Design {
 public:
  // values: [samples, dimension]
  DenseDesign(std::span<const double> values, std::size_t dimension) : dimension_(dimension) {
    for (std::size_t begin = 0; begin < values.size(); begin += kBlock * dimension) {
      const auto some = values.subspan(begin, std::min(kBlock * dimension, values.size() - begin));
      across_samples_.push_back(Panels<double>::of_columns(some, dimension));
      across_features_.push_back(Panels<double>::of_rows(some, dimension));
    }
  }

  std::size_t dimension() const override { return dimension_; }
  void scores(std::size_t block, std::span<const double> weights,
              std::span<double> scores) const override {
    multiply(weights, across_samples_[block], scores);
  }
  void gradient(std::size_t block, std::span<const double> residuals,
                std::span<double> gradient) const override {
    multiply(residuals, across_features_[block], gradient);
  }

 private:
  std::size_t dimension_;
  std::vector<Panels<double>> across_samples_, across_features_;
};

class SparseDesign : public Design {
 public:
  explicit SparseDesign(const Vectors& vectors) : vectors_(vectors) {}

  std::size_t dimension() const override { return vectors_.dimension(); }
  void scores(std::size_t block, std::span<const double> weights,
              std::span<double> scores) const override {
    const std::size_t begin = block * kBlock, count = std::min(kBlock, vectors_.rows() - begin);
    for (std::size_t k = 0; k * count < scores.size(); ++k) {
      const auto of_output = weights.subspan(k * dimension(), dimension());
      for (std::size_t i = 0; i < count; ++i) {
        scores[k * count + i] = vectors_.dot(begin + i, of_output);
      }
    }
  }
  void gradient(std::size_t block, std::span<const double> residuals,
                std::span<double> gradient) const override {
    const std::size_t begin = block * kBlock, count = std::min(kBlock, vectors_.rows() - begin);
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t k = 0; k * count < residuals.size(); ++k) {
      const auto of_output = gradient.subspan(k * dimension(), dimension());
      for (std::size_t i = 0; i < count; ++i) {
        vectors_.add_to(begin + i, residuals[k * count + i], of_output);
      }
    }
  }

 private:
  const Vectors& vectors_;
};

// The samples by their coordinates, where there are fewer of them than dimensions. The penalty sees
// lengths alone, so the loss is the same there; and so are the steps of L-BFGS, which starts from a
// multiple of the identity.
class SpanDesign : public DenseDesign {
 public:
  SpanDesign(const Coordinates& coordinates, const Vectors& vectors)
      : DenseDesign(coordinates.values, coordinates.rank),
        coordinates_(coordinates),
        vectors_(vectors) {}

  double greatest(std::span<const double> gradient) const override {
    double squares = 0;
    for (const double g : gradient) squares += g * g;
    const std::size_t outputs = gradient.size() / dimension();
    const auto components = static_cast<double>(outputs * vectors_.dimension());
    const double least = std::sqrt(squares / components);
    if (least > kTolerance) return least;
    const double first =
        greatest_component(coordinates_.whole(gradient.first(dimension()), vectors_));
    if (first > kTolerance) return first;
    return std::max(
        first, greatest_component(coordinates_.whole(gradient.subspan(dimension()), vectors_)));
  }

 private:
  const Coordinates& coordinates_;
  const Vectors& vectors_;
};

std::vector<double> widened(const Vectors& vectors) {
  return {vectors.dense_values().begin(), vectors.dense_values().end()};
}

// The losses below turn scores [outputs, count] into residuals, the derivative of the loss by each
// score, and return the sum of the losses.

// The second class (1) against the first: log(1 + exp(-+ score)).
double logistic_loss(std::span<const int> classes, std::span<double> scores) {
  double loss = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const double towards = classes[i] == 1 ? scores[i] : -scores[i];
    const double small = std::exp(-std::abs(towards));
    loss += std::log1p(small) + std::max(-towards, 0.0);
    const double wrong = (towards > 0 ? small : 1) / (1 + small);
    scores[i] = classes[i] == 1 ? -wrong : wrong;
  }
  return loss;
}

double softmax_loss(std::span<const int> classes, std::span<double> scores) {
  const std::size_t count = classes.size(), outputs = scores.size() / count;
  double loss = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto right = static_cast<std::size_t>(classes[i]);
    double greatest = scores[i], sum = 0;
    for (std::size_t k = 1; k < outputs; ++k) greatest = std::max(greatest, scores[k * count + i]);
    loss += greatest - scores[right * count + i];
    for (std::size_t k = 0; k < outputs; ++k) {
      sum += scores[k * count + i] = std::exp(scores[k * count + i] - greatest);
    }
    loss += std::log(sum);
    for (std::size_t k = 0; k < outputs; ++k) scores[k * count + i] /= sum;
    scores[right * count + i] -= 1;
  }
  return loss;
}

class Objective {
 public:
  Objective(const Design& design, std::span<const int> classes, std::size_t outputs,
            const LogisticOptions& options)
      : design_(design), classes_(classes), outputs_(outputs), options_(options) {
    blocks_.resize(blocks_of(classes.size()));
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const std::size_t count = std::min(kBlock, classes.size() - b * kBlock);
      blocks_[b] = {classes.subspan(b * kBlock, count), std::vector<double>(outputs * count),
                    std::vector<double>(weights()), 0};
    }
  }

  std::size_t weights() const { return outputs_ * design_.dimension(); }
  std::size_t parameters() const { return weights() + outputs_; }

  // Of the samples' own dimensions, see Design.
  double greatest(std::span<const double> gradient) const {
    return std::max(design_.greatest(gradient.first(weights())),
                    greatest_component(gradient.subspan(weights())));
  }

  // parameters: the weights [outputs, dimension], then the intercepts.
  double operator()(std::span<const double> parameters, std::span<double> gradient) {
    parallel_for(blocks_.size(), 1, options_.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin; b < end; ++b) evaluate_block(b, parameters);
    });
    double loss = 0;
    const std::size_t count = weights();
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t w = 0; w < count; ++w) {
      gradient[w] = parameters[w] / options_.inverse_penalty;
      loss += parameters[w] * gradient[w] / 2;
    }
    for (const Block& block : blocks_) {
      loss += block.loss;
      for (std::size_t w = 0; w < count; ++w) gradient[w] += block.gradient[w];
      for (std::size_t k = 0; k < outputs_; ++k) {
        for (const double residual : residuals_of(block, k)) gradient[count + k] += residual;
      }
    }
    return loss;
  }

 private:
  struct Block {
    std::span<const int> classes;
    std::vector<double> scores;  // then residuals
    std::vector<double> gradient;
    double loss;
  };

  static std::span<const double> residuals_of(const Block& block, std::size_t output) {
    const std::size_t count = block.classes.size();
    return std::span(block.scores).subspan(output * count, count);
  }

  void evaluate_block(std::size_t b, std::span<const double> parameters) {
    Block& block = blocks_[b];
    const std::size_t count = block.classes.size();
    design_.scores(b, parameters.first(weights()), block.scores);
    for (std::size_t k = 0; k < outputs_; ++k) {
      for (std::size_t i = 0; i < count; ++i) {
        block.scores[k * count + i] += parameters[weights() + k];
      }
    }
    block.loss = outputs_ == 1 ? logistic_loss(block.classes, block.scores)
                               : softmax_loss(block.classes, block.scores);
    design_.gradient(b, block.scores, block.gradient);
  }

  const Design& design_;
  std::span<const int> classes_;
  std::size_t outputs_;
  const LogisticOptions& options_;
  std::vector<Block> blocks_;
};

struct Search {
  Objective& objective;
  double loss;
  bool flat = false;  // at the last step
};

double evaluate(void* instance, const double* parameters, double* gradient, int count, double) {
  const auto n = static_cast<std::size_t>(count);
  return (static_cast<Search*>(instance)->objective)({parameters, n}, {gradient, n});
}

// After each step. SciPy 1.10's L-BFGS-B, as scikit-learn 1.2 calls it.
int stop_as_scikit_learn(void* instance, const double*, const double* gradient, double loss, double,
                         double, double, int count, int, int) {
  constexpr double kLeastDecrease = 2.2204460492503131e-9;
  auto& search = *static_cast<Search*>(instance);
  const double before = std::exchange(search.loss, loss);
  const double size = std::max({std::abs(before), std::abs(loss), 1.0});
  search.flat =
      search.objective.greatest({gradient, static_cast<std::size_t>(count)}) <= kTolerance;
  return search.flat || before - loss <= kLeastDecrease * size;
}

lbfgs_parameter_t search_parameters(const LogisticOptions& options) {
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = 10;
  parameters.epsilon = options.stop == Stop::kOptimum ? 1e-8 : 1e-300;
  parameters.ftol = 1e-3;  // as SciPy's
  if (options.stop == Stop::kScikitLearn) parameters.xtol = 0.1;
  parameters.max_iterations = options.stop == Stop::kOptimum ? 1000 : 100;
  return parameters;
}

Result<std::vector<double>> minimise(Objective& objective, const LogisticOptions& options,
                                     bool& converged) {
  const std::size_t count = objective.parameters();
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max() - 64)) {
    return fail(ErrorKind::kExhausted,
                fmt::format("logistic regression with {} parameters is too large; use fewer labels "
                            "or vectors of a lower dimension",
                            count));
  }
  const auto n = static_cast<int>(count);
  const std::unique_ptr<double, void (*)(double*)> point(lbfgs_malloc(n), lbfgs_free);
  if (point == nullptr) return fail(ErrorKind::kExhausted, "out of memory in logistic regression");
  std::fill_n(point.get(), n, 0.0);
  std::vector<double> result(count), gradient(count);
  Search search{objective, objective(result, gradient)};
  if (options.stop == Stop::kScikitLearn && objective.greatest(gradient) <= kTolerance) {
    converged = true;
    return result;
  }
  auto parameters = search_parameters(options);
  // At the limit of rounding a line search fails: the gradient tells whether that is the minimum.
  if (lbfgs(n, point.get(), nullptr, evaluate,
            options.stop == Stop::kScikitLearn ? stop_as_scikit_learn : nullptr, &search,
            &parameters) == LBFGSERR_OUTOFMEMORY) {
    return fail(ErrorKind::kExhausted, "out of memory in logistic regression");
  }
  result.assign(point.get(), point.get() + n);
  if (options.stop == Stop::kOptimum) {
    objective(result, gradient);
    search.flat = objective.greatest(gradient) <= kTolerance;
  }
  converged = search.flat;
  return result;
}

Result<LogisticModel> fit_reduced(const Vectors& training, std::span<const int> classes,
                                  std::size_t outputs, const LogisticOptions& options) {
  LogisticModel model;
  const Coordinates coordinates = coordinates_of(training);
  const SpanDesign design(coordinates, training);
  Objective objective(design, classes, outputs, options);
  PLUMB_TRY(point, minimise(objective, options, model.converged));
  model.intercepts.assign(point.end() - static_cast<std::ptrdiff_t>(outputs), point.end());
  model.weights = coordinates.whole(std::span(point).first(outputs * coordinates.rank), training);
  return model;
}

Result<LogisticModel> fit_whole(const Vectors& training, std::span<const int> classes,
                                std::size_t outputs, const LogisticOptions& options) {
  LogisticModel model;
  const std::unique_ptr<Design> design =
      training.is_dense()
          ? std::unique_ptr<Design>(new DenseDesign(widened(training), training.dimension()))
          : std::unique_ptr<Design>(new SparseDesign(training));
  Objective objective(*design, classes, outputs, options);
  PLUMB_TRY(point, minimise(objective, options, model.converged));
  const auto intercepts = point.end() - static_cast<std::ptrdiff_t>(outputs);
  model.weights.assign(point.begin(), intercepts);
  model.intercepts.assign(intercepts, point.end());
  return model;
}

}  // namespace

Result<LogisticModel> fit_logistic(const Vectors& training, std::span<const int> labels,
                                   const LogisticOptions& options) {
  std::vector<int> distinct(labels.begin(), labels.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() < 2) {
    return fail(ErrorKind::kBadInput,
                fmt::format("the {} training items have {} label{}; a classifier needs two or more",
                            labels.size(), distinct.size(), distinct.size() == 1 ? "" : "s"));
  }
  std::vector<int> classes;
  for (const int label : labels) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), label);
    classes.push_back(static_cast<int>(found - distinct.begin()));
  }
  const std::size_t outputs = distinct.size() == 2 ? 1 : distinct.size();
  // scikit-learn's few steps pay for the basis only where it is much smaller.
  const std::size_t times = options.stop == Stop::kScikitLearn ? 4 : 1;
  const bool reduce =
      times * training.rows() < training.dimension() && training.rows() <= kReduceAtMost;
  auto model = reduce ? fit_reduced(training, classes, outputs, options)
                      : fit_whole(training, classes, outputs, options);
  if (model) model->labels = std::move(distinct);
  return model;
}

}  // namespace plumb::raters
