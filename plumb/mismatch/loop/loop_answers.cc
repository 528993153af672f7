#include "plumb/mismatch/loop/loop_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/mismatch/loop/loop_settings.h"
#include "plumb/rlhf/worlds/comparers.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// The round whose questions wait for answers; 0: none.
std::size_t waiting_round(const fs::path& folder) {
  std::size_t round = 1;
  while (is_there(round_folder(folder, round) / "answers.jsonl")) ++round;
  return is_there(round_folder(folder, round) / "task.jsonl") ? round : 0;
}

// Another round whose questions the files answer; 0: none.
std::size_t round_of_answers(const fs::path& folder, std::span<const std::string> files,
                             std::size_t waiting) {
  for (std::size_t round = 1; round < waiting; ++round) {
    const auto task = tasks::read_task(round_folder(folder, round) / "task.jsonl");
    if (task && tasks::read_all_answers(files, *task)) return round;
  }
  return 0;
}

TakenAnswers counted(std::size_t round, const tasks::Task& task,
                     std::span<const tasks::AnswerSheet> sheets) {
  TakenAnswers taken{round, 0, sheets.size(), task.items.size(), 0};
  for (const tasks::AnswerSheet& sheet : sheets) taken.answers += sheet.answered();
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const auto says = [i](const tasks::AnswerSheet& sheet) { return sheet.answers[i].has_value(); };
    taken.answered += std::ranges::any_of(sheets, says) ? 1 : 0;
  }
  return taken;
}

}  // namespace

Result<std::vector<std::array<double, 2>>> gold_of_questions(const tasks::Task& task,
                                                             std::span<const rlhf::Sample> samples,
                                                             rlhf::Reward& gold, int threads) {
  std::map<std::pair<std::string_view, std::string_view>, bool> ended;
  for (const rlhf::Sample& sample : samples) {
    ended.emplace(std::pair(std::string_view(sample.prompt), std::string_view(sample.completion)),
                  sample.ended.value_or(true));
  }
  std::vector<rlhf::Completed> texts;
  for (const tasks::Item& item : task.items) {
    for (const std::size_t side : {1U, 2U}) {
      const auto found = ended.find({item.texts[0], item.texts[side]});
      texts.push_back({item.texts[0], item.texts[side], found == ended.end() || found->second});
    }
  }
  PLUMB_TRY(scores, gold.score(texts, threads));
  std::vector<std::array<double, 2>> pairs;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    pairs.push_back({scores[2 * i], scores[2 * i + 1]});
  }
  return pairs;
}

std::vector<tasks::AnswerSheet> simulated_answers(std::span<const std::array<double, 2>> gold,
                                                  const LoopOptions& options, std::size_t round) {
  std::vector<tasks::AnswerSheet> sheets;
  const std::uint64_t seed = Stream(options.seed, "loop answers", round).next();
  for (std::size_t a = 0; a < options.annotators; ++a) {
    tasks::AnswerSheet& sheet = sheets.emplace_back();
    sheet.rater = fmt::format("comparer {}", a + 1);
    sheet.kind = tasks::RaterKind::kSimulated;
    for (std::size_t i = 0; i < gold.size(); ++i) {
      Stream stream(seed, fmt::format("loop comparer {}", a), i);
      const tasks::Choice choice =
          rlhf::vote_on(gold[i][0], gold[i][1], {.flip = options.noise}, stream);
      sheet.answers.emplace_back(tasks::Answer{static_cast<double>(choice), 0});
    }
  }
  return sheets;
}

Result<rlhf::PreferenceData> answers_of_round(const fs::path& folder, std::size_t round) {
  const fs::path here = round_folder(folder, round);
  const std::string answers[] = {(here / "answers.jsonl").string()};
  return rlhf::read_preferences((here / "task.jsonl").string(), answers);
}

Result<rlhf::PreferenceData> answers_so_far(const fs::path& folder, std::size_t last) {
  rlhf::PreferenceData all;
  all.file = (folder / "rounds").string();
  all.order_known = true;
  for (std::size_t round = 1; round <= last; ++round) {
    PLUMB_TRY(one, answers_of_round(folder, round));
    std::ranges::move(one.comparisons, std::back_inserter(all.comparisons));
  }
  return all;
}

Result<TakenAnswers> take_answers(const fs::path& folder, std::span<const std::string> files) {
  PLUMB_TRY(options, read_loop(folder));
  const std::size_t round = waiting_round(folder);
  if (round == 0 || !options.people) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: no round waits for answers{}", folder.string(),
                            options.people ? "; go on without --answers" : ": they are simulated"));
  }
  const fs::path here = round_folder(folder, round);
  PLUMB_TRY(task, tasks::read_task(here / "task.jsonl"));
  const auto sheets = tasks::read_all_answers(files, task);
  if (!sheets) {
    const std::size_t other = round_of_answers(folder, files, round);
    if (other == 0) return tl::unexpected(sheets.error());
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: these are answers to round {}; the loop waits for those to round "
                            "{}, whose questions are {}",
                            files[0], other, round, (here / "task.jsonl").string()));
  }
  const TakenAnswers taken = counted(round, task, *sheets);
  if (taken.answers == 0) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: not one answer to round {}", files[0], round));
  }
  auto kept = write_file_atomic(here / "answers.jsonl", tasks::format_answers(task, *sheets));
  if (!kept) return tl::unexpected(kept.error());
  return taken;
}

}  // namespace plumb::mismatch
