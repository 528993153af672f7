#include "plumb/tasks/scoring.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

using testing::random_answer;
using testing::random_task;
using testing::sheet_of;
using testing::task_of;

double score_of(const Task& task, const std::vector<std::optional<Answer>>& answers,
                const MetricOptions& options = {}) {
  const auto scorer = Scorer::make(task, sheet_of(answers), options);
  EXPECT_TRUE(scorer) << (scorer ? "" : scorer.error().message);
  const auto score = scorer->score();
  EXPECT_TRUE(score) << (score ? "" : score.error().reason);
  return score.value_or(NAN);
}

// Every metric of the table that scores, with every kind of task that it serves.
template <typename Check>
void each_metric(Check check) {
  for (const stats::Metric& metric : stats::kMetrics) {
    if (metric.role != stats::Role::kScore) continue;
    for (const Kind kind : kKinds) {
      if (metric.serves(metric_kind(kind))) {
        check(kind, MetricOptions{.metric = std::string(metric.id)}, metric);
      }
    }
  }
}

TEST(Scorer, HasAFunctionForEveryMetricOfTheTable) {
  each_metric([](Kind kind, const MetricOptions& options, const stats::Metric& metric) {
    const auto found = metric_of(kind, options);
    ASSERT_TRUE(found) << metric.id << " " << kind_name(kind);
    EXPECT_EQ((*found)->id, metric.id);
  });
}

std::vector<std::optional<Answer>> constant_answers(const Task& task, const Answer& answer) {
  std::vector<std::optional<Answer>> answers;
  for (const Item& item : task.items) {
    answers.emplace_back(task.kind == Kind::kReranking ? Answer(item.gold.size(), answer[0])
                                                       : answer);
  }
  return answers;
}

// Its chance level, or no score where the metric is a correlation.
void expect_chance(const Task& task, const std::vector<std::optional<Answer>>& answers,
                   const MetricOptions& options) {
  const auto scorer = Scorer::make(task, sheet_of(answers), options);
  ASSERT_TRUE(scorer) << scorer.error().message;
  const auto score = scorer->score(), chance = scorer->chance();
  if (!chance) {  // no gold that tells anything
    EXPECT_FALSE(score) << options.metric;
  } else if (!score) {
    EXPECT_EQ(*chance, 0) << options.metric;
  } else {
    EXPECT_NEAR(*score, *chance, 1e-12) << options.metric << " " << kind_name(task.kind);
  }
}

TEST(Scorer, GivesAConstantAnswerTheChanceLevelUnderEveryMetric) {
  each_metric([](Kind kind, const MetricOptions& options, const stats::Metric&) {
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      Stream stream(trial, "constant", 0);
      const Task task = random_task(kind, 1 + stream.below(30), stream);
      expect_chance(task, constant_answers(task, random_answer(kind, stream)), options);
    }
  });
}

TEST(Scorer, GivesAnEmptyAnswerTheChanceLevelUnderEveryMetric) {
  each_metric([](Kind kind, MetricOptions options, const stats::Metric&) {
    options.missing = Missing::kUninformed;
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      Stream stream(trial, "empty", 0);
      const Task task = random_task(kind, 1 + stream.below(30), stream);
      expect_chance(task, std::vector<std::optional<Answer>>(task.items.size()), options);
    }
  });
}

TEST(Scorer, HasNoScoreForAnEmptySheetWhoseItemsAreLeftOut) {
  each_metric([](Kind kind, const MetricOptions& options, const stats::Metric&) {
    Stream stream(1, "empty", 0);
    const Task task = random_task(kind, 5, stream);
    const auto scorer = Scorer::make(
        task, sheet_of(std::vector<std::optional<Answer>>(task.items.size())), options);
    ASSERT_TRUE(scorer);
    EXPECT_EQ(scorer->scored(), 0U);
    ASSERT_FALSE(scorer->score());
    EXPECT_EQ(scorer->score().error().reason, "no item has both gold and an answer");
  });
}

// Dealing the answers of three items in all six orders, by hand.
TEST(Scorer, TakesTheChanceLevelFromTheAnswersThemselves) {
  const Task task = task_of(Kind::kClassification, {{0}, {0}, {1}});
  for (const auto& options : {MetricOptions{"accuracy"}, MetricOptions{"f1_macro"}}) {
    double sum = 0;
    const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (const auto& order : orders) {
      std::vector<std::optional<Answer>> dealt;
      for (const int answer : order) dealt.emplace_back(Answer{static_cast<double>(answer)});
      sum += score_of(task, dealt, options) / 6;
    }
    const auto scorer = Scorer::make(task, sheet_of({Answer{0}, Answer{1}, Answer{2}}), options);
    EXPECT_NEAR(*scorer->chance(), sum, 1e-12) << options.metric;
  }
}

// Two labels, all six deals of three different shares; and the value by hand: ranks 1 and 3.
TEST(Scorer, TakesAveragePrecisionOfTheSecondOfTwoLabels) {
  Task task = task_of(Kind::kClassification, {{0}, {1}, {1}});
  task.labels = {"no", "yes"};
  const MetricOptions options{.metric = "ap"};
  std::vector<std::optional<Answer>> answers = {Answer{0.5, 0.5}, Answer{0, 1}, Answer{0.8, 0.2}};
  EXPECT_NEAR(score_of(task, answers, options), (1 + 2.0 / 3) / 2, 1e-12);
  const auto chance = Scorer::make(task, sheet_of(answers), options)->chance();
  std::sort(answers.begin(), answers.end());
  double sum = 0;
  do {
    sum += score_of(task, answers, options) / 6;
  } while (std::next_permutation(answers.begin(), answers.end()));
  EXPECT_NEAR(*chance, sum, 1e-12);
  EXPECT_NEAR(score_of(task, {Answer{1}, Answer{1}, Answer{0}}, options), 0.5 * 0.5 + 0.5 * 2 / 3,
              1e-12);
  const auto three = task_of(Kind::kClassification, {{0}, {1}});
  EXPECT_EQ(Scorer::make(three, sheet_of({Answer{0}, Answer{1}}), options)->score().error().reason,
            "average precision needs a task of two labels");
}

TEST(Scorer, CountsAnItemAsOftenAsItWasDrawn) {
  each_metric([](Kind kind, const MetricOptions& options, const stats::Metric&) {
    for (std::uint64_t trial = 0; trial < 10; ++trial) {
      Stream stream(trial, "copies", 0);
      const Task task = random_task(kind, 12, stream);
      Task copied = task;
      copied.items.clear();
      std::vector<std::optional<Answer>> answers, copied_answers;
      std::vector<std::uint32_t> counts;
      for (const Item& item : task.items) {
        answers.emplace_back(random_answer(kind, stream));
        counts.push_back(static_cast<std::uint32_t>(stream.below(4)));
        copied.items.insert(copied.items.end(), counts.back(), item);
        copied_answers.insert(copied_answers.end(), counts.back(), answers.back());
      }
      const auto counted = Scorer::make(task, sheet_of(answers), options);
      const auto written = Scorer::make(copied, sheet_of(copied_answers), options);
      const auto a = counted->score(counts), b = written->score();
      ASSERT_EQ(a.has_value(), b.has_value());
      if (a) {
        EXPECT_NEAR(*a, *b, 1e-12) << options.metric;
      }
      const auto chance_a = counted->chance(counts), chance_b = written->chance();
      ASSERT_EQ(chance_a.has_value(), chance_b.has_value());
      if (chance_a) {
        EXPECT_NEAR(*chance_a, *chance_b, 1e-9) << options.metric;
      }
    }
  });
}

TEST(Scorer, StaysWithinTheRangeOfItsMetric) {
  each_metric([](Kind kind, const MetricOptions& options, const stats::Metric& metric) {
    EXPECT_TRUE(rc::check([&] {
      Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "range", 0);
      const Task task = random_task(kind, 1 + stream.below(20), stream);
      std::vector<std::optional<Answer>> answers;
      for (std::size_t i = 0; i < task.items.size(); ++i) {
        answers.emplace_back(random_answer(kind, stream));
      }
      const auto scorer = Scorer::make(task, sheet_of(answers), options);
      const auto score = scorer->score();
      if (score) RC_ASSERT(metric.low - 1e-12 <= *score && *score <= metric.high + 1e-12);
    }));
  });
}

// Vote 1 of 2 for the right label.
TEST(Scorer, TakesASpreadAnswerByExpectation) {
  const Task task = task_of(Kind::kClassification, {{0}, {1}});
  EXPECT_EQ(score_of(task, {Answer{0.5, 0.5, 0}, Answer{1}}), 0.75);
}

TEST(Scorer, CountsAPreferenceTieAsHalfRightAndLeavesOutGoldTies) {
  const Task task = task_of(Kind::kPreference, {{0, 1}, {1, 1}, {1, 0}, {2, 0}});
  EXPECT_EQ(score_of(task, {Answer{0, 1}, Answer{2, 0}, Answer{0, 1}, Answer{0, 1}}), 0.5);
}

TEST(Scorer, RefusesAnAnswerOfAnotherShapeAndNamesTheItem) {
  const Task task = task_of(Kind::kReranking, {{1, 0}, {0, 1}});
  const auto scorer = Scorer::make(task, sheet_of({Answer{1, 0}, Answer{1, 0, 0}}), {});
  ASSERT_FALSE(scorer);
  EXPECT_EQ(scorer.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(scorer.error().message.find("item i1"), std::string::npos);
}

TEST(Scorer, NamesTheMetricsOfTheKindForAnUnknownOne) {
  const auto metric = metric_of(Kind::kSts, {.metric = "accuracy"});
  ASSERT_FALSE(metric);
  EXPECT_EQ(metric.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(metric.error().message,
            "no metric 'accuracy' for sts tasks; there are spearman, pearson, kendall_tau_b");
}

TEST(ChanceNormalised, IsZeroAtChanceAndOneAtTheTop) {
  EXPECT_EQ(*chance_normalised(0.25, 0.25), 0);
  EXPECT_EQ(*chance_normalised(1, 0.25), 1);
  EXPECT_EQ(*chance_normalised(0.5, 0), 0.5);
  EXPECT_FALSE(chance_normalised(1, 1));
}

}  // namespace
}  // namespace plumb::tasks
