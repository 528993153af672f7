// Simulated people: compare completions of one prompt by a gold reward, and err as people do.
//
// Who uses it: a study with a known truth needs preferences to learn from. Pairs are drawn within a
// prompt, from the distinct completions of the samples; the order in which a comparer sees the two
// is drawn for each comparison.
//
//   PLUMB_TRY(gold, open_world("world:story"));
//   PLUMB_TRY(labels, compare_samples(samples, *gold, {.noise = {.flip = 0.25}}));
//   write_file_atomic("prefs.jsonl", preference_lines(labels));
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/base/result.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/samples.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::rlhf {

struct ComparerNoise {
  enum class Kind {
    kFlip,          // the better one but for a share `flip` of comparisons (Dubois et al. 2023)
    kBradleyTerry,  // A with probability 1 / (1 + exp((b - a) / temperature))
  };
  Kind kind = Kind::kFlip;
  double flip = 0;         // 0 to 0.5
  double temperature = 1;  // above 0, in units of the gold reward
  // Of kBradleyTerry, log theta of Rao and Kupper (1967), 0 or more: a comparer says A with
  // probability 1 / (1 + theta exp((b - a) / temperature)), B likewise, and else calls it a tie.
  double log_theta = 0;
};

struct CompareOptions {
  ComparerNoise noise = {};
  std::size_t pairs_per_prompt = 1;  // fewer where a prompt has fewer
  std::size_t annotators = 1;        // each compares every pair, with errors of its own
  std::uint64_t seed = 0;
  int threads = 0;
};

struct LabelledPair {
  std::string prompt;
  std::string texts[2];  // in the order seen
  double gold[2];
  std::vector<tasks::Choice> votes;  // by annotator: A, B or a tie
};

struct Labels {
  std::vector<LabelledPair> pairs;   // prompts in the order of their first sample
  std::size_t prompts_left_out = 0;  // with fewer than two distinct completions
  std::size_t equal_gold = 0;        // pairs between which a coin decided
  std::size_t against_gold = 0;      // votes for the one of the lower gold score
  std::size_t ties = 0;              // votes for neither
};

// What an annotator says of two: A, B, or a tie where its model has them; without ties equal gold
// is a coin. Pure: the same stream, the same vote.
tasks::Choice vote_on(double first, double second, const ComparerNoise& noise, Stream& stream);

// kBadInput: no prompt has two distinct completions; what the reward says.
Result<Labels> compare_samples(std::span<const Sample> samples, Reward& gold,
                               const CompareOptions& options);

// JSON lines as TRL reads them, a line a vote for one of the two (ties have no place there):
// prompt, chosen, rejected, and the gold scores of both as score_chosen and score_rejected.
std::string preference_lines(const Labels& labels);

// The same as a task and the answers of simulated raters ("comparer 1", ...).
struct ComparisonTask {
  tasks::Task task;
  std::vector<tasks::AnswerSheet> answers;
};
ComparisonTask comparison_task(const Labels& labels, const CompareOptions& options,
                               const std::string& name);

}  // namespace plumb::rlhf
