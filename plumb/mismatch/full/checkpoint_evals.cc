#include "plumb/mismatch/full/checkpoint_evals.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/evals/suites/suite.h"
#include "plumb/evals/writers/local_writer.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

Result<std::vector<evals::Suite>> load(const CheckpointEvalOptions& options) {
  std::vector<evals::Suite> suites;
  for (const std::string& name : options.suites) {
    PLUMB_TRY(suite, evals::load_suite(name, {.items = options.items}));
    suites.push_back(std::move(suite));
  }
  return suites;
}

// The steps whose weights were kept, ascending.
Result<std::vector<std::size_t>> kept_steps(const fs::path& run, std::size_t every) {
  std::set<std::size_t> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints", code)) {
    const std::string name = entry.path().filename().string();
    const bool digits = !name.empty() && name.size() < 10 &&
                        std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (digits) found.insert(std::stoul(name));
  }
  if (found.empty()) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: no checkpoints were kept, of which evaluations could be asked",
                            (run / "checkpoints").string()));
  }
  const std::vector<std::size_t> all(found.begin(), found.end());
  std::vector<std::size_t> steps;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % every == 0 || i + 1 == all.size()) steps.push_back(all[i]);
  }
  return steps;
}

bool kept(const evals::EvalRow& row, const evals::Suite& suite) {
  if (row.note.starts_with("baseline")) return false;
  return suite.choices.empty() || row.metric == "acc" || row.metric.starts_with("flip");
}

Result<Json> evaluate(const fs::path& model, std::span<const evals::Suite> suites,
                      const CheckpointEvalOptions& options) {
  PLUMB_TRY(checkpoint, lm::load_language_model({model, {}}));
  const auto writer = evals::make_local_writer(checkpoint, options.threads);
  Json rows = Json::array();
  for (const evals::Suite& suite : suites) {
    PLUMB_TRY(done, evals::run_suite(suite, *writer, {.level = options.level}));
    for (const evals::EvalRow& row : done.rows) {
      if (kept(row, suite)) rows.push_back(evals::row_json(row));
    }
  }
  return rows;
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

}  // namespace

std::vector<std::string> suites_built_in() {
  std::vector<std::string> names;
  for (const evals::SuiteKind& kind : evals::suite_kinds()) {
    if (kind.data.empty()) names.emplace_back(kind.id);
  }
  return names;
}

Result<void> evaluate_checkpoints(const fs::path& run, const CheckpointEvalOptions& options) {
  PLUMB_TRY(suites, load(options));
  PLUMB_TRY(steps, kept_steps(run, std::max<std::size_t>(options.every, 1)));
  const fs::path folder = run / "evals";
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("create", folder, code.value()));
  std::string lines;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string step = std::to_string(steps[i]);
    const fs::path file = folder / (step + ".json");
    if (!is_there(file)) {
      PLUMB_TRY(rows, evaluate(run / "checkpoints" / step, suites, options));
      const Json line = {{"schema", "plumb.eval/1"}, {"step", steps[i]}, {"rows", rows}};
      if (auto written = write_file_atomic(file, to_text(line) + "\n"); !written) return written;
    }
    PLUMB_TRY(line, read_file(file));
    lines += line;
    if (options.progress) options.progress(i + 1, steps.size());
  }
  return write_file_atomic(run / "evals.jsonl", lines);
}

Result<void> write_choice_pairs(const fs::path& reward_model, const CheckpointEvalOptions& options,
                                const fs::path& file) {
  if (is_there(file)) return {};
  PLUMB_TRY(suites, load(options));
  PLUMB_TRY(reward, rlhf::open_reward(reward_model.string()));
  std::string lines;
  for (const evals::Suite& suite : suites) {
    for (std::size_t i = 0; i < suite.choices.size(); ++i) {
      const evals::ChoicePrompt& asked = suite.choices[i];
      std::vector<std::string> choices;
      for (const std::string& choice : asked.item.choices) choices.push_back(" " + choice);
      std::vector<rlhf::Completed> texts;
      for (const std::string& choice : choices) texts.push_back({asked.context, choice, true});
      PLUMB_TRY(scores, reward->score(texts, options.threads));
      for (std::size_t c = 0; c < choices.size(); ++c) {
        if (c == asked.item.gold) continue;
        lines += to_text(Json{{"eval", asked.part},
                              {"prompt", fmt::format("{} {}", asked.part, i)},
                              {"chosen", scores[asked.item.gold]},
                              {"rejected", scores[c]}}) +
                 "\n";
      }
    }
  }
  return write_file_atomic(file, lines);
}

}  // namespace plumb::mismatch
