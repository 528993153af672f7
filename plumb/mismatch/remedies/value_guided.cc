// Value-guided decoding (Yang and Klein 2021; Deng and Raffel 2023; Mudgal et al. 2024): each token
// is drawn by its probability and by the proxy's score that it leads to. The base model stays as it
// is; what learns is a network of what beginnings lead to, from completions of the base model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "plumb/mismatch/chain/samples.h"
#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/nn/guided_generator.h"
#include "plumb/rlhf/policy/prefix_values.h"
#include "plumb/rlhf/policy/text_mix.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {
namespace {

constexpr std::size_t kEach = 4;        // completions of a measured prompt
constexpr std::size_t kCandidates = 8;  // tokens that are asked about

// Completions of the training prompts with the proxy's scores, in its deviations within prompts.
struct Lesson {
  std::vector<rlhf::Sequence> sequences;
  std::vector<double> scores;
  double drawn = 0, read = 0;  // tokens drawn for this alone; read by the proxy
};

std::vector<double> standardised(std::span<const rlhf::Sample> samples,
                                 std::span<const double> scores) {
  std::map<std::string_view, std::pair<double, double>> sums;  // of scores, of samples
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    auto& [own, count] = sums[samples[i].prompt];
    own += scores[i];
    count += 1;
    sum += scores[i];
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto& [own, count] = sums.at(samples[i].prompt);
    squares += (scores[i] - own / count) * (scores[i] - own / count);
  }
  const auto n = static_cast<double>(scores.size());
  const double freedom = std::max(n - static_cast<double>(sums.size()), 1.0);
  const double deviation = std::max(std::sqrt(squares / freedom), 1e-12);
  std::vector<double> standard;
  for (const double score : scores) standard.push_back((score - sum / n) / deviation);
  return standard;
}

Result<Lesson> lesson_of(RemedyStudy& study) {
  Lesson lesson;
  std::vector<rlhf::Sample> samples = study.comparisons();
  PLUMB_TRY(more, study.draw("value-guided", study.base(), 0, study.options().training_prompts));
  lesson.drawn = tokens_of(more);
  std::ranges::move(more, std::back_inserter(samples));
  lesson.read = tokens_of(samples);
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(scores, proxy->score(completed_texts(samples), study.options().threads));
  const std::vector<double> standard = standardised(samples, scores);
  const std::size_t context = study.base().transformer.config().context;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    PLUMB_TRY(one, rlhf::sequences_of({&samples[i], 1}, study.base()));
    if (one.empty() || one[0].tokens.size() > context) continue;
    lesson.sequences.push_back(std::move(one[0]));
    lesson.scores.push_back(standard[i]);
  }
  return lesson;
}

// Completions of the measured prompts, of step 0 without guidance and of step 1 with it.
Result<void> draw_guided(RemedyStudy& study, const nn::Transformer& values,
                         const std::filesystem::path& file) {
  const RemedyOptions& o = study.options();
  const lm::LanguageModel& base = study.base();
  const nn::GuidedGenerator generator(base.transformer, values);
  std::vector<std::vector<std::int32_t>> prompts;
  for (const rlhf::Prompt& prompt : study.measured()) {
    prompts.insert(prompts.end(), kEach, prompt.tokens);
  }
  const nn::Guidance guidance[] = {
      {.tokens = kCandidates, .strength = 0},
      {.tokens = kCandidates, .strength = 1 / std::max(o.temperature, 1e-12)}};
  std::vector<rlhf::Sample> samples;
  for (std::size_t step = 0; step < 2; ++step) {
    const auto drawn = generator.generate(prompts,
                                          {.max_tokens = o.max_tokens,
                                           .stop_tokens = base.stop_tokens(),
                                           .seed = o.seed,
                                           .threads = o.threads,
                                           .progress = study.progress("decoding by values")},
                                          guidance[step]);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      PLUMB_TRY(text, rlhf::completion_text(base, drawn[i].completion));
      rlhf::Sample& sample = samples.emplace_back();
      sample.step = step;
      sample.prompt = study.measured()[i / kEach].text;
      sample.completion = std::move(text);
      sample.tokens = drawn[i].completion.tokens.size();
      sample.ended = drawn[i].completion.ending == nn::Ending::kStopToken;
      sample.kl = drawn[i].kl;
    }
  }
  PLUMB_TRY(gold, study.gold().score(completed_texts(samples), o.threads));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].gold = gold[i];
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(scores, proxy->score(completed_texts(samples), o.threads));
  return write_scored(std::move(samples), scores, file);
}

// The samples of one step: each prompt's mean gold, and tokens of one answer to each.
PathPoint point_of(std::span<const rlhf::Sample> samples, double spent) {
  PathPoint point{.step = samples[0].step, .tokens = spent, .kl = 0, .gold = {}};
  point.tokens += tokens_of(samples) / static_cast<double>(kEach);
  point.gold.resize(samples.size() / kEach);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    point.gold[i / kEach] += *samples[i].gold / static_cast<double>(kEach);
    point.kl += *samples[i].kl / static_cast<double>(samples.size());
  }
  return point;
}

double mean_proxy(std::span<const rlhf::Sample> samples) {
  double sum = 0;
  for (const rlhf::Sample& sample : samples) sum += *sample.proxy;
  return sum / static_cast<double>(samples.size());
}

}  // namespace

Result<RemedyPath> value_guided(RemedyStudy& study) {
  const RemedyOptions& o = study.options();
  PLUMB_TRY(lesson, lesson_of(study));
  const rlhf::PrefixValueOptions how{
      .seed = o.seed,
      .threads = o.threads,
      .progress = study.progress("learning what beginnings lead to")};
  const std::filesystem::path file = o.folder / "guided.jsonl";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    const auto values =
        rlhf::learn_prefix_values(study.base().transformer, lesson.sequences, lesson.scores, how);
    const auto done = draw_guided(study, values.model, file);
    if (!done) return tl::unexpected(done.error());
  }
  PLUMB_TRY(samples, rlhf::read_samples(file));
  const auto plain = std::span(samples).first(samples.size() / 2);
  const auto guided = std::span(samples).subspan(samples.size() / 2);
  const double spent = study.proxy().tokens;
  const double trained = rlhf::trained_tokens(lesson.sequences, how);
  RemedyPath path{.name = "value-guided", .baseline = "none"};
  path.points = {point_of(plain, spent), point_of(guided, spent + lesson.drawn + trained)};
  path.scored = lesson.read + (kCandidates + 1) * tokens_of(guided) / kEach;
  path.note = fmt::format(
      "the base model stays as it is: {} tokens are asked about at every step; the proxy gains "
      "{:.3g}; tokens are those of one answer to each of {} prompts",
      kCandidates, mean_proxy(guided) - mean_proxy(plain), o.measured_prompts);
  return path;
}

}  // namespace plumb::mismatch
