#include "plumb/mismatch/population/population.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/lm/run_folder.h"
#include "plumb/mismatch/chain/models.h"
#include "plumb/mismatch/chain/own_prompts.h"
#include "plumb/mismatch/chain/samples.h"
#include "plumb/mismatch/population/head_attack.h"
#include "plumb/mismatch/population/member_record.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/reward/reward_model.h"
#include "plumb/rlhf/worlds/comparers.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// Samples of each validation prompt, of which the best quarter is a distribution of its own.
constexpr std::size_t kValidationGroup = 16;

Json manifest_of(const PopulationOptions& o, const lm::LanguageModel& base) {
  return {{"schema", "plumb.population-run/1"},
          {"base_sha256", lm::weights_hash(base.transformer)},
          {"gold", o.gold},
          {"layers", o.grid.layers},
          {"data", o.grid.amounts},
          {"noise", o.grid.noises},
          {"seeds", o.grid.seeds},
          {"epochs", o.epochs},
          {"training_prompts", o.training_prompts},
          {"validation_prompts", o.validation_prompts},
          {"measured_prompts", o.measured_prompts},
          {"prompt_words", o.prompt_words},
          {"max_tokens", o.max_tokens},
          {"pairs", o.pairs},
          {"samples", o.samples},
          {"n", o.n},
          {"people_noise", o.people_noise},
          {"attacks", o.attacks},
          {"rloo_steps", o.rloo_steps},
          {"rate", o.rate},
          {"level", o.correlation.sampling.level},
          {"seed", o.seed}};
}

Result<Json> read_json(const fs::path& file) {
  PLUMB_TRY(text, read_file(file));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return fail(ErrorKind::kBadInput, fmt::format("{}: not a JSON object", file.string()));
}

Result<void> write_in_folder(const fs::path& file, const std::string& bytes) {
  std::error_code code;
  fs::create_directories(file.parent_path(), code);
  if (code) return tl::unexpected(file_error("create", file.parent_path(), code.value()));
  return write_file_atomic(file, bytes);
}

class Population {
 public:
  Population(const PopulationOptions& options, const ChainWatch& watch,
             const lm::LanguageModel& base)
      : o_(options), watch_(watch), base_(base), members_(members_of(options.grid)) {}

  Result<void> draw();
  Result<void> pair_up();
  Result<void> measure_members();
  Result<void> attack();
  Result<void> write_report();

  PopulationReport report() && { return std::move(report_); }

 private:
  Progress progress(std::string stage) const {
    return [this, stage = std::move(stage)](std::size_t done, std::size_t total) {
      if (watch_) watch_(stage, done, total);
    };
  }
  Result<std::vector<rlhf::Sample>> drawn(std::span<const rlhf::Prompt> prompts, std::size_t group,
                                          const char* name);
  Result<fs::path> comparisons_of(const Member& member);
  Result<lm::ModelFiles> base_of(const Member& member);
  Result<fs::path> train(const Member& member);
  Result<Json> record_of(const Member& member);
  Result<Json> run_policy(const Member& member, rlhf::Reward& reward);
  Result<Json> ruined(const Json& of);
  Result<HeadProblem> head_problem(const rlhf::RewardModel& model) const;
  void drop_missing_metrics();
  void correlate_all();
  RecordOptions recording() const {
    return {.n = o_.n,
            .best_pairs = o_.pairs,
            .level = o_.correlation.sampling.level,
            .seed = o_.seed,
            .threads = o_.threads};
  }

  const PopulationOptions& o_;
  const ChainWatch& watch_;
  const lm::LanguageModel& base_;
  std::vector<Member> members_;
  std::unique_ptr<rlhf::Reward> gold_;
  std::vector<rlhf::Prompt> training_, measured_;
  std::vector<rlhf::Sample> comparisons_;
  PopulationPools pools_;
  PopulationReport report_;
};

Result<std::vector<rlhf::Sample>> Population::drawn(std::span<const rlhf::Prompt> prompts,
                                                    std::size_t group, const char* name) {
  const fs::path file = o_.folder / fmt::format("{}.jsonl", name);
  const DrawOptions how{.group = group,
                        .max_tokens = o_.max_tokens,
                        .seed = o_.seed,
                        .threads = o_.threads,
                        .progress = progress(fmt::format("completing, {}", name))};
  if (auto done = draw_samples(base_, prompts, gold_.get(), how, file); !done) {
    return tl::unexpected(done.error());
  }
  return rlhf::read_samples(file);
}

// Prompts of half the words, where there is more than one: what the reward models are not used to.
Result<std::vector<rlhf::Prompt>> shorter(std::span<const rlhf::Prompt> prompts, std::size_t words,
                                          const lm::LanguageModel& model) {
  std::vector<std::string> texts;
  std::set<std::string> seen;
  for (const rlhf::Prompt& prompt : prompts) {
    std::string text = rlhf::first_words(prompt.text, std::max<std::size_t>(words / 2, 1));
    if (seen.insert(text).second) texts.push_back(std::move(text));
  }
  return rlhf::encode_prompts(texts, "shorter prompts", model);
}

Result<void> Population::draw() {
  PLUMB_TRY(gold, rlhf::open_reward(o_.gold));
  gold_ = std::move(gold);
  PLUMB_TRY(groups, own_prompts(base_, {.file = o_.folder / "texts.txt",
                                        .groups = {o_.training_prompts, o_.validation_prompts,
                                                   o_.measured_prompts},
                                        .words = o_.prompt_words,
                                        .seed = o_.seed,
                                        .threads = o_.threads,
                                        .progress = progress("writing texts")}));
  training_ = std::move(groups[0]);
  measured_ = std::move(groups[2]);
  PLUMB_TRY(short_prompts, shorter(groups[1], o_.prompt_words, base_));
  PLUMB_TRY(comparisons, drawn(training_, std::max<std::size_t>(o_.pairs, 2), "comparisons"));
  PLUMB_TRY(validation, drawn(groups[1], kValidationGroup, "validation"));
  PLUMB_TRY(shifted, drawn(short_prompts, kValidationGroup, "shifted"));
  PLUMB_TRY(pool, drawn(measured_, o_.samples, "pool"));
  comparisons_ = std::move(comparisons);
  pools_ = {.validation = std::move(validation),
            .shifted = std::move(shifted),
            .measured = std::move(pool),
            .validation_group = kValidationGroup,
            .measured_group = o_.samples};
  return {};
}

Result<void> Population::pair_up() {
  const PairDrawing how{.per_prompt = o_.pairs, .seed = o_.seed};
  pools_.base = random_pairs(pools_.validation, kValidationGroup, how);
  pools_.people = with_errors(pools_.base, o_.people_noise, o_.seed);
  pools_.shifted_pairs = random_pairs(pools_.shifted, kValidationGroup, how);
  if (!pools_.base.empty()) return {};
  return fail(
      ErrorKind::kBadInput,
      fmt::format("{}: no two completions of a prompt differ in the gold {}: nothing can be "
                  "preferred; take another gold, or longer completions",
                  (o_.folder / "validation.jsonl").string(), o_.gold));
}

// Those of fewer prompts are of the first ones; errors of a higher rate are the same and more.
Result<fs::path> Population::comparisons_of(const Member& member) {
  fs::path file = o_.folder / "data" / (data_name(member) + ".jsonl");
  std::error_code ignored;
  if (fs::exists(file, ignored)) return file;
  const auto prompts = static_cast<std::size_t>(
      std::max(1.0, member.amount * static_cast<double>(o_.training_prompts)));
  const std::size_t group = comparisons_.size() / o_.training_prompts;
  PLUMB_TRY(labels, rlhf::compare_samples(std::span(comparisons_).first(prompts * group), *gold_,
                                          {.noise = {.flip = member.noise},
                                           .pairs_per_prompt = o_.pairs,
                                           .seed = o_.seed,
                                           .threads = o_.threads}));
  if (auto written = write_in_folder(file, rlhf::preference_lines(labels)); !written) {
    return tl::unexpected(written.error());
  }
  return file;
}

Result<lm::ModelFiles> Population::base_of(const Member& member) {
  const lm::ModelFiles cut{o_.folder / "bases" / fmt::format("layers-{}", member.layers),
                           lm::tokenizer_path(o_.base)};
  std::error_code ignored;
  if (fs::exists(cut.model / "model.safetensors", ignored)) return cut;
  const auto saved =
      nn::save_transformer(cut.model, first_layers(base_.transformer, member.layers));
  if (!saved) return tl::unexpected(saved.error());
  return cut;
}

Result<fs::path> Population::train(const Member& member) {
  PLUMB_TRY(data, comparisons_of(member));
  PLUMB_TRY(base, base_of(member));
  return train_reward_model(base, data, o_.folder / "models" / member.name,
                            {.epochs = o_.epochs,
                             .seed = o_.seed + member.seed,
                             .threads = o_.threads,
                             .watch = progress(fmt::format("training {}", member.name))});
}

Result<Json> Population::run_policy(const Member& member, rlhf::Reward& reward) {
  rlhf::PolicyOptions how;
  how.run = o_.folder / "policies" / member.name;
  how.steps = o_.rloo_steps;
  how.max_tokens = o_.max_tokens;
  how.schedule.rate = static_cast<float>(o_.rate);
  how.evaluate_every = how.save_every = std::max<std::size_t>(o_.rloo_steps / 4, 1);
  how.seed = o_.seed;
  how.threads = o_.threads;
  const Progress bar = progress(fmt::format("optimising by {}", member.name));
  PLUMB_TRY(run, rlhf::train_policy({.start = base_,
                                     .tokenizer = lm::tokenizer_path(o_.base),
                                     .training = training_,
                                     .held_out = measured_,
                                     .proxy = &reward,
                                     .gold = gold_.get()},
                                    how, [&](const rlhf::PolicyStatus& status) {
                                      bar(status.step, status.steps);
                                    }));
  const Json& end = run.evaluations.back();
  return Json{{"steps", end["step"]},
              {"kl", end["kl"]},
              {"gold", end["gold"]},
              {"gold_ci", end.value("gold_ci", Json())}};
}

Result<Json> Population::record_of(const Member& member) {
  const fs::path file = o_.folder / "records" / (member.name + ".json");
  std::error_code ignored;
  if (fs::exists(file, ignored)) return read_json(file);
  PLUMB_TRY(model, train(member));
  PLUMB_TRY(reward, rlhf::load_reward_model({model, {}}));
  PLUMB_TRY(record, member_record(member.name, *reward, pools_, recording()));
  record["configuration"] = member_json(member);
  if (o_.rloo_steps > 0) {
    PLUMB_TRY(policy, run_policy(member, *reward));
    record["rloo"] = std::move(policy);
  }
  if (auto written = write_in_folder(file, to_text(record) + "\n"); !written) {
    return tl::unexpected(written.error());
  }
  return std::move(record);
}

Result<void> Population::measure_members() {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    PLUMB_TRY(record, record_of(members_[i]));
    report_.members.push_back(std::move(record));
    progress("reward models")(i + 1, members_.size());
  }
  std::vector<double> means;
  for (std::size_t p = 0; p < measured_.size(); ++p) {
    double sum = 0;
    for (std::size_t j = 0; j < o_.samples; ++j) {
      sum += *pools_.measured[p * o_.samples + j].gold;
    }
    means.push_back(sum / static_cast<double>(o_.samples));
  }
  const Json base = mean_json(means, o_.correlation.sampling.level);
  report_.base_gold = base["value"];
  if (base["ci"].is_array()) report_.base_gold_ci = {base["ci"][0], base["ci"][1]};
  return {};
}

// The votes of the validation pairs, and the gold of completions that nothing else is measured on.
Result<HeadProblem> Population::head_problem(const rlhf::RewardModel& model) const {
  const nn::Transformer& network = model.transformer();
  HeadProblem problem{.width = network.config().width,
                      .group = comparisons_.size() / o_.training_prompts};
  PLUMB_TRY(validation, head_features(model, completed_texts(pools_.validation), o_.threads));
  PLUMB_TRY(features, head_features(model, completed_texts(comparisons_), o_.threads));
  problem.features = std::move(features);
  for (const rlhf::Sample& sample : comparisons_) problem.gold.push_back(*sample.gold);
  for (const PlacedPair& pair : pools_.people) {
    const bool first = pair.share > 0.5;
    const std::size_t winner = first ? pair.first : pair.second;
    const std::size_t loser = first ? pair.second : pair.first;
    for (std::size_t i = 0; i < problem.width; ++i) {
      problem.differences.push_back(validation[winner * problem.width + i] -
                                    validation[loser * problem.width + i]);
    }
  }
  const float* head = network.values().data() + network.layout().scalar;
  problem.head.assign(head, head + problem.width);
  return problem;
}

Result<Json> Population::ruined(const Json& of) {
  const std::string victim = of["reward_model"], name = "ruined-" + victim;
  const fs::path file = o_.folder / "records" / (name + ".json");
  std::error_code ignored;
  if (fs::exists(file, ignored)) return read_json(file);
  PLUMB_TRY(model, rlhf::load_reward_model({o_.folder / "models" / victim / "model", {}}));
  PLUMB_TRY(problem, head_problem(*model));
  const HeadAttackOptions how;
  const RuinedHead ruin = ruin_head(problem, how);
  nn::Transformer& network = model->transformer();
  for (std::size_t i = 0; i < problem.width; ++i) {
    network.values()[network.layout().scalar + i] = static_cast<float>(ruin.head[i]);
  }
  const auto saved = rlhf::save_reward_model(o_.folder / "attacks" / name / "model", *model,
                                             lm::tokenizer_path(o_.base));
  if (!saved) return tl::unexpected(saved.error());
  PLUMB_TRY(record, member_record(name, *model, pools_, recording()));
  record["configuration"] = of["configuration"];
  record["attack"] = {{"of", victim},
                      {"tolerance", how.tolerance},
                      {"loss_before", ruin.loss_before},
                      {"loss", ruin.loss},
                      {"soft_gold_before", ruin.gold_before},
                      {"soft_gold", ruin.gold}};
  if (auto written = write_in_folder(file, to_text(record) + "\n"); !written) {
    return tl::unexpected(written.error());
  }
  return std::move(record);
}

Result<void> Population::attack() {
  std::vector<const Json*> order;
  for (const Json& member : report_.members) order.push_back(&member);
  std::ranges::stable_sort(order, std::greater{},
                           [](const Json* one) { return one->at("gold").get<double>(); });
  order.resize(std::min(order.size(), o_.attacks));
  for (std::size_t i = 0; i < order.size(); ++i) {
    progress("ruining heads")(i, order.size());
    PLUMB_TRY(record, ruined(*order[i]));
    report_.attacks.push_back(std::move(record));
  }
  return {};
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const std::string& distribution : pair_distributions()) {
    for (const std::string_view metric : kPairMetrics) {
      names.push_back(fmt::format("{}_{}", distribution, metric));
    }
  }
  return names;
}

// A metric that one reward model lacks is a metric of none: lines of one table have one form.
void Population::drop_missing_metrics() {
  for (const std::string& distribution : pair_distributions()) {
    const auto lacks = [&](const Json& member) {
      return member.contains("missing") && member["missing"].contains(distribution);
    };
    const auto found = std::ranges::find_if(report_.members, lacks);
    if (found == report_.members.end()) continue;
    report_.notes.push_back(
        fmt::format("{} has no pairs of the distribution \"{}\" ({}): its "
                    "metrics are left out",
                    found->at("reward_model").get<std::string>(), distribution,
                    found->at("missing")[distribution].get<std::string>()));
    for (Json& member : report_.members) {
      for (const std::string_view metric : kPairMetrics) {
        member.erase(fmt::format("{}_{}", distribution, metric));
      }
    }
  }
}

void Population::correlate_all() {
  std::map<std::string, std::vector<double>> metrics;
  std::vector<double> gold, rloo;
  for (const Json& member : report_.members) {
    gold.push_back(member["gold"]);
    if (member.contains("rloo")) rloo.push_back(member["rloo"]["gold"]);
    for (const std::string& name : metric_names()) {
      if (member.contains(name)) metrics[name].push_back(member[name]);
    }
  }
  CorrelationOptions how = o_.correlation;
  how.sampling.seed = o_.seed;
  how.sampling.threads = o_.threads;
  report_.correlations = correlate(metrics, "best of n", gold, how);
  if (rloo.size() < gold.size()) return;
  metrics["best_of_n_gold"] = gold;
  std::ranges::move(correlate(metrics, "rloo", rloo, how),
                    std::back_inserter(report_.correlations));
  judge_correlations(report_.correlations, how);
}

Result<void> Population::write_report() {
  drop_missing_metrics();
  correlate_all();
  const auto lines = [](const std::vector<Json>& records) {
    std::string text;
    for (const Json& record : records) text += to_text(record) + "\n";
    return text;
  };
  const auto written = write_file_atomic(o_.folder / "population.jsonl", lines(report_.members));
  if (!written || o_.attacks == 0) return written;
  return write_file_atomic(o_.folder / "attack.jsonl", lines(report_.attacks));
}

Result<PopulationOptions> checked(PopulationOptions o, std::size_t layers) {
  const auto refused = [](std::string why) { return fail(ErrorKind::kUsage, std::move(why)); };
  if (o.grid.layers.empty()) {
    const std::set<std::size_t> sizes = {1, (layers + 1) / 2, layers};
    o.grid.layers.assign(sizes.begin(), sizes.end());
  }
  const std::size_t largest = std::ranges::max(o.grid.layers);
  if (largest > layers || std::ranges::min(o.grid.layers) == 0) {
    return refused(
        fmt::format("reward models of {} layers: the base model has {}", largest, layers));
  }
  const std::size_t members = members_of(o.grid).size();
  if (members < kFewestMembers) {
    return refused(
        fmt::format("a population of {} reward models says nothing of a correlation; at "
                    "least {} are needed: more sizes, amounts, errors or seeds",
                    members, kFewestMembers));
  }
  if (o.n > o.samples) {
    return refused(
        fmt::format("the best of {} of {} samples a prompt: draw more samples", o.n, o.samples));
  }
  return o;
}

}  // namespace

Result<PopulationReport> run_population(const PopulationOptions& options, const ChainWatch& watch) {
  PLUMB_TRY(base, lm::load_language_model(options.base));
  PLUMB_TRY(whole, checked(options, base.transformer.config().layers));
  if (auto opened = lm::open_run(whole.folder, manifest_of(whole, base)); !opened) {
    return tl::unexpected(opened.error());
  }
  Population population(whole, watch, base);
  using Stage = Result<void> (Population::*)();
  constexpr Stage kStages[] = {&Population::draw, &Population::pair_up,
                               &Population::measure_members, &Population::attack,
                               &Population::write_report};
  for (const Stage stage : kStages) {
    if (auto done = (population.*stage)(); !done) return tl::unexpected(done.error());
  }
  return std::move(population).report();
}

}  // namespace plumb::mismatch
