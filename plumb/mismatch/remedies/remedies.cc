#include "plumb/mismatch/remedies/remedies.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/lm/run_folder.h"

namespace plumb::mismatch {
namespace {

Json manifest_of(const RemedyOptions& o, const lm::LanguageModel& base) {
  return {{"schema", "plumb.remedies-run/1"},
          {"base_sha256", lm::weights_hash(base.transformer)},
          {"gold", o.gold},
          {"training_prompts", o.training_prompts},
          {"measured_prompts", o.measured_prompts},
          {"prompt_words", o.prompt_words},
          {"max_tokens", o.max_tokens},
          {"pairs", o.pairs},
          {"noise", o.noise},
          {"epochs", o.epochs},
          {"members", o.members},
          {"samples", o.samples},
          {"steps", o.steps},
          {"rate", o.rate},
          {"kl_budget", o.kl_budget},
          {"weight", o.weight},
          {"mix_weight", o.mix_weight},
          {"temperature", o.temperature},
          {"seed", o.seed}};
}

bool named(const RemedyOptions& o, std::string_view name) {
  return o.remedies.empty() || std::ranges::find(o.remedies, name) != o.remedies.end();
}

// A baseline is measured where anything is compared with it.
bool wanted(const RemedyOptions& o, std::string_view name) {
  if (named(o, name) || name == "none") return true;
  return name == "best-of-n" && named(o, "soft-best-of-n");
}

Result<void> check(const RemedyOptions& o) {
  for (const std::string& name : o.remedies) {
    if (std::ranges::find(all_remedies(), name, &Remedy::name) != all_remedies().end()) continue;
    return fail(ErrorKind::kUsage,
                fmt::format("no remedy is called \"{}\"; there are {}", name, remedy_names()));
  }
  const bool ensembles = named(o, "ensemble-worst") || named(o, "ensemble-uncertain");
  if (ensembles && o.members < 2) {
    return fail(ErrorKind::kUsage, "an ensemble of one reward model: take two members or more");
  }
  if (named(o, "relabelling") && o.training_prompts < 4) {
    return fail(ErrorKind::kUsage, "relabelling halves the training prompts: take four or more");
  }
  return {};
}

}  // namespace

std::string remedy_names() {
  std::string names;
  for (const Remedy& remedy : all_remedies()) {
    names += (names.empty() ? "" : ", ") + std::string(remedy.name);
  }
  return names;
}

Result<RemedyReport> run_remedies(const RemedyOptions& options, const ChainWatch& watch) {
  if (auto sound = check(options); !sound) return tl::unexpected(sound.error());
  PLUMB_TRY(base, lm::load_language_model(options.base));
  if (auto opened = lm::open_run(options.folder, manifest_of(options, base)); !opened) {
    return tl::unexpected(opened.error());
  }
  PLUMB_TRY(study, RemedyStudy::open(options, watch));
  RemedyReport report;
  for (const Remedy& remedy : all_remedies()) {
    if (!wanted(options, remedy.name)) continue;
    PLUMB_TRY(path, remedy.measure(*study));
    report.paths.push_back(std::move(path));
  }
  report.comparison = compare_remedies(
      report.paths,
      {.level = options.level,
       .sampling = {.resamples = 2000, .seed = options.seed, .threads = options.threads}});
  return report;
}

}  // namespace plumb::mismatch
