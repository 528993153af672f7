// Which comparisons to ask people for: those of which the members of an ensemble make the least the
// same thing, where the policy goes; or any, for comparison.
//
//   auto pairs = candidate_pairs(samples);
//   weigh_pairs(pairs, samples, logits);
//   const auto chosen = choose_pairs(pairs, 60, Choosing::kVariance, stream);
//   tasks::Task task = question_task(samples, chosen, 2);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/rlhf/samples.h"
#include "plumb/tasks/task.h"

namespace plumb::mismatch {

enum class Choosing : std::uint8_t { kVariance, kRandom };
std::string_view choosing_name(Choosing choosing);  // "variance", "random"
std::optional<Choosing> parse_choosing(std::string_view name);

struct QuestionPair {
  std::size_t first, second;  // places of the samples
  std::size_t prompt;         // from 0, in the order of the samples
  double variance = 0;        // over members, of the difference of both logits
  // Of a token of the two, under the policy that drew them: the geometric mean. The probability of
  // a whole completion would say how short it is.
  double probability = 1;

  double worth() const { return variance * probability; }
};

// Every pair of a prompt's distinct completions, in their order.
std::vector<QuestionPair> candidate_pairs(std::span<const rlhf::Sample> samples);

// logits: [members][samples]. Samples without log-probability and tokens have probability 1.
void weigh_pairs(std::span<QuestionPair> pairs, std::span<const rlhf::Sample> samples,
                 std::span<const std::vector<double>> logits);

// `count` of them, fewer where there are fewer: the worthiest of each prompt first, prompts by that
// worth, then the second of each, so that no prompt has two questions before every prompt has one.
// Random: in an order of the stream, prompts alike.
std::vector<QuestionPair> choose_pairs(std::vector<QuestionPair> pairs, std::size_t count,
                                       Choosing choosing, Stream stream);

// A preference task without gold, its sides in an order of Stream(seed, "question sides", round).
// Items are named "round-2-question-1", ...
tasks::Task question_task(std::span<const rlhf::Sample> samples,
                          std::span<const QuestionPair> pairs, std::size_t round,
                          std::uint64_t seed);

}  // namespace plumb::mismatch
