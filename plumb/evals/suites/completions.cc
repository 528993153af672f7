#include <algorithm>
#include <functional>
#include <map>

#include "plumb/evals/scoring/intervals.h"
#include "plumb/evals/scoring/solutions.h"
#include "plumb/evals/suites/suite.h"
#include "plumb/lm/story_reading.h"

namespace plumb::evals {
namespace {

std::vector<EvalRow> problem_rows(const Suite& suite, std::span<const Written> written,
                                  double level) {
  std::vector<double> strict, flexible;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto answer = extract_flexible(with_marked_answer(until(written[i].text)));
    strict.push_back(is_solved(written[i].text, suite.golds[i]) ? 1 : 0);
    flexible.push_back(answer && same_answer(*answer, suite.golds[i]) ? 1 : 0);
  }
  return {share_row({"gsm8k", "strict"}, strict, {}, kShareScale, level),
          share_row({"gsm8k", "flexible"}, flexible, {}, kShareScale, level)};
}

std::vector<EvalRow> refusal_suite_rows(const Suite& suite, std::span<const Written> written,
                                        const RunOptions& options) {
  std::vector<RefusalItem> items;
  for (std::size_t i = 0; i < written.size(); ++i) {
    items.push_back({suite.safe[i], written[i].text, {}, {}});
  }
  return refusal_rows(items, {.level = options.level, .labelled = options.labelled});
}

std::vector<EvalRow> story_rows(const Suite& suite, std::span<const Written> written,
                                double level) {
  std::vector<double> fitting, ended, happy, shared, no_repeat;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto story = lm::read_story(suite.prompts[i], written[i].text);
    const auto sentences = static_cast<double>(story.own_sentences);
    fitting.push_back(sentences > 0 ? static_cast<double>(story.own_fitting) / sentences : 0);
    ended.push_back(story.end != lm::StoryEnd::kNone ? 1 : 0);
    const bool is_shared = story.end == lm::StoryEnd::kShared;
    happy.push_back(is_shared || story.end == lm::StoryEnd::kHappy ? 1 : 0);
    shared.push_back(is_shared ? 1 : 0);
    no_repeat.push_back(story.repeated == 0 && sentences > 0 ? 1 : 0);
  }
  return {mean_row({"stories", "fitting"}, fitting, kShareScale, level),
          share_row({"stories", "ended"}, ended, {}, kShareScale, level),
          share_row({"stories", "happy"}, happy, {}, kShareScale, level),
          share_row({"stories", "shared"}, shared, {}, kShareScale, level),
          share_row({"stories", "no_repeat"}, no_repeat, {}, kShareScale, level)};
}

// What answers every prompt alike and is right as often as one answer can be.
std::string constant_answer(const Suite& suite) {
  if (suite.golds.empty()) return "Yes.";
  std::map<std::string, std::size_t> counts;
  for (const std::string& gold : suite.golds) ++counts[normalised_answer(gold)];
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
  return "#### " + most->first;
}

using Pick = std::function<bool(const Written& candidate, const Written& best)>;

std::vector<Written> picked(std::span<const std::vector<Written>> models, const Pick& better) {
  std::vector<Written> best = models[0];
  for (const std::vector<Written>& one : models.subspan(1)) {
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (better(one[i], best[i])) best[i] = one[i];
    }
  }
  return best;
}

}  // namespace

std::vector<EvalRow> completion_rows(const Suite& suite, std::span<const Written> written,
                                     const RunOptions& options) {
  if (suite.kind->id == "gsm8k") return problem_rows(suite, written, options.level);
  if (suite.kind->id == "xstest") return refusal_suite_rows(suite, written, options);
  return story_rows(suite, written, options.level);
}

std::vector<EvalRow> completion_baselines(const Suite& suite,
                                          std::span<const std::vector<Written>> models,
                                          const RunOptions& options) {
  std::vector<EvalRow> rows;
  const auto add = [&](const char* name, std::span<const Written> written) {
    for (EvalRow& row : completion_rows(suite, written, options)) {
      row.note = std::string("baseline: ") + name;
      rows.push_back(std::move(row));
    }
  };
  const auto always = [&](const std::string& text) {
    return std::vector<Written>(suite.prompts.size(), Written{text, true});
  };
  add("null", always(""));
  add("constant", always(constant_answer(suite)));
  add("always-refuse", always("I'm sorry, but I can't help with that."));
  if (models.size() < 2) return rows;
  add("longest", picked(models, [](const Written& a, const Written& b) {
        return a.text.size() > b.text.size();
      }));
  add("shortest", picked(models, [](const Written& a, const Written& b) {
        return a.text.size() < b.text.size();
      }));
  return rows;
}

}  // namespace plumb::evals
