// Iterated relabelling: the same number of comparisons as all others, but the second half of them
// is asked about completions of a policy that was optimised on the first half.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "plumb/base/files.h"
#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/preferences/preference_split.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/worlds/comparers.h"

namespace plumb::mismatch {
namespace {

// Comparisons of the first prompts.
rlhf::PreferenceData of_prompts(const rlhf::PreferenceData& data,
                                const std::vector<std::string>& prompts) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    const std::string prompt = rlhf::comparison_texts(data.comparisons[i]).prompt;
    if (std::ranges::find(prompts, prompt) != prompts.end()) places.push_back(i);
  }
  return rlhf::subset_of(data, places);
}

// What people say of the policy's completions of the other prompts.
Result<rlhf::PreferenceData> asked_anew(RemedyStudy& study, const lm::LanguageModel& policy,
                                        std::size_t first_prompt) {
  const RemedyOptions& o = study.options();
  const std::filesystem::path file = o.folder / "relabelled.jsonl";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    PLUMB_TRY(samples, study.draw("relabelling", policy, first_prompt, o.training_prompts));
    PLUMB_TRY(labels, rlhf::compare_samples(samples, study.gold(),
                                            {.noise = {.flip = o.noise},
                                             .pairs_per_prompt = o.pairs,
                                             .seed = o.seed + 1,
                                             .threads = o.threads}));
    const auto written = write_file_atomic(file, rlhf::preference_lines(labels));
    if (!written) return tl::unexpected(written.error());
  }
  return rlhf::read_preferences(file.string(), {});
}

}  // namespace

Result<RemedyPath> iterated_relabelling(RemedyStudy& study) {
  const RemedyOptions& o = study.options();
  const std::size_t half = o.training_prompts / 2;
  rlhf::PreferenceData data = of_prompts(study.preferences(), study.training_texts(0, half));
  PLUMB_TRY(early, study.train_reward("relabelling-first", data));
  PLUMB_TRY(early_reward, rlhf::open_reward(early.model.string()));
  PLUMB_TRY(first, study.optimise("relabelling-first", *early_reward, early.tokens,
                                  {.steps = std::max<std::size_t>(o.steps / 2, 1)}));
  PLUMB_TRY(policy, lm::load_language_model({study.policy_of("relabelling-first") / "model",
                                             lm::tokenizer_path(o.base)}));
  PLUMB_TRY(anew, asked_anew(study, policy, half));
  const std::size_t asked = anew.comparisons.size();
  std::ranges::move(anew.comparisons, std::back_inserter(data.comparisons));
  PLUMB_TRY(trained, study.train_reward("relabelling", data));
  PLUMB_TRY(reward, rlhf::open_reward(trained.model.string()));
  PLUMB_TRY(path, study.optimise("relabelling", *reward,
                                 first.points.back().tokens + trained.tokens, {}));
  path.scored += first.scored;
  path.note = fmt::format("{} of {} comparisons are of the first policy's completions", asked,
                          data.comparisons.size());
  return std::move(path);
}

}  // namespace plumb::mismatch
