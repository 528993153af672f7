#include "plumb/raters/probes/minibatch_kmeans.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

#include "plumb/raters/probes/centres.h"
#include "plumb/raters/probes/numpy_random.h"
#include "plumb/raters/probes/seeding.h"

namespace plumb::raters {
namespace {

// scikit-learn's defaults.
constexpr std::size_t kMaxPasses = 100;
constexpr int kMaxNoImprovement = 10;
constexpr double kReassignmentRatio = 0.01;

using Places = std::vector<std::size_t>;

Places draw(NumpyRandom& random, std::span<const std::size_t> from, std::size_t count) {
  Places places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(from[random.below(from.size())]);
  return places;
}

// Stops when a smoothed inertia has not fallen for ten steps.
class EarlyStopping {
 public:
  EarlyStopping(std::size_t batch, std::size_t rows)
      : batch_(static_cast<double>(batch)),
        alpha_(std::min(batch_ * 2.0 / static_cast<double>(rows + 1), 1.0)) {}

  bool stops_at(int step, float batch_inertia) {
    if (step == 1) return false;
    const double inertia = static_cast<double>(batch_inertia) / batch_;
    smoothed_ = step == 2 ? inertia : smoothed_ * (1 - alpha_) + inertia * alpha_;
    if (smoothed_ < least_) {
      least_ = smoothed_;
      no_improvement_ = 0;
    } else {
      ++no_improvement_;
    }
    return no_improvement_ >= kMaxNoImprovement;
  }

 private:
  double batch_, alpha_;
  double smoothed_ = 0, least_ = std::numeric_limits<double>::infinity();
  int no_improvement_ = 0;
};

class MiniBatch {
 public:
  MiniBatch(const Vectors& vectors, std::size_t groups, std::size_t batch)
      : vectors_(vectors),
        dimension_(vectors.dimension()),
        groups_(groups),
        batch_(batch),
        centres_(groups * dimension_),
        counts_(groups) {}

  std::vector<float>& centres() { return centres_; }

  void start_at(std::span<const std::size_t> rows) {
    for (std::size_t j = 0; j < groups_; ++j) copy_row<float>(vectors_, rows[j], centre(j));
  }

  // One batch; returns its inertia before the centres move.
  float step(std::span<const std::size_t> rows, NumpyRandom& random, int threads) {
    const bool reassign = reassignment_is_due();
    const Assignment assignment = assign(vectors_, rows, centres_, threads);
    move(rows, assignment.labels);
    if (reassign) reassign_rare(rows, random);
    return total(assignment.distances);
  }

 private:
  std::span<float> centre(std::size_t j) {
    return std::span(centres_).subspan(j * dimension_, dimension_);
  }

  // Each time ten rows a group have been seen, and while a group is empty.
  bool reassignment_is_due() {
    since_reassignment_ += batch_;
    const bool due = std::find(counts_.begin(), counts_.end(), 0.0F) != counts_.end() ||
                     since_reassignment_ >= 10 * groups_;
    if (due) since_reassignment_ = 0;
    return due;
  }

  // To the mean of all rows that a centre was ever given.
  void move(std::span<const std::size_t> rows, std::span<const int> labels) {
    std::vector<Places> members(groups_);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      members[static_cast<std::size_t>(labels[i])].push_back(rows[i]);
    }
    std::vector<float> row(dimension_);
    for (std::size_t j = 0; j < groups_; ++j) {
      if (members[j].empty()) continue;
      const auto to = centre(j);
      for (float& value : to) value *= counts_[j];
      for (const std::size_t member : members[j]) {
        const auto values = row_values(vectors_, member, row);
        for (std::size_t d = 0; d < dimension_; ++d) to[d] += values[d];
      }
      counts_[j] += static_cast<float>(members[j].size());
      const float scale = 1 / counts_[j];
      for (float& value : to) value *= scale;
    }
  }

  // The groups with under a hundredth of the greatest count, half a batch of them at most.
  Places rare_groups() const {
    const double most = *std::max_element(counts_.begin(), counts_.end());
    const auto below = static_cast<float>(kReassignmentRatio * most);
    Places order(groups_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Places rare;
    std::copy_if(order.begin(), order.end(), std::back_inserter(rare),
                 [&](std::size_t j) { return counts_[j] < below; });
    if (2 * rare.size() <= batch_) return rare;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return counts_[a] < counts_[b]; });
    order.resize(batch_ / 2);
    std::sort(order.begin(), order.end());
    return order;
  }

  void reassign_rare(std::span<const std::size_t> rows, NumpyRandom& random) {
    const Places rare = rare_groups();
    if (rare.empty()) return;
    Places permutation(rows.size());
    std::iota(permutation.begin(), permutation.end(), std::size_t{0});
    random.shuffle(std::span(permutation));
    for (std::size_t i = 0; i < rare.size(); ++i) {
      copy_row<float>(vectors_, rows[permutation[i]], centre(rare[i]));
    }
    float least = *std::max_element(counts_.begin(), counts_.end());
    for (std::size_t j = 0; j < groups_; ++j) {
      if (!std::binary_search(rare.begin(), rare.end(), j)) least = std::min(least, counts_[j]);
    }
    for (const std::size_t j : rare) counts_[j] = least;
  }

  const Vectors& vectors_;
  std::size_t dimension_, groups_, batch_;
  std::vector<float> centres_, counts_;
  std::size_t since_reassignment_ = 0;
};

}  // namespace

MiniBatchResult minibatch_kmeans(const Vectors& vectors, std::span<const std::size_t> rows,
                                 const MiniBatchOptions& options) {
  assert(options.groups > 0 && options.groups <= rows.size());
  const std::size_t batch = std::min(options.batch, rows.size());
  std::size_t sample = 3 * batch;
  if (sample < options.groups) sample = 3 * options.groups;
  sample = std::min(sample, rows.size());

  NumpyRandom random(options.seed);
  draw(random, rows, sample);  // scikit-learn validates its one start on these
  Places some(rows.begin(), rows.end());
  if (sample < rows.size()) some = draw(random, rows, sample);
  MiniBatch state(vectors, options.groups, batch);
  state.start_at(choose_seeds(vectors, std::move(some), options.groups, random, options.threads));

  MiniBatchResult result;
  EarlyStopping early(batch, rows.size());
  const auto most_steps = static_cast<int>(kMaxPasses * rows.size() / batch);
  while (result.steps < most_steps) {
    ++result.steps;
    const float inertia = state.step(draw(random, rows, batch), random, options.threads);
    if (early.stops_at(result.steps, inertia)) break;
  }
  Assignment assignment = assign(vectors, rows, state.centres(), options.threads);
  result.inertia = total(assignment.distances);
  result.labels = std::move(assignment.labels);
  result.centres = std::move(state.centres());
  return result;
}

}  // namespace plumb::raters
