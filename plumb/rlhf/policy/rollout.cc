#include "plumb/rlhf/policy/rollout.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace plumb::rlhf {
namespace {

double row_sum(const SequenceBatch& batch, const std::vector<double>& values, std::size_t i) {
  const auto row = batch.row(std::span(values), i);
  return std::accumulate(row.begin(), row.end(), 0.0);
}

Result<std::vector<double>> scores_of(Reward& reward, std::span<const Completed> texts,
                                      int threads) {
  PLUMB_TRY(scores, reward.score(texts, threads));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("reward {}: the score of \"{}{}\" is not finite", reward.name(),
                            texts[i].prompt, texts[i].completion));
  }
  return std::move(scores);
}

}  // namespace

double Rollout::kl(std::size_t i) const { return row_sum(batch, scores.kl, i); }
double Rollout::log_prob(std::size_t i) const { return row_sum(batch, scores.log_probs, i); }
double Rollout::reference(std::size_t i) const { return row_sum(batch, scores.reference, i); }

std::vector<double> Rollout::log_ratios(std::size_t i) const {
  const auto policy = batch.row(std::span(scores.log_probs), i);
  const auto other = batch.row(std::span(scores.reference), i);
  std::vector<double> ratios(policy.size());
  for (std::size_t t = 0; t < ratios.size(); ++t) ratios[t] = policy[t] - other[t];
  return ratios;
}

Result<Rollout> draw(const lm::LanguageModel& model, const nn::Generator& generator, Scorer& scorer,
                     std::span<const Prompt* const> prompts, const Drawing& how) {
  Rollout rollout;
  rollout.group = how.group;
  rollout.prompts.assign(prompts.begin(), prompts.end());
  std::vector<std::vector<std::int32_t>> ids;
  for (const Prompt* prompt : prompts) ids.insert(ids.end(), how.group, prompt->tokens);
  const auto completions = generator.generate(ids, {.max_tokens = how.max_tokens,
                                                    .temperature = how.temperature,
                                                    .stop_tokens = model.stop_tokens(),
                                                    .seed = how.seed,
                                                    .first_index = how.first_index,
                                                    .threads = how.threads,
                                                    .progress = how.progress});
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const nn::Completion& one = completions[i];
    PLUMB_TRY(text, completion_text(model, one));
    rollout.texts.push_back(std::move(text));
    rollout.ended.push_back(one.ending == nn::Ending::kStopToken ? 1 : 0);
    const std::size_t prompt = ids[i].size();
    ids[i].insert(ids[i].end(), one.tokens.begin(), one.tokens.end());
    sequences.push_back({std::move(ids[i]), prompt});
  }
  rollout.batch = SequenceBatch(std::move(sequences), how.parts, scorer.max_tokens());
  rollout.generated.assign(rollout.batch.cells(), 0.0);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    std::ranges::copy(completions[i].log_probabilities,
                      rollout.batch.row(std::span(rollout.generated), i).begin());
  }
  rollout.scores = scorer.against_reference(rollout.batch);
  return rollout;
}

Result<void> reward_rollout(Rollout& rollout, Reward* proxy, Reward* gold, int threads) {
  std::vector<Completed> texts;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    texts.push_back({rollout.prompt(i).text, rollout.texts[i], rollout.ended[i] != 0});
  }
  if (proxy != nullptr) {
    PLUMB_TRY(scores, scores_of(*proxy, texts, threads));
    rollout.proxy = std::move(scores);
  }
  if (gold != nullptr) {
    PLUMB_TRY(scores, scores_of(*gold, texts, threads));
    rollout.gold = std::move(scores);
  }
  return {};
}

std::vector<Sample> samples_of(const Rollout& rollout, std::size_t step) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    Sample& sample = samples.emplace_back();
    sample.step = step;
    sample.prompt = rollout.prompt(i).text;
    sample.completion = rollout.texts[i];
    sample.tokens = rollout.batch.sequences()[i].completion();
    sample.ended = rollout.ended[i] != 0;
    if (!rollout.proxy.empty()) sample.proxy = rollout.proxy[i];
    if (!rollout.gold.empty()) sample.gold = rollout.gold[i];
    sample.kl = rollout.kl(i);
    sample.log_probability = rollout.log_prob(i);
    sample.reference_log_probability = rollout.reference(i);
  }
  return samples;
}

Result<std::string> completion_text(const lm::LanguageModel& model,
                                    const nn::Completion& completion) {
  std::vector<TokenId> ids = completion.tokens;
  if (completion.ending == nn::Ending::kStopToken) ids.pop_back();
  return model.tokenizer.decode(ids, {.continues = true});
}

std::vector<const Prompt*> pointers(std::span<const Prompt> prompts) {
  std::vector<const Prompt*> list;
  for (const Prompt& prompt : prompts) list.push_back(&prompt);
  return list;
}

}  // namespace plumb::rlhf
