// Answers to the questions of a round: of simulated annotators, or of people out of files; and all
// of them together, as a reward model learns them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "plumb/mismatch/loop/loop.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::mismatch {

// The gold scores of both sides of each question. A text ended as its sample did.
Result<std::vector<std::array<double, 2>>> gold_of_questions(const tasks::Task& task,
                                                             std::span<const rlhf::Sample> samples,
                                                             rlhf::Reward& gold, int threads);

// "comparer 1", ... prefer the side of the higher gold but for a share of errors; answer i of
// annotator a takes Stream(seed, "loop comparer a", i).
std::vector<tasks::AnswerSheet> simulated_answers(std::span<const std::array<double, 2>> gold,
                                                  const LoopOptions& options, std::size_t round);

// The comparisons of rounds 1 to `last` with their votes.
Result<rlhf::PreferenceData> answers_so_far(const std::filesystem::path& folder, std::size_t last);

// The comparisons of one round.
Result<rlhf::PreferenceData> answers_of_round(const std::filesystem::path& folder,
                                              std::size_t round);

}  // namespace plumb::mismatch
