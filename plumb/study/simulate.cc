#include "plumb/study/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <numbers>
#include <thread>

#include "plumb/base/random.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/study/slots.h"
#include "plumb/study/units.h"

namespace plumb::study {
namespace {

using tasks::Kind;

using Seconds = std::chrono::duration<double>;

// How often an annotator asks again while others hold all that is left; who dropped out never
// gives it back.
constexpr int kPatience = 50;

double normal(Stream& stream) {
  const double u = 1 - stream.uniform(), v = stream.uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

// The grades that a person would choose from: whole numbers where the scale has room for them.
double some_grade(const tasks::Task& task, Stream& stream) {
  const tasks::Scale scale = task.scale.value_or(tasks::Scale{0, 1});
  const double range = scale.high - scale.low;
  const bool whole = range >= 1 && range <= 100 && range == std::floor(range);
  const auto steps = whole ? static_cast<std::uint64_t>(range) : 10U;
  return scale.low +
         range * static_cast<double>(stream.below(steps + 1)) / static_cast<double>(steps);
}

const char* some_choice(Stream& stream) {
  const char* choices[] = {"A", "B", "tie", "both bad"};
  return choices[stream.below(4)];
}

std::string some_group(const tasks::Task& task, Stream& stream) {
  const auto groups = static_cast<std::uint64_t>(
      task.groups.value_or(std::max<int>(3, static_cast<int>(task.labels.size()))));
  const std::size_t group = stream.below(groups);
  return group < task.labels.size() ? task.labels[group] : fmt::format("group {}", group + 1);
}

// An answer without any knowledge.
Json any_answer(const tasks::Task& task, const Json& body, Stream& stream) {
  switch (task.kind) {
    case Kind::kSts:
      return {{"rating", some_grade(task, stream)}};
    case Kind::kClassification:
      return {{"label", task.labels[stream.below(task.labels.size())]}};
    case Kind::kClustering: {
      Json groups = Json::object();
      for (const Json& text : body["texts"]) {
        groups[text["id"].get<std::string>()] = some_group(task, stream);
      }
      return {{"groups", std::move(groups)}};
    }
    case Kind::kReranking: {
      Json grades = Json::array();
      for (std::size_t i = 0; i < body["candidates"].size(); ++i) {
        grades.push_back(some_grade(task, stream));
      }
      return {{"grades", std::move(grades)}};
    }
    case Kind::kPreference:
      break;
  }
  return {{"choice", some_choice(stream)}};
}

// What someone answers who does not look. In the order that is shown.
Json habit(const tasks::Task& task, const Json& body, const Json& any) {
  const double high = task.scale.value_or(tasks::Scale{0, 1}).high;
  switch (task.kind) {
    case Kind::kSts:
      return {{"rating", high}};
    case Kind::kClassification:
      return {{"label", task.labels.front()}};
    case Kind::kReranking:
      return {{"grades", std::vector<double>(body["candidates"].size(), high)}};
    case Kind::kPreference:
      return {{"choice", "A"}};
    case Kind::kClustering:
      break;
  }
  Json groups = any["groups"];
  for (Json& group : groups) group = "group 1";
  return {{"groups", std::move(groups)}};
}

// The truth with each of its parts taken from `any` where the annotator errs.
Json blurred(const Json& truth, const Json& any, double accuracy, Stream& stream) {
  Json mixed = truth;
  if (truth.contains("groups")) {
    for (const auto& [text, group] : any["groups"].items()) {
      if (stream.uniform() >= accuracy) mixed["groups"][text] = group;
    }
    return mixed;
  }
  if (truth.contains("grades")) {
    for (std::size_t i = 0; i < mixed["grades"].size(); ++i) {
      if (stream.uniform() >= accuracy) mixed["grades"][i] = any["grades"][i];
    }
    return mixed;
  }
  return stream.uniform() < accuracy ? truth : any;
}

// What an item is about, and what it is shown as.
struct Truth {
  Json body, answer;  // as the item has its options
  Order order;
  Kind kind = Kind::kSts;
  const tasks::Task* task = nullptr;
};

class Simulation {
 public:
  Simulation(const Study& study, const SimulationOptions& options)
      : study_(study), options_(options), start_(std::chrono::steady_clock::now()) {}

  Result<SimulationReport> run();

 private:
  // One annotator's doings.
  struct Actor {
    int number = 0;
    std::int64_t id = 0;
    int waits = 0;  // since the last item
    bool done = false;
  };

  Result<std::vector<Actor>> enroll() const;
  Result<void> one_after_another(std::vector<Actor>& actors);
  Result<void> all_at_once(std::vector<Actor>& actors);
  Result<void> act(Actor& actor);
  Result<void> answer(const Actor& actor, const Served& served, Stream& stream);
  Result<Truth> truth_of(const Actor& actor, std::int64_t slot) const;
  Json answer_to(const Truth& truth, Stream& stream) const;
  bool stopped() const { return options_.most_answers && answers_ >= *options_.most_answers; }
  void note(CallTimes& times, Seconds took) {
    const std::lock_guard lock(mutex_);
    times.seconds.push_back(took.count());
  }
  void tell();

  const Study& study_;
  const SimulationOptions& options_;
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  SimulationReport report_;
  std::atomic<std::size_t> answers_ = 0, skipped_ = 0, dropouts_ = 0;
};

Result<std::vector<Simulation::Actor>> Simulation::enroll() const {
  std::vector<Actor> actors;
  for (int i = 0; i < options_.annotators; ++i) {
    PLUMB_TRY(annotator,
              study_.enroll(fmt::format("simulated {}", i + 1), tasks::RaterKind::kSimulated));
    actors.push_back({i, annotator.id});
  }
  return actors;
}

Result<Truth> Simulation::truth_of(const Actor& actor, std::int64_t slot) const {
  return study_.store().read<Truth>([&](Connection& connection) -> Result<Truth> {
    PLUMB_TRY(row, load_slot(connection, study_.info(), slot));
    PLUMB_TRY(item, connection.first("SELECT gold FROM items WHERE id = ?1", {row.item_id}));
    Truth truth;
    truth.task = &task_of(study_, row.task_id).header;
    truth.kind = truth.task->kind;
    PLUMB_TRY(body, body_of(connection, row.item_id));
    truth.order = order_of(study_, row, actor.id, body);
    truth.body = std::move(body);
    if (!item->is_null(0)) {
      truth.answer = Json::parse(item->text(0), nullptr, false);
    } else {
      Stream stream(options_.seed, "truth", static_cast<std::uint64_t>(row.item_id));
      truth.answer = any_answer(*truth.task, truth.body, stream);
    }
    return truth;
  });
}

// In the order that is shown.
Json Simulation::answer_to(const Truth& truth, Stream& stream) const {
  const Json any = any_answer(*truth.task, truth.body, stream);
  if (stream.uniform() < options_.profile.bias) return habit(*truth.task, truth.body, any);
  const Json stored = blurred(truth.answer, any, options_.profile.accuracy, stream);
  return shown_answer(truth.kind, stored, truth.order);
}

Result<void> Simulation::answer(const Actor& actor, const Served& served, Stream& stream) {
  PLUMB_TRY(truth, truth_of(actor, served.slot));
  const double active = options_.profile.seconds * std::exp(0.5 * normal(stream));
  const Submission submission{.slot = served.slot,
                              .key = fmt::format("simulated {} {}", served.slot, served.revision),
                              .answer = answer_to(truth, stream),
                              .timing = {.active_ms = std::llround(1000 * active), .idle_ms = 0}};
  const auto before = std::chrono::steady_clock::now();
  auto receipt = study_.submit(actor.id, submission);
  if (!receipt) return tl::unexpected(std::move(receipt.error()));
  note(report_.submit, std::chrono::steady_clock::now() - before);
  ++answers_;
  return {};
}

void Simulation::tell() {
  if (!options_.progress) return;
  std::int64_t slots = 0;
  for (const StudyTask& task : study_.tasks()) slots += task.units * study_.info().overlap;
  const std::lock_guard lock(mutex_);
  options_.progress(std::min<std::size_t>(answers_, static_cast<std::size_t>(slots)),
                    static_cast<std::size_t>(slots));
}

// The next item of one annotator.
Result<void> Simulation::act(Actor& actor) {
  const auto before = std::chrono::steady_clock::now();
  PLUMB_TRY(next, study_.next(actor.id));
  note(report_.next, std::chrono::steady_clock::now() - before);
  if (!next.served) {
    actor.done =
        next.state == Next::State::kFinished || !options_.parallel || ++actor.waits > kPatience;
    if (!actor.done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return {};
  }
  actor.waits = 0;
  const Served& served = *next.served;
  Stream stream(options_.seed, fmt::format("simulated annotator {}", actor.number),
                static_cast<std::uint64_t>(served.slot));
  if (stream.uniform() < options_.profile.dropout) {
    actor.done = true;
    ++dropouts_;
    return {};
  }
  if (stream.uniform() < options_.profile.skipping) {
    ++skipped_;
    auto skipped = study_.skip(
        actor.id,
        {.slot = served.slot, .key = fmt::format("skipped {}", served.slot), .reason = "unclear"});
    if (!skipped) return tl::unexpected(std::move(skipped.error()));
    return {};
  }
  if (auto answered = answer(actor, served, stream); !answered) return answered;
  tell();
  return {};
}

Result<void> Simulation::one_after_another(std::vector<Actor>& actors) {
  std::vector<Actor*> active;
  for (Actor& actor : actors) active.push_back(&actor);
  Stream turns(options_.seed, "turns of simulated annotators", 0);
  while (!active.empty() && !stopped()) {
    const std::size_t turn = turns.below(active.size());
    if (auto acted = act(*active[turn]); !acted) return acted;
    if (active[turn]->done) active.erase(active.begin() + static_cast<std::ptrdiff_t>(turn));
  }
  return {};
}

Result<void> Simulation::all_at_once(std::vector<Actor>& actors) {
  std::vector<std::thread> threads;
  std::vector<Result<void>> outcomes(actors.size());
  for (std::size_t i = 0; i < actors.size(); ++i) {
    threads.emplace_back([this, &actor = actors[i], &outcome = outcomes[i]] {
      while (outcome && !actor.done && !stopped()) outcome = act(actor);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Result<void>& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  return {};
}

Result<SimulationReport> Simulation::run() {
  PLUMB_TRY(actors, enroll());
  auto done = options_.parallel ? all_at_once(actors) : one_after_another(actors);
  if (!done) return tl::unexpected(std::move(done.error()));
  report_.answers = answers_;
  report_.skipped = skipped_;
  report_.dropouts = dropouts_;
  report_.elapsed_seconds = Seconds(std::chrono::steady_clock::now() - start_).count();
  std::ranges::sort(report_.next.seconds);
  std::ranges::sort(report_.submit.seconds);
  return std::move(report_);
}

}  // namespace

double CallTimes::quantile(double p) const { return stats::sorted_quantile(seconds, p); }

Result<SimulationReport> simulate(const Study& study, const SimulationOptions& options) {
  return Simulation(study, options).run();
}

}  // namespace plumb::study
