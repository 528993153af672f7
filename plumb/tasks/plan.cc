#include "plumb/tasks/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/intervals.h"

namespace plumb::tasks {
namespace {

constexpr std::size_t kSkills = 33;        // of the curve from skill to expected score
constexpr std::size_t kCurveItems = 400;   // at most, that it is estimated on
constexpr std::size_t kCurveRepeats = 40;  // raters for each point
constexpr std::size_t kFewRatings = 20;    // that gold takes: a scale of steps

double normal(Stream& stream) {
  return stats::normal_quantile((static_cast<double>(stream.next() >> 11) + 0.5) * 0x1.0p-53);
}

// What a rater does who does not know.
Answer guess(const Task& task, const Item& item, std::size_t groups, Stream& stream) {
  if (task.kind == Kind::kClassification) {
    return {static_cast<double>(stream.below(task.labels.size()))};
  }
  if (task.kind == Kind::kClustering) return {static_cast<double>(stream.below(groups))};
  Answer answer = item.gold;
  answer[0] = static_cast<double>(stream.below(2));
  return answer;
}

bool has_noisy_answers(Kind kind) { return kind == Kind::kSts || kind == Kind::kReranking; }

// Raters who answer the items of one task, made from its gold.
class Simulation {
 public:
  Simulation(const Task& task, const PlanOptions& options) : options_(options) {
    std::set<double> values;
    for (const Item& item : task.items) {
      if (item.gold.empty()) continue;
      pool_.push_back(&item);
      values.insert(item.gold.begin(), item.gold.end());
    }
    frame_ = task;
    frame_.items.clear();
    frame_.train.clear();
    groups_ = std::max<std::size_t>(values.size(), 1);
    range_ = values.empty() ? 0 : *values.rbegin() - *values.begin();
    if (task.kind == Kind::kSts && values.size() <= kFewRatings) {
      steps_.assign(values.begin(), values.end());
    }
  }

  std::size_t pool() const { return pool_.size(); }

  // `items` of the pool, each as often as it takes.
  Task draw(std::size_t items, Stream& stream) const {
    Task task = frame_;
    std::vector<std::size_t> order(pool_.size());
    for (std::size_t i = 0; i < items; ++i) {
      const std::size_t place = i % order.size();
      if (place == 0) {
        for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
        shuffle(std::span(order), stream);
      }
      task.items.push_back(*pool_[order[place]]);
    }
    return task;
  }

  // Everyone's part of what makes an item hard: one number an item, or one a document.
  std::vector<double> difficulties(const Task& task, Stream& stream) const {
    std::vector<double> result;
    for (const Item& item : task.items) {
      for (std::size_t k = 0; k < item.gold.size(); ++k) result.push_back(normal(stream));
    }
    return result;
  }

  // skill: 0 knows nothing, 1 everything.
  AnswerSheet answer(const Task& task, double skill, std::span<const double> difficulties,
                     Stream& stream) const {
    AnswerSheet sheet;
    const double common = std::sqrt(options_.correlation),
                 own = std::sqrt(1 - options_.correlation);
    const double noise = range_ * (1 - skill) / std::max(skill, 1e-6);
    std::size_t at = 0;
    for (const Item& item : task.items) {
      Answer answer = item.gold;
      if (has_noisy_answers(task.kind)) {
        for (double& value : answer) {
          value = rating(value + noise * (common * difficulties[at++] + own * normal(stream)));
        }
      } else {
        const double place = common * difficulties[at] + own * normal(stream);
        at += item.gold.size();
        if (stats::normal_cdf(place) >= skill) answer = guess(task, item, groups_, stream);
      }
      sheet.answers.emplace_back(std::move(answer));
    }
    return sheet;
  }

  stats::Score score(const Task& task, const AnswerSheet& sheet) const {
    const auto scorer = Scorer::make(task, sheet, options_.metric);
    return scorer ? scorer->score() : stats::undefined(scorer.error().message);
  }

  // What the answers earn in any order: exact, where guesses earn it on average.
  stats::Score chance(const Task& task, const AnswerSheet& sheet) const {
    const auto scorer = Scorer::make(task, sheet, options_.metric);
    return scorer ? scorer->chance() : stats::undefined(scorer.error().message);
  }

 private:
  // The nearest step of the scale, if it has steps. Answers that were all different could not
  // correlate perfectly with gold of few values, whatever the skill.
  double rating(double value) const {
    if (steps_.empty()) return value;
    return *std::ranges::min_element(steps_, {}, [value](double s) { return std::abs(s - value); });
  }

  const PlanOptions& options_;
  std::vector<const Item*> pool_;  // with gold
  Task frame_;                     // the task without its items
  std::size_t groups_ = 1;
  double range_ = 0;           // of the gold
  std::vector<double> steps_;  // of ratings, ascending; empty: any number
};

// The expected score of each skill, ascending.
class Curve {
 public:
  Curve(const Simulation& simulation, const PlanOptions& options) : scores_(kSkills) {
    const std::size_t items = std::min(simulation.pool(), kCurveItems);
    parallel_for(kSkills, 1, options.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        double sum = 0, count = 0;
        for (std::size_t repeat = 0; repeat < kCurveRepeats; ++repeat) {
          Stream stream(options.seed, "plan, curve", repeat);  // the same luck for every skill
          const Task task = simulation.draw(items, stream);
          const auto difficulties = simulation.difficulties(task, stream);
          const double skill = static_cast<double>(k) / (kSkills - 1);
          const AnswerSheet sheet = simulation.answer(task, skill, difficulties, stream);
          const auto score =
              k == 0 ? simulation.chance(task, sheet) : simulation.score(task, sheet);
          if (!score) continue;
          sum += *score;
          ++count;
        }
        scores_[k] = count == 0 ? 0 : sum / count;
      }
    });
    for (std::size_t k = 1; k < kSkills; ++k) scores_[k] = std::max(scores_[k], scores_[k - 1]);
  }

  double lowest() const { return scores_.front(); }
  double highest() const { return scores_.back(); }

  // The skill that earns this score on average, by linear interpolation.
  double skill(double score) const {
    const auto above = std::ranges::lower_bound(scores_, score);
    if (above == scores_.begin()) return 0;
    if (above == scores_.end()) return 1;
    const double width = *above - *(above - 1);
    const double part = width == 0 ? 0 : (score - *(above - 1)) / width;
    return (static_cast<double>(above - scores_.begin() - 1) + part) / (kSkills - 1);
  }

 private:
  std::vector<double> scores_;
};

struct Study {
  stats::Score human = stats::undefined(""), model = stats::undefined("");
};

Study simulate(const Simulation& simulation, const Curve& curve, std::size_t items,
               std::size_t raters, std::size_t index, const PlanOptions& options) {
  Stream stream(options.seed, fmt::format("plan, {} items, {} raters", items, raters), index);
  const Task task = simulation.draw(items, stream);
  const auto difficulties = simulation.difficulties(task, stream);
  Study study;
  study.model = simulation.score(
      task, simulation.answer(task, curve.skill(options.model), difficulties, stream));
  double sum = 0;
  for (std::size_t r = 0; r < raters; ++r) {
    const double expected = options.human + options.annotator_sd * normal(stream);
    const auto score = simulation.score(
        task, simulation.answer(task, curve.skill(expected), difficulties, stream));
    if (!score) return study;
    sum += *score;
  }
  study.human = sum / static_cast<double>(raters);
  return study;
}

double standard_deviation(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return n < 2 ? 0 : std::sqrt(squares / (n - 1));
}

PlanRow plan_row(const Simulation& simulation, const Curve& curve, std::size_t items,
                 std::size_t raters, const PlanOptions& options) {
  std::vector<Study> studies(options.studies);
  parallel_for(studies.size(), 4, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t s = begin; s < end; ++s) {
      studies[s] = simulate(simulation, curve, items, raters, s, options);
    }
  });
  std::vector<double> humans, differences;
  for (const Study& study : studies) {
    if (!study.human || !study.model) continue;
    humans.push_back(*study.human);
    differences.push_back(*study.human - *study.model);
  }
  const double z = stats::normal_quantile(0.5 + options.level / 2);
  return {items, raters, z * standard_deviation(humans),
          (z + stats::normal_quantile(options.power)) * standard_deviation(differences),
          studies.size() - humans.size()};
}

}  // namespace

Result<Plan> plan_study(const Task& task, std::span<const std::size_t> items,
                        std::span<const std::size_t> raters, const PlanOptions& options) {
  PLUMB_TRY(metric, metric_of(task.kind, options.metric));
  const Simulation simulation(task, options);
  if (simulation.pool() == 0) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no item has gold, so no study of it can be simulated", task.name));
  }
  const Curve curve(simulation, options);
  for (const double expected : {options.human, options.model}) {
    if (expected > curve.lowest() && expected < curve.highest()) continue;
    return fail(ErrorKind::kUsage,
                fmt::format("an expected {} of {} is outside what raters of this task can earn, "
                            "{:.3f} (guessing) to {:.3f}",
                            metric->title, expected, curve.lowest(), curve.highest()));
  }
  Plan plan{std::string(metric->id), curve.lowest(), {}};
  const std::size_t total = items.size() * raters.size();
  for (const std::size_t n : items) {
    for (const std::size_t r : raters) {
      plan.rows.push_back(plan_row(simulation, curve, n, r, options));
      if (options.progress) options.progress(plan.rows.size(), total);
    }
  }
  return plan;
}

}  // namespace plumb::tasks
