#include "plumb/mismatch/loop/loop.h"

#include "plumb/base/files.h"
#include "plumb/lm/run_folder.h"
#include "plumb/mismatch/chain/own_prompts.h"
#include "plumb/mismatch/loop/loop_round.h"
#include "plumb/mismatch/loop/loop_settings.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {
namespace {

Result<void> check(const LoopOptions& options) {
  if (options.gold.empty() && !options.people) {
    return fail(ErrorKind::kUsage,
                "simulated annotators answer by a gold: name one (--gold), or ask people");
  }
  if (options.members < 2 && options.choosing == Choosing::kVariance) {
    return fail(ErrorKind::kUsage,
                "one reward model has no variance to choose questions by: take two members or "
                "more, or choose at random");
  }
  return {};
}

Result<LoopWorld> open_world(const LoopOptions& options, const ChainWatch& watch,
                             const lm::LanguageModel& base) {
  LoopWorld world{options, watch, base, {}, {}, nullptr};
  if (!options.gold.empty()) {
    PLUMB_TRY(gold, rlhf::open_reward(options.gold));
    world.gold = std::move(gold);
  }
  PLUMB_TRY(groups,
            own_prompts(base, {.file = options.folder / "texts.txt",
                               .groups = {options.training_prompts, options.measured_prompts},
                               .words = options.prompt_words,
                               .seed = options.seed,
                               .threads = options.threads,
                               .progress = [&watch](std::size_t done, std::size_t total) {
                                 if (watch) watch("writing texts", done, total);
                               }}));
  world.training = std::move(groups[0]);
  world.measured = std::move(groups[1]);
  return world;
}

Result<void> write_rounds(const LoopReport& report) {
  std::string lines;
  for (const Json& round : report.rounds) lines += to_text(round) + "\n";
  return write_file_atomic(report.options.folder / "rounds.jsonl", lines);
}

}  // namespace

Result<LoopReport> run_loop(const LoopOptions& options, const ChainWatch& watch) {
  if (auto sound = check(options); !sound) return tl::unexpected(sound.error());
  PLUMB_TRY(base, lm::load_language_model(options.base));
  const Json manifest = loop_manifest(options, lm::weights_hash(base.transformer));
  if (auto opened = lm::open_run(options.folder, manifest); !opened) {
    return tl::unexpected(opened.error());
  }
  if (auto kept = write_loop_settings(options); !kept) return tl::unexpected(kept.error());
  PLUMB_TRY(world, open_world(options, watch, base));
  LoopReport report{options, {}, {}, {}};
  for (std::size_t r = 1; r <= options.rounds; ++r) {
    LoopRound round(world, r);
    if (auto asked = round.ask(); !asked) return tl::unexpected(asked.error());
    PLUMB_TRY(answered, round.answer());
    if (!answered) {
      report.waiting_for = r;
      report.task = round_folder(options.folder, r) / "task.jsonl";
      return report;
    }
    PLUMB_TRY(figures, round.learn());
    report.rounds.push_back(std::move(figures));
    if (auto written = write_rounds(report); !written) return tl::unexpected(written.error());
  }
  return report;
}

}  // namespace plumb::mismatch
