#include "plumb/mismatch/loop/questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace plumb::mismatch {
namespace {

constexpr std::string_view kChoosing[] = {"variance", "random"};

double variance_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return squares / n;
}

double token_probability(const rlhf::Sample& a, const rlhf::Sample& b) {
  if (!a.log_probability || !b.log_probability || !a.tokens || !b.tokens) return 1;
  const auto tokens = static_cast<double>(*a.tokens + *b.tokens);
  return tokens == 0 ? 1 : std::exp((*a.log_probability + *b.log_probability) / tokens);
}

}  // namespace

std::string_view choosing_name(Choosing choosing) {
  return kChoosing[static_cast<std::size_t>(choosing)];
}

std::optional<Choosing> parse_choosing(std::string_view name) {
  for (const Choosing one : {Choosing::kVariance, Choosing::kRandom}) {
    if (choosing_name(one) == name) return one;
  }
  return std::nullopt;
}

std::vector<QuestionPair> candidate_pairs(std::span<const rlhf::Sample> samples) {
  std::map<std::string_view, std::size_t> numbers;
  std::vector<std::vector<std::size_t>> distinct;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto [found, is_new] = numbers.emplace(samples[i].prompt, distinct.size());
    if (is_new) distinct.emplace_back();
    if (!seen.emplace(samples[i].prompt, samples[i].completion).second) continue;
    distinct[found->second].push_back(i);
  }
  std::vector<QuestionPair> pairs;
  for (std::size_t p = 0; p < distinct.size(); ++p) {
    for (std::size_t i = 0; i < distinct[p].size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) pairs.push_back({distinct[p][j], distinct[p][i], p});
    }
  }
  return pairs;
}

void weigh_pairs(std::span<QuestionPair> pairs, std::span<const rlhf::Sample> samples,
                 std::span<const std::vector<double>> logits) {
  std::vector<double> differences(logits.size());
  for (QuestionPair& pair : pairs) {
    for (std::size_t m = 0; m < logits.size(); ++m) {
      differences[m] = logits[m][pair.first] - logits[m][pair.second];
    }
    pair.variance = variance_of(differences);
    pair.probability = token_probability(samples[pair.first], samples[pair.second]);
  }
}

std::vector<QuestionPair> choose_pairs(std::vector<QuestionPair> pairs, std::size_t count,
                                       Choosing choosing, Stream stream) {
  if (choosing == Choosing::kRandom) {
    shuffle(std::span(pairs), stream);
  } else {
    std::ranges::stable_sort(pairs, std::greater{}, &QuestionPair::worth);
  }
  // The place of each among the pairs of its prompt; every prompt's first before any second.
  std::map<std::size_t, std::size_t> taken;
  std::vector<std::pair<std::size_t, QuestionPair>> ordered;
  for (const QuestionPair& pair : pairs) ordered.emplace_back(taken[pair.prompt]++, pair);
  std::ranges::stable_sort(ordered, {}, [](const auto& one) { return one.first; });
  std::vector<QuestionPair> chosen;
  for (std::size_t i = 0; i < std::min(count, ordered.size()); ++i) {
    chosen.push_back(ordered[i].second);
  }
  return chosen;
}

tasks::Task question_task(std::span<const rlhf::Sample> samples,
                          std::span<const QuestionPair> pairs, std::size_t round,
                          std::uint64_t seed) {
  tasks::Task task;
  task.name = fmt::format("round-{}", round);
  task.kind = tasks::Kind::kPreference;
  task.instruction = "Which of the two is the better continuation?";
  Stream stream(seed, "question sides", round);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const rlhf::Sample *a = &samples[pairs[i].first], *b = &samples[pairs[i].second];
    if (stream.below(2) == 1) std::swap(a, b);
    task.items.push_back({.id = fmt::format("round-{}-question-{}", round, i + 1),
                          .texts = {a->prompt, a->completion, b->completion}});
  }
  return task;
}

}  // namespace plumb::mismatch
