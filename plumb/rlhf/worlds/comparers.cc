#include "plumb/rlhf/worlds/comparers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::rlhf {
namespace {

using tasks::Choice;

// The distinct completions of a prompt, in the order of the samples.
struct Pool {
  std::string_view prompt;
  std::vector<Completed> texts;
  std::unordered_set<std::string_view> seen;
};

std::vector<Pool> pools_of(std::span<const Sample> samples) {
  std::vector<Pool> pools;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const Sample& sample : samples) {
    const auto [place, is_new] = places.emplace(sample.prompt, pools.size());
    if (is_new) pools.push_back({sample.prompt, {}, {}});
    Pool& pool = pools[place->second];
    if (pool.seen.insert(sample.completion).second) {
      pool.texts.push_back({sample.prompt, sample.completion, sample.ended.value_or(true)});
    }
  }
  return pools;
}

// More completions of one prompt are not looked at: their pairs would not fit 32 bits.
constexpr std::size_t kMostTexts = 65536;

// Pair k of the pairs (0, 1), (0, 2), (1, 2), (0, 3), ...
std::pair<std::size_t, std::size_t> pair_at(std::size_t k) {
  auto second = static_cast<std::size_t>((1 + std::sqrt(1 + 8 * static_cast<double>(k))) / 2);
  while (second * (second - 1) / 2 > k) --second;
  while ((second + 1) * second / 2 <= k) ++second;
  return {k - second * (second - 1) / 2, second};
}

// Some of all pairs of n, without one twice (Floyd's sampling), in a random order, each with its
// sides at random.
std::vector<std::pair<std::size_t, std::size_t>> draw_pairs(std::size_t n, std::size_t some,
                                                            Stream& stream) {
  n = std::min(n, kMostTexts);
  const std::size_t all = n * (n - 1) / 2;
  std::unordered_set<std::size_t> taken;
  std::vector<std::size_t> drawn;
  for (std::size_t last = all - std::min(some, all); last < all; ++last) {
    const std::size_t place = stream.below(last + 1);
    drawn.push_back(taken.contains(place) ? last : place);
    taken.insert(drawn.back());
  }
  shuffle(std::span(drawn), stream);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const std::size_t place : drawn) {
    auto [first, second] = pair_at(place);
    if (stream.below(2) == 1) std::swap(first, second);
    pairs.emplace_back(first, second);
  }
  return pairs;
}

void vote(LabelledPair& pair, std::size_t index, const CompareOptions& options, Labels& labels) {
  for (std::size_t annotator = 0; annotator < options.annotators; ++annotator) {
    Stream stream(options.seed, fmt::format("comparer {}", annotator), index);
    const Choice choice = vote_on(pair.gold[0], pair.gold[1], options.noise, stream);
    pair.votes.push_back(choice);
    const double ahead = pair.gold[0] - pair.gold[1];
    labels.against_gold +=
        (choice == Choice::kA && ahead < 0) || (choice == Choice::kB && ahead > 0) ? 1 : 0;
    labels.ties += choice == Choice::kTie ? 1 : 0;
  }
  labels.equal_gold += pair.gold[0] == pair.gold[1] ? 1 : 0;
}

}  // namespace

Choice vote_on(double first, double second, const ComparerNoise& noise, Stream& stream) {
  const double draw = stream.uniform();
  if (noise.kind == ComparerNoise::Kind::kBradleyTerry) {
    const double delta = (first - second) / noise.temperature;
    if (draw < sigmoid(delta - noise.log_theta)) return Choice::kA;
    const bool tie = noise.log_theta > 0 && draw < 1 - sigmoid(-delta - noise.log_theta);
    return tie ? Choice::kTie : Choice::kB;
  }
  const bool says_first = first == second ? draw < 0.5 : (draw < noise.flip) != (first > second);
  return says_first ? Choice::kA : Choice::kB;
}

Result<Labels> compare_samples(std::span<const Sample> samples, Reward& gold,
                               const CompareOptions& options) {
  Labels labels;
  const std::vector<Pool> pools = pools_of(samples);
  for (std::size_t p = 0; p < pools.size(); ++p) {
    const std::vector<Completed>& texts = pools[p].texts;
    if (texts.size() < 2) {
      ++labels.prompts_left_out;
      continue;
    }
    PLUMB_TRY(scores, gold.score(texts, options.threads));
    Stream stream(options.seed, "comparisons", p);
    for (const auto& [a, b] : draw_pairs(texts.size(), options.pairs_per_prompt, stream)) {
      LabelledPair pair{std::string(pools[p].prompt),
                        {std::string(texts[a].completion), std::string(texts[b].completion)},
                        {scores[a], scores[b]},
                        {}};
      vote(pair, labels.pairs.size(), options, labels);
      labels.pairs.push_back(std::move(pair));
    }
  }
  if (labels.pairs.empty()) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("none of {} prompts has two different completions to compare; draw more "
                    "samples a prompt",
                    pools.size()));
  }
  return labels;
}

std::string preference_lines(const Labels& labels) {
  std::string lines;
  for (const LabelledPair& pair : labels.pairs) {
    for (const Choice choice : pair.votes) {
      if (choice == Choice::kTie) continue;
      const std::size_t chosen = choice == Choice::kA ? 0 : 1;
      lines += to_text({{"prompt", pair.prompt},
                        {"chosen", pair.texts[chosen]},
                        {"rejected", pair.texts[1 - chosen]},
                        {"score_chosen", pair.gold[chosen]},
                        {"score_rejected", pair.gold[1 - chosen]}}) +
               "\n";
    }
  }
  return lines;
}

ComparisonTask comparison_task(const Labels& labels, const CompareOptions& options,
                               const std::string& name) {
  const auto answer = [](Choice choice) { return tasks::Answer{static_cast<double>(choice), 0}; };
  ComparisonTask made;
  made.task.name = name;
  made.task.kind = tasks::Kind::kPreference;
  made.task.instruction = "Which of the two is the better continuation?";
  for (std::size_t a = 0; a < options.annotators; ++a) {
    tasks::AnswerSheet sheet{.rater = fmt::format("comparer {}", a + 1),
                             .kind = tasks::RaterKind::kSimulated};
    for (const LabelledPair& pair : labels.pairs) {
      sheet.answers.emplace_back(answer(pair.votes[a]));
    }
    made.answers.push_back(std::move(sheet));
  }
  for (const LabelledPair& pair : labels.pairs) {
    const Choice better = pair.gold[0] == pair.gold[1]  ? Choice::kTie
                          : pair.gold[0] > pair.gold[1] ? Choice::kA
                                                        : Choice::kB;
    made.task.items.push_back({.id = fmt::format("{}", made.task.items.size() + 1),
                               .texts = {pair.prompt, pair.texts[0], pair.texts[1]},
                               .gold = answer(better)});
  }
  return made;
}

}  // namespace plumb::rlhf
