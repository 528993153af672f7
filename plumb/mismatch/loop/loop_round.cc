#include "plumb/mismatch/loop/loop_round.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/lm/language_model.h"
#include "plumb/mismatch/chain/samples.h"
#include "plumb/mismatch/loop/loop_answers.h"
#include "plumb/mismatch/loop/loop_settings.h"
#include "plumb/mismatch/loop/questions.h"
#include "plumb/rlhf/policy/policy_run.h"
#include "plumb/rlhf/reward/reward_metrics.h"
#include "plumb/rlhf/reward/reward_train.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

Json interval_json(const stats::IntervalScore& ci) {
  return ci ? Json::array({ci->low, ci->high}) : Json();
}

double mean_variance(std::span<const QuestionPair> pairs) {
  double sum = 0;
  for (const QuestionPair& pair : pairs) sum += pair.variance;
  return pairs.empty() ? 0 : sum / static_cast<double>(pairs.size());
}

// The mean gold of each prompt at the last step of a run.
Result<std::vector<double>> gold_by_prompt(const fs::path& run) {
  PLUMB_TRY(samples, rlhf::read_samples(run / "samples.jsonl"));
  std::map<std::string, std::size_t> places;
  std::vector<double> sums, counts;
  for (const rlhf::Sample& sample : samples) {
    if (sample.step != samples.back().step || !sample.gold) continue;
    const auto [found, is_new] = places.emplace(sample.prompt, sums.size());
    if (is_new) {
      sums.push_back(0);
      counts.push_back(0);
    }
    sums[found->second] += *sample.gold;
    counts[found->second] += 1;
  }
  for (std::size_t p = 0; p < sums.size(); ++p) sums[p] /= counts[p];
  return sums;
}

}  // namespace

fs::path LoopRound::folder_of(std::size_t round) const { return round_folder(o_.folder, round); }

Progress LoopRound::progress(const std::string& stage) const {
  return [this, whole = fmt::format("round {}: {}", round_, stage)](std::size_t done,
                                                                    std::size_t total) {
    if (world_.watch) world_.watch(whole, done, total);
  };
}

Result<lm::LanguageModel> LoopRound::policy_before() const {
  if (round_ == 1) return lm::load_language_model(o_.base);
  return lm::load_language_model(
      {folder_of(round_ - 1) / "policy" / "model", lm::tokenizer_path(o_.base)});
}

Result<std::unique_ptr<rlhf::RewardEnsemble>> LoopRound::ensemble_of(std::size_t round) const {
  std::vector<std::unique_ptr<rlhf::SingleReward>> members;
  for (std::size_t i = 0; i < o_.members; ++i) {
    const fs::path model = folder_of(round) / "models" / fmt::format("{}", i) / "model";
    PLUMB_TRY(member, rlhf::open_single_reward({model, {}}));
    members.push_back(std::move(member));
  }
  return rlhf::RewardEnsemble::make(fmt::format("round {}", round), std::move(members),
                                    {.combination = o_.combination});
}

Result<std::vector<QuestionPair>> LoopRound::chosen(
    const std::vector<rlhf::Sample>& samples) const {
  std::vector<QuestionPair> pairs = candidate_pairs(samples);
  if (pairs.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no prompt has two different completions to ask about; draw more "
                            "samples a prompt",
                            (here_ / "samples.jsonl").string()));
  }
  Json weights = {{"candidates", pairs.size()}};
  if (round_ > 1) {
    PLUMB_TRY(ensemble, ensemble_of(round_ - 1));
    std::vector<std::vector<double>> logits;
    const auto texts = completed_texts(samples);
    for (const auto& member : ensemble->members()) {
      PLUMB_TRY(scores, member->score(texts, o_.threads));
      for (double& score : scores) score *= member->logit_scale();
      logits.push_back(std::move(scores));
    }
    weigh_pairs(pairs, samples, logits);
    weights["variance"] = mean_variance(pairs);
  }
  const Choosing how = round_ == 1 ? Choosing::kRandom : o_.choosing;
  std::vector<QuestionPair> asked =
      choose_pairs(std::move(pairs), o_.questions, how, Stream(o_.seed, "loop questions", round_));
  weights["chosen_by"] = choosing_name(how);
  if (round_ > 1) weights["asked_variance"] = mean_variance(asked);
  const auto written = write_whole(here_ / "chosen.json", to_text(weights) + "\n");
  if (!written) return tl::unexpected(written.error());
  return asked;
}

Result<void> LoopRound::ask() {
  if (is_there(here_ / "task.jsonl")) return {};
  PLUMB_TRY(policy, policy_before());
  const DrawOptions how{.group = o_.samples,
                        .max_tokens = o_.max_tokens,
                        .seed = Stream(o_.seed, "loop samples", round_).next(),
                        .threads = o_.threads,
                        .progress = progress("sampling the policy")};
  const fs::path file = here_ / "samples.jsonl";
  if (auto done = draw_samples(policy, world_.training, nullptr, how, file); !done) return done;
  PLUMB_TRY(samples, rlhf::read_samples(file));
  PLUMB_TRY(asked, chosen(samples));
  return write_whole(here_ / "task.jsonl",
                     tasks::format_task(question_task(samples, asked, round_, o_.seed)));
}

Result<bool> LoopRound::answer() {
  if (is_there(here_ / "answers.jsonl")) return true;
  if (o_.people) return false;
  PLUMB_TRY(task, tasks::read_task(here_ / "task.jsonl"));
  PLUMB_TRY(samples, rlhf::read_samples(here_ / "samples.jsonl"));
  PLUMB_TRY(gold, gold_of_questions(task, samples, *world_.gold, o_.threads));
  const auto sheets = simulated_answers(gold, o_, round_);
  const auto written = write_whole(here_ / "answers.jsonl", tasks::format_answers(task, sheets));
  if (!written) return tl::unexpected(written.error());
  return true;
}

// The reward model of the round before on the answers of this one, which it has not seen.
Result<Json> LoopRound::prequential() const {
  if (round_ == 1) return Json{{"reason", "no reward model has learnt anything yet"}};
  PLUMB_TRY(data, answers_of_round(o_.folder, round_));
  PLUMB_TRY(ensemble, ensemble_of(round_ - 1));
  PLUMB_TRY(scored, rlhf::score_comparisons(*ensemble, data, o_.threads));
  for (auto& pair : scored.values) {
    for (double& score : pair) score *= ensemble->logit_scale();
  }
  const auto found = rlhf::evaluate_scores(
      data, scored.values,
      {.sampling = {.resamples = 500, .seed = o_.seed, .threads = o_.threads}});
  if (!found) return Json{{"reason", found.error().message}};
  const rlhf::PairAccuracy& accuracy = found->accuracy;
  return Json{{"n", accuracy.n},
              {"accuracy", accuracy.half_tie.value},
              {"accuracy_ci", Json::array({accuracy.half_tie.ci.low, accuracy.half_tie.ci.high})},
              {"log_loss", found->log_loss ? Json(*found->log_loss) : Json()},
              {"log_loss_ci", interval_json(found->log_loss_ci)}};
}

// How many were asked and answered, and how often the answers say what the gold says.
Result<Json> LoopRound::questions_json() const {
  PLUMB_TRY(task, tasks::read_task(here_ / "task.jsonl"));
  const std::string files[] = {(here_ / "answers.jsonl").string()};
  PLUMB_TRY(sheets, tasks::read_all_answers(files, task));
  PLUMB_TRY(answered, read_file(files[0]));
  PLUMB_TRY(json, read_json_object(here_ / "chosen.json"));
  std::vector<std::array<double, 2>> gold;
  if (world_.gold != nullptr) {
    PLUMB_TRY(samples, rlhf::read_samples(here_ / "samples.jsonl"));
    PLUMB_TRY(scores, gold_of_questions(task, samples, *world_.gold, o_.threads));
    gold = std::move(scores);
  }
  std::size_t answers = 0, undecided = 0;
  double right = 0, judged = 0;
  for (const tasks::AnswerSheet& sheet : sheets) {
    for (std::size_t i = 0; i < task.items.size(); ++i) {
      if (!sheet.answers[i]) continue;
      ++answers;
      const double choice = (*sheet.answers[i])[0];
      if (choice > 1) {
        ++undecided;
      } else if (!gold.empty() && gold[i][0] != gold[i][1]) {
        right += (gold[i][0] > gold[i][1]) == (choice == 0) ? 1 : 0;
        judged += 1;
      }
    }
  }
  json.update({{"questions", task.items.size()},
               {"answers", answers},
               {"answers_sha256", sha256(answered)},
               {"annotators", sheets.size()},
               {"undecided", undecided},
               {"as_gold", judged > 0 ? Json(right / judged) : Json()}});
  return json;
}

Result<std::size_t> LoopRound::train_members() const {
  PLUMB_TRY(data, answers_so_far(o_.folder, round_));
  std::size_t comparisons = 0;
  for (std::size_t i = 0; i < o_.members; ++i) {
    rlhf::RewardTrainOptions how;
    how.run = here_ / "models" / fmt::format("{}", i);
    how.epochs = o_.epochs;
    how.seed = o_.seed + i;
    how.threads = o_.threads;
    const Progress bar = progress(fmt::format("reward model {} of {}", i + 1, o_.members));
    PLUMB_TRY(trained, rlhf::train_reward(o_.base, data, how, [&](const lm::TrainStatus& status) {
                bar(status.step, status.steps);
              }));
    comparisons = trained.comparisons;
  }
  return comparisons;
}

Result<Json> LoopRound::train_policy() const {
  PLUMB_TRY(reward, ensemble_of(round_));
  rlhf::PolicyOptions how;
  how.run = here_ / "policy";
  how.steps = o_.steps;
  how.max_tokens = o_.max_tokens;
  how.schedule.rate = static_cast<float>(o_.rate);
  how.kl_budget = o_.kl_budget;
  how.evaluate_every = how.save_every = std::max<std::size_t>(o_.steps / 4, 1);
  how.seed = Stream(o_.seed, "loop policy", round_).next() >> 1;
  how.threads = o_.threads;
  const Progress bar = progress("optimising the policy");
  PLUMB_TRY(run, rlhf::train_policy({.start = world_.base,
                                     .tokenizer = lm::tokenizer_path(o_.base),
                                     .training = world_.training,
                                     .held_out = world_.measured,
                                     .proxy = reward.get(),
                                     .gold = world_.gold.get()},
                                    how, [&](const rlhf::PolicyStatus& status) {
                                      bar(status.step, status.steps);
                                    }));
  const Json& end = run.evaluations.back();
  Json json = Json::object();
  for (const char* field :
       {"step", "prompts", "kl", "kl_ci", "proxy", "proxy_ci", "gold", "gold_ci"}) {
    json[field] = end.value(field, Json());
  }
  if (world_.gold == nullptr) return json;
  PLUMB_TRY(gold, gold_by_prompt(how.run));
  json["prompt_gold"] = gold;
  return json;
}

Result<Json> LoopRound::learn() {
  const fs::path file = here_ / "round.json";
  if (is_there(file)) return read_json_object(file);
  Json json = {{"round", round_}};
  PLUMB_TRY(questions, questions_json());
  json.update(questions);
  PLUMB_TRY(old, prequential());
  json["prequential"] = std::move(old);
  PLUMB_TRY(comparisons, train_members());
  json["trained_on"] = comparisons;
  PLUMB_TRY(policy, train_policy());
  json["policy"] = std::move(policy);
  if (auto written = write_whole(file, to_text(json) + "\n"); !written) {
    return tl::unexpected(written.error());
  }
  return json;
}

}  // namespace plumb::mismatch
