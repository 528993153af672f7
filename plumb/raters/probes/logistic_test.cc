#include "plumb/raters/probes/logistic.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "plumb/raters/testing.h"

namespace plumb::raters {
namespace {

// The definition, written out: the loss of a model on its training rows.
double loss(const LogisticModel& model, const Vectors& training, std::span<const int> labels,
            double inverse_penalty) {
  const std::size_t outputs = model.intercepts.size(), d = training.dimension();
  double sum = 0;
  for (const double w : model.weights) sum += w * w / (2 * inverse_penalty);
  for (std::size_t i = 0; i < training.rows(); ++i) {
    std::vector<double> scores;
    for (std::size_t k = 0; k < outputs; ++k) {
      scores.push_back(training.dot(i, std::span(model.weights).subspan(k * d, d)) +
                       model.intercepts[k]);
    }
    if (outputs == 1) scores.insert(scores.begin(), 0);
    double total = 0, right = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      total += std::exp(scores[k]);
      if (model.labels[k] == labels[i]) right = scores[k];
    }
    sum += std::log(total) - right;
  }
  return sum;
}

// By central differences, the greatest over all parameters.
double greatest_slope(LogisticModel model, const Vectors& training, std::span<const int> labels,
                      double inverse_penalty) {
  constexpr double kStep = 1e-4;
  double greatest = 0;
  for (auto* parameters : {&model.weights, &model.intercepts}) {
    for (double& parameter : *parameters) {
      const double at = parameter;
      parameter = at + kStep;
      const double above = loss(model, training, labels, inverse_penalty);
      parameter = at - kStep;
      const double below = loss(model, training, labels, inverse_penalty);
      parameter = at;
      greatest = std::max(greatest, std::abs(above - below) / (2 * kStep));
    }
  }
  return greatest;
}

std::vector<int> predict_all(const LogisticModel& model, const Vectors& vectors, int threads = 0) {
  return predict({&model, 1}, vectors, testing::all_rows(vectors), threads)[0];
}

struct Problem {
  Vectors training, test;
  std::vector<int> labels;
};

Problem problem_of(const nlohmann::json& c) {
  const std::size_t d = c["dimension"], n = c["train_labels"].size();
  const auto values = c["vectors"].get<std::vector<float>>();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n * d);
  return {Vectors::dense(d, {values.begin(), middle}), Vectors::dense(d, {middle, values.end()}),
          c["train_labels"].get<std::vector<int>>()};
}

void expect_parameters(const LogisticModel& model, const nlohmann::json& weights,
                       const nlohmann::json& intercepts, double tolerance) {
  const std::size_t dimension = model.weights.size() / model.intercepts.size();
  ASSERT_EQ(model.intercepts.size(), intercepts.size());
  for (std::size_t k = 0; k < intercepts.size(); ++k) {
    EXPECT_NEAR(model.intercepts[k], intercepts[k].get<double>(), tolerance);
    EXPECT_NEAR(model.weights[k * dimension], weights[k].get<double>(), tolerance);
  }
}

// Origin: Newton's method in NumPy, see the script. Where the classes are far apart the loss is so
// flat in the intercepts that double tells them apart to 1e-5 only.
TEST(Logistic, FindsTheOptimum) {
  for (const auto& c : testing::golden("probe_classification.json", "cases")) {
    const Problem problem = problem_of(c);
    const auto model = fit_logistic(problem.training, problem.labels, {});
    ASSERT_TRUE(model);
    EXPECT_TRUE(model->converged);
    expect_parameters(*model, c["all"]["weights"], c["all"]["intercepts"], 1e-5);
    EXPECT_EQ(predict_all(*model, problem.test), c["all"]["exact"].get<std::vector<int>>());
  }
}

TEST(Logistic, StopsWhereScikitLearnStops) {
  for (const auto& c : testing::golden("probe_classification.json", "cases")) {
    const Problem problem = problem_of(c);
    const auto model = fit_logistic(problem.training, problem.labels, {.stop = Stop::kScikitLearn});
    ASSERT_TRUE(model);
    expect_parameters(*model, c["all"]["usual_weights"], c["all"]["usual_intercepts"], 1e-6);
    EXPECT_EQ(predict_all(*model, problem.test), c["all"]["usual"].get<std::vector<int>>());
  }
}

// Both the reduced problem (fewer rows than dimensions) and the whole one, with repeated rows.
RC_GTEST_PROP(Logistic, HasNoSlopeAtTheOptimum, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "logistic test", 0);
  const int classes = *rc::gen::inRange(2, 5);
  const auto n = *rc::gen::inRange<std::size_t>(5, 30);
  const auto dimension = *rc::gen::inRange<std::size_t>(1, 40);
  const double inverse_penalty = *rc::gen::element(0.1, 1.0, 10.0);
  auto labels = testing::random_labels(n, classes, stream);
  Vectors training = testing::clouds(labels, dimension, stream);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < n; ++i) rows.push_back(i < n - 2 ? i : 0);
  training = training.select(rows);
  if (*rc::gen::arbitrary<bool>()) training = testing::as_sparse(training);
  const auto model = fit_logistic(training, labels, {.inverse_penalty = inverse_penalty});
  RC_ASSERT(model.has_value());
  RC_ASSERT(greatest_slope(*model, training, labels, inverse_penalty) < 1e-5);
}

TEST(Logistic, GivesTheSameBytesWithAnyNumberOfThreads) {
  Stream stream(3, "logistic test", 0);
  const auto labels = testing::random_labels(1500, 4, stream);
  const Vectors training = testing::clouds(labels, 12, stream);
  const auto one = fit_logistic(training, labels, {.threads = 1});
  const auto two = fit_logistic(training, labels, {.threads = 2});
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->weights, two->weights);
  EXPECT_EQ(one->intercepts, two->intercepts);
  EXPECT_EQ(predict_all(*one, training, 1), predict_all(*two, training, 2));
}

TEST(Logistic, GivesTheSameAnswersDenseAndSparse) {
  Stream stream(4, "logistic test", 0);
  for (const std::size_t n : {20, 200}) {
    const auto labels = testing::random_labels(n, 3, stream);
    const Vectors dense = testing::clouds(labels, 30, stream), sparse = testing::as_sparse(dense);
    const auto a = fit_logistic(dense, labels, {}), b = fit_logistic(sparse, labels, {});
    ASSERT_TRUE(a && b);
    for (std::size_t i = 0; i < a->weights.size(); ++i) {
      EXPECT_NEAR(a->weights[i], b->weights[i], 1e-6);
    }
    EXPECT_EQ(predict_all(*a, dense), predict_all(*b, sparse));
  }
}

// The scores of the first row lie nearer than float tells apart.
RC_GTEST_PROP(Logistic, PredictsWhatTheScoresInDoubleSay, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "logistic test", 1);
  const auto classes = *rc::gen::inRange<std::size_t>(2, 5);
  const std::size_t dimension = *rc::gen::inRange<std::size_t>(1, 40), n = 60;
  const std::size_t outputs = classes == 2 ? 1 : classes;
  LogisticModel model;
  for (std::size_t k = 0; k < classes; ++k) model.labels.push_back(static_cast<int>(3 * k));
  const double size = *rc::gen::element(1e-30, 1.0, 1e30);
  for (std::size_t i = 0; i < outputs * dimension; ++i) {
    model.weights.push_back(size * (stream.uniform() - 0.5));
  }
  model.intercepts.assign(outputs, 0);
  std::vector<float> values;
  for (std::size_t i = 0; i < n * dimension; ++i) {
    values.push_back(static_cast<float>(stream.uniform()));
  }
  const Vectors rows = Vectors::dense(dimension, values);
  for (std::size_t k = 0; k < outputs; ++k) {
    model.intercepts[k] =
        -rows.dot(0, std::span(model.weights).subspan(k * dimension, dimension)) * (1 + 1e-9);
  }
  std::vector<int> expected;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> scores;
    for (std::size_t k = 0; k < outputs; ++k) {
      double sum = 0;
      for (std::size_t p = 0; p < dimension; ++p) {
        sum += static_cast<double>(rows.dense_row(i)[p]) * model.weights[k * dimension + p];
      }
      scores.push_back(sum + model.intercepts[k]);
    }
    if (outputs == 1) scores.insert(scores.begin(), 0);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    expected.push_back(model.labels[static_cast<std::size_t>(best)]);
  }
  RC_ASSERT(predict_all(model, rows) == expected);
  RC_ASSERT(predict_all(model, testing::as_sparse(rows)) == expected);
}

// By symmetry both scores are 0 where x is 0: the first class, as scikit-learn has it.
TEST(Logistic, GivesEqualScoresToTheFirstClass) {
  const Vectors training = Vectors::dense(1, {-1, 1}), middle = Vectors::dense(1, {0});
  const auto model = fit_logistic(training, std::vector<int>{3, 5}, {});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->intercepts[0], 0);
  EXPECT_EQ(predict_all(*model, middle), std::vector<int>{3});
  EXPECT_EQ(predict_all(*model, training), (std::vector<int>{3, 5}));
}

// All vectors alike, or of zeros: the intercepts answer with the most frequent class.
TEST(Logistic, AnswersTheMostFrequentClassWhereVectorsSayNothing) {
  const std::vector<int> labels = {0, 1, 1, 2};
  for (const float value : {0.0F, 2.5F}) {
    const Vectors training = Vectors::dense(6, std::vector<float>(24, value));
    const auto model = fit_logistic(training, labels, {});
    ASSERT_TRUE(model);
    EXPECT_EQ(predict_all(*model, training), (std::vector<int>{1, 1, 1, 1}));
  }
}

TEST(Logistic, NeedsTwoLabels) {
  const Vectors training = Vectors::dense(1, {1, 2});
  EXPECT_EQ(fit_logistic(training, std::vector<int>{4, 4}, {}).error().message,
            "the 2 training items have 1 label; a classifier needs two or more");
}

}  // namespace
}  // namespace plumb::raters
