#include "plumb/mismatch/full/full.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/lm/run_folder.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kParts = {"chain",    "evaluations", "population",
                                               "remedies", "rounds",      "links"};

Json manifest_of(const FullOptions& o, const lm::LanguageModel& base) {
  std::vector<std::string> methods;
  for (const rlhf::Method method : o.chain.methods) methods.emplace_back(method_name(method));
  const MemberGrid& grid = o.population.grid;
  return {{"schema", "plumb.full-run/1"},
          {"base_sha256", lm::weights_hash(base.transformer)},
          {"gold", o.gold},
          {"gold_model", o.chain.gold_model},
          {"methods", methods},
          {"noise", o.chain.noise},
          {"max_tokens", o.chain.max_tokens},
          {"prompt_words", o.chain.prompt_words},
          {"rate", o.chain.rate},
          {"chain_prompts", {o.chain.measured_prompts, o.chain.training_prompts}},
          {"chain_samples", o.chain.samples},
          {"chain_steps", o.chain.steps},
          {"reward_models", members_of(grid).size()},
          {"reward_model_seeds", grid.seeds},
          {"population_prompts",
           {o.population.measured_prompts, o.population.validation_prompts,
            o.population.training_prompts}},
          {"population_samples", o.population.samples},
          {"remedies_prompts", {o.remedies.measured_prompts, o.remedies.training_prompts}},
          {"remedies_samples", o.remedies.samples},
          {"remedies_steps", o.remedies.steps},
          {"loop_prompts", {o.loop.measured_prompts, o.loop.training_prompts}},
          {"loop_questions", o.loop.questions},
          {"loop_steps", o.loop.steps},
          {"suites", o.evaluations.suites},
          {"items", o.evaluations.items},
          {"evaluate_every", o.evaluations.every},
          {"seed", o.seed}};
}

// Seconds by part, kept in the folder now and then: what a process that is killed took is counted.
class Clock {
 public:
  explicit Clock(fs::path file) : file_(std::move(file)) { read(); }

  // Seconds since this process began to work.
  double now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }
  void begin(std::size_t part) {
    part_ = part;
    wall_ = now();
    processor_ = processor();
  }
  // Adds what passed since the last call; written at most every five seconds, and at `last`.
  Result<void> tick(bool last) {
    times_[part_].seconds += now() - wall_;
    times_[part_].processor_seconds += processor() - processor_;
    wall_ = now();
    processor_ = processor();
    if (!last && wall_ - written_ < 5) return {};
    written_ = wall_;
    Json json = Json::object();
    for (const PartTime& one : times_) {
      json[one.part] = {{"seconds", one.seconds}, {"processor_seconds", one.processor_seconds}};
    }
    return write_file_atomic(file_, to_text(json, 2) + "\n");
  }
  const std::vector<PartTime>& times() const { return times_; }
  // By an earlier process: it had begun the next one.
  bool was_ended(std::size_t part) const { return part + 1 < begun_before_; }

 private:
  static double processor() {
    return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
  }
  static double seconds_in(const Json& part, const char* field) {
    const Json seconds = part.is_object() ? part.value(field, Json()) : Json();
    return seconds.is_number() ? seconds.get<double>() : 0;
  }
  // A file that is not there, or none of ours, says that nothing was done.
  void read() {
    const auto text = read_file(file_);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    for (const char* part : kParts) {
      const Json of = json.is_object() ? json.value(part, Json::object()) : Json::object();
      times_.push_back({part, seconds_in(of, "seconds"), seconds_in(of, "processor_seconds")});
      if (times_.back().seconds > 0) begun_before_ = times_.size();
    }
  }

  fs::path file_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<PartTime> times_;
  std::size_t part_ = 0, begun_before_ = 0;
  double wall_ = 0, processor_ = 0, written_ = 0;
};

class Full {
 public:
  Full(FullOptions options, const FullWatch& watch)
      : o_(std::move(options)),
        watch_(watch),
        left_(plan_of(o_)),
        clock_(o_.folder / "times.json") {}

  Result<FullReport> run();

 private:
  Result<void> run_chain_part();
  Result<void> evaluate();
  Result<void> run_population_part();
  Result<void> run_remedies_part();
  Result<void> run_rounds();
  Result<void> link();

  template <typename Part>
  void settle(Part& part, const char* folder) const {
    part.base = o_.base;
    part.folder = o_.folder / folder;
    part.seed = o_.seed;
    part.threads = o_.threads;
    part.gold = report_.chain.gold.empty() ? o_.gold : report_.chain.gold;
  }
  void show(const std::string& stage, std::size_t done, std::size_t total);
  ChainWatch watching() {
    return [this](const std::string& stage, std::size_t done, std::size_t total) {
      show(stage, done, total);
    };
  }

  FullOptions o_;
  const FullWatch& watch_;
  TimeLeft left_;
  Clock clock_;
  std::size_t part_ = 0;
  std::string name_;
  FullReport report_;
};

void Full::show(const std::string& stage, std::size_t done, std::size_t total) {
  left_.saw(name_, stage, done, total);
  // Times are no result: where they cannot be kept the measurement goes on.
  (void)clock_.tick(false);
  if (!watch_) return;
  watch_({name_, part_ + 1, kParts.size(), stage, done, total, left_.seconds(clock_.now())});
}

Result<void> Full::run_chain_part() {
  settle(o_.chain, "chain");
  o_.chain.features = o_.features;
  o_.chain.against_gold = o_.chain.keep_checkpoints = true;
  PLUMB_TRY(chain, run_chain(o_.chain, watching()));
  report_.chain = std::move(chain);
  return {};
}

Result<void> Full::evaluate() {
  o_.evaluations.threads = o_.threads;
  for (const fs::path& run : report_.chain.runs) {
    CheckpointEvalOptions how = o_.evaluations;
    const std::string stage = "evaluating the checkpoints of " + run.filename().string();
    how.progress = [&](std::size_t done, std::size_t total) { show(stage, done, total); };
    if (auto done = evaluate_checkpoints(run, how); !done) return done;
  }
  return write_choice_pairs(report_.chain.optimised, o_.evaluations, o_.folder / "pairs.jsonl");
}

Result<void> Full::run_population_part() {
  settle(o_.population, "population");
  PLUMB_TRY(population, run_population(o_.population, watching()));
  report_.population = std::move(population);
  return {};
}

Result<void> Full::run_remedies_part() {
  settle(o_.remedies, "remedies");
  PLUMB_TRY(remedies, run_remedies(o_.remedies, watching()));
  report_.remedies = std::move(remedies);
  return {};
}

Result<void> Full::run_rounds() {
  settle(o_.loop, "loop");
  PLUMB_TRY(loop, run_loop(o_.loop, watching()));
  report_.loop = std::move(loop);
  return {};
}

Result<void> Full::link() {
  o_.links.sampling.seed = o_.seed;
  o_.links.sampling.threads = o_.threads;
  PLUMB_TRY(links, measure_full_links(report_.chain,
                                      {.population = o_.population.folder / "population.jsonl",
                                       .pairs = o_.folder / "pairs.jsonl"},
                                      o_.links));
  report_.links = std::move(links);
  return {};
}

Result<FullReport> Full::run() {
  using Part = Result<void> (Full::*)();
  constexpr Part kDo[] = {&Full::run_chain_part,    &Full::evaluate,   &Full::run_population_part,
                          &Full::run_remedies_part, &Full::run_rounds, &Full::link};
  for (part_ = 0; part_ < kParts.size(); ++part_) {
    name_ = kParts[part_];
    clock_.begin(part_);
    show("", 0, 0);
    const Part part = kDo[part_];
    if (auto done = (this->*part)(); !done) return tl::unexpected(done.error());
    left_.finished(name_);
    // A part that an earlier process ended says nothing of how fast this one is.
    if (clock_.was_ended(part_)) left_.start(clock_.now());
    if (auto kept = clock_.tick(true); !kept) return tl::unexpected(kept.error());
  }
  report_.times = clock_.times();
  return std::move(report_);
}

std::size_t part_of(std::size_t count, double share, std::size_t least) {
  const auto scaled = static_cast<std::size_t>(std::lround(share * static_cast<double>(count)));
  return std::min(count, std::max(scaled, least));
}

Result<void> check(const FullOptions& o) {
  if (auto gold = rlhf::open_reward(o.gold, o.features); !gold) return tl::unexpected(gold.error());
  const bool learns = std::ranges::any_of(
      o.chain.methods, [](rlhf::Method method) { return method != rlhf::Method::kDpo; });
  if (learns) return {};
  return fail(ErrorKind::kUsage,
              "the swap tests need an optimiser that learns from the reward model: rloo, grpo or "
              "ppo");
}

}  // namespace

void scale(FullOptions& o, double share) {
  const auto less = [share](std::size_t& count, std::size_t least) {
    count = part_of(count, share, least);
  };
  for (std::size_t* prompts :
       {&o.chain.measured_prompts, &o.population.measured_prompts, &o.population.validation_prompts,
        &o.remedies.measured_prompts, &o.loop.measured_prompts}) {
    less(*prompts, 10);
  }
  for (std::size_t* prompts : {&o.chain.training_prompts, &o.population.training_prompts,
                               &o.remedies.training_prompts, &o.loop.training_prompts}) {
    less(*prompts, 16);
  }
  for (std::size_t* samples : {&o.chain.samples, &o.population.samples, &o.remedies.samples}) {
    less(*samples, 16);
  }
  for (std::size_t* steps : {&o.chain.steps, &o.remedies.steps, &o.loop.steps}) less(*steps, 8);
  less(o.loop.questions, 12);
  const std::size_t all = 200;  // of the suites that are built in
  if (share < 1)
    o.evaluations.items = part_of(o.evaluations.items == 0 ? all : o.evaluations.items, share, 20);
}

std::vector<PlannedStages> plan_of(const FullOptions& o) {
  const auto times = [](std::size_t count, double seconds) {
    return static_cast<double>(count) * seconds;
  };
  const ChainOptions& chain = o.chain;
  const double step = 0.5;      // of an optimiser: 64 completions
  const double pairs = 0.0035;  // a comparison and epoch of a reward model
  const std::size_t proxies = chain.members + 2;
  return {{"chain", "optimising by", chain.methods.size(), times(chain.steps, step)},
          {"chain", "optimising the gold", chain.methods.size(), times(chain.steps, step)},
          {"chain", "completing measured", 1, times(chain.samples * chain.measured_prompts, 0.002)},
          {"chain", "training", 1, times(proxies * chain.training_prompts * chain.pairs, pairs)},
          {"evaluations", "evaluating", chain.methods.size(), 60},
          {"population", "training", members_of(o.population.grid).size(), 8},
          {"remedies", "optimising", 9, times(o.remedies.steps, step)},
          {"remedies", "training", 8, times(o.remedies.training_prompts * o.remedies.pairs, pairs)},
          {"rounds", "round", 7 * o.loop.rounds, times(o.loop.steps, step / 4)},
          {"links", "", 1, 20}};
}

Result<FullReport> run_full(const FullOptions& options, const FullWatch& watch) {
  if (auto sound = check(options); !sound) return tl::unexpected(sound.error());
  PLUMB_TRY(base, lm::load_language_model(options.base));
  if (auto opened = lm::open_run(options.folder, manifest_of(options, base)); !opened) {
    return tl::unexpected(opened.error());
  }
  return Full(options, watch).run();
}

}  // namespace plumb::mismatch
