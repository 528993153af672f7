#include "plumb/raters/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <string>

#include "plumb/base/random.h"
#include "plumb/base/utf8.h"

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::Item;
using tasks::Kind;
using tasks::Task;

constexpr int kRandomRuns = 10;

double characters(const std::string& text) { return static_cast<double>(count_characters(text)); }

// How many groups a random partition has.
std::size_t groups_of(const Task& task) {
  if (task.groups) return static_cast<std::size_t>(*task.groups);
  std::set<double> gold;
  for (const Item& item : task.items) {
    if (!item.gold.empty()) gold.insert(item.gold[0]);
  }
  return std::max<std::size_t>(gold.size(), 1);
}

using AnswerItem = std::function<Answer(const Item& item, std::size_t place, Stream& stream)>;

AnswerItem random_answers(const Task& task) {
  const std::size_t labels = task.labels.size(), groups = groups_of(task);
  const tasks::Scale scale = task.scale.value_or(tasks::Scale{});
  return [kind = task.kind, labels, groups, scale](const Item& item, std::size_t,
                                                   Stream& stream) -> Answer {
    switch (kind) {
      case Kind::kSts:
        return {scale.low + (scale.high - scale.low) * stream.uniform()};
      case Kind::kClassification:
        return {static_cast<double>(stream.below(labels))};
      case Kind::kClustering:
        return {static_cast<double>(stream.below(groups))};
      case Kind::kReranking: {
        Answer scores(item.texts.size() - 1);
        for (double& score : scores) score = stream.uniform();
        return scores;
      }
      case Kind::kPreference:
        break;
    }
    return {static_cast<double>(stream.below(2)), 0};
  };
}

AnswerItem constant_answers(const Task& task) {
  const tasks::Scale scale = task.scale.value_or(tasks::Scale{});
  return [kind = task.kind, scale](const Item& item, std::size_t, Stream&) -> Answer {
    if (kind == Kind::kSts) return {(scale.low + scale.high) / 2};
    if (kind == Kind::kReranking) return Answer(item.texts.size() - 1, 0);
    return kind == Kind::kPreference ? Answer{0, 0} : Answer{0};
  };
}

AnswerItem majority_answers(const Task& task) {
  std::vector<std::size_t> sizes(task.labels.size());
  for (const Item& item : task.train) {
    if (!item.gold.empty()) ++sizes[static_cast<std::size_t>(item.gold[0])];
  }
  const auto largest = std::max_element(sizes.begin(), sizes.end()) - sizes.begin();
  return [label = static_cast<double>(largest)](const Item&, std::size_t, Stream&) -> Answer {
    return {label};
  };
}

AnswerItem one_cluster(const Task&) {
  return [](const Item&, std::size_t, Stream&) -> Answer { return {0}; };
}

AnswerItem singletons(const Task&) {
  return [](const Item&, std::size_t place, Stream&) -> Answer {
    return {static_cast<double>(place)};
  };
}

template <int sign>
AnswerItem by_length(const Task& task) {
  return [kind = task.kind](const Item& item, std::size_t, Stream&) -> Answer {
    if (kind == Kind::kReranking) {
      Answer scores;
      for (std::size_t i = 1; i < item.texts.size(); ++i) {
        scores.push_back(sign * characters(item.texts[i]));
      }
      return scores;
    }
    const double more = sign * (characters(item.texts[1]) - characters(item.texts[2]));
    const auto choice = more == 0  ? tasks::Choice::kTie
                        : more > 0 ? tasks::Choice::kA
                                   : tasks::Choice::kB;
    return {static_cast<double>(choice), 0};
  };
}

bool any(const Task& /*task*/) { return true; }
bool has_training(const Task& task) {
  return task.kind == Kind::kClassification && !task.train.empty();
}
bool is_clustering(const Task& task) { return task.kind == Kind::kClustering; }
bool not_clustering(const Task& task) { return !is_clustering(task); }
bool has_lengths(const Task& task) {
  return task.kind == Kind::kPreference || task.kind == Kind::kReranking;
}

struct Row {
  std::string_view name;
  bool (*suits)(const Task&);
  AnswerItem (*make)(const Task&);
  int runs;
};

constexpr Row kRows[] = {
    {"random", any, random_answers, kRandomRuns},
    {"constant", not_clustering, constant_answers, 1},
    {"majority", has_training, majority_answers, 1},
    {"one-cluster", is_clustering, one_cluster, 1},
    {"singletons", is_clustering, singletons, 1},
    {"longest", has_lengths, by_length<1>, 1},
    {"shortest", has_lengths, by_length<-1>, 1},
};

class Baseline : public tasks::Rater {
 public:
  explicit Baseline(const Row& row) : row_(row), name_(fmt::format("baseline/{}", row.name)) {}

  const std::string& name() const override { return name_; }
  tasks::RaterKind kind() const override { return tasks::RaterKind::kBaseline; }

  Result<std::vector<tasks::AnswerSheet>> answer(const Task& task,
                                                 const tasks::RateOptions& options) override {
    const AnswerItem answer_item = row_.make(task);
    std::vector<tasks::AnswerSheet> sheets;
    for (int run = 0; run < row_.runs; ++run) {
      Stream stream(options.seed, name_, static_cast<std::uint64_t>(run));
      tasks::AnswerSheet& sheet = sheets.emplace_back();
      sheet.rater = name_;
      sheet.kind = kind();
      sheet.run = run;
      sheet.provenance = {{"baseline", row_.name}, {"seed", options.seed}};
      for (std::size_t i = 0; i < task.items.size(); ++i) {
        sheet.answers.emplace_back(answer_item(task.items[i], i, stream));
      }
    }
    return sheets;
  }

 private:
  const Row& row_;
  std::string name_;
};

}  // namespace

std::vector<std::unique_ptr<tasks::Rater>> baselines_of(const Task& task) {
  std::vector<std::unique_ptr<tasks::Rater>> result;
  for (const Row& row : kRows) {
    if (row.suits(task)) result.push_back(std::make_unique<Baseline>(row));
  }
  return result;
}

Result<std::unique_ptr<tasks::Rater>> make_baseline(std::string_view name, const Task& task) {
  constexpr std::string_view kPrefix = "baseline/";
  const std::string_view bare = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  std::vector<std::string_view> names;
  for (const Row& row : kRows) {
    if (!row.suits(task)) continue;
    if (row.name == bare) return std::make_unique<Baseline>(row);
    names.push_back(row.name);
  }
  return fail(ErrorKind::kNotFound,
              fmt::format("no baseline \"{}\" for this {} task; there are {}", bare,
                          kind_name(task.kind), fmt::join(names, ", ")));
}

}  // namespace plumb::raters
