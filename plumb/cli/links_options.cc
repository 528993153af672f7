#include "plumb/cli/links_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/cli/run_names.h"
#include "plumb/mismatch/perturbations/perturbed_pairs.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kResamples = 1000;

Result<std::array<std::string, 3>> input_of(const char* what, const std::string& path) {
  std::error_code ignored;
  const fs::path file =
      fs::is_directory(path, ignored) ? fs::path(path) / "population.jsonl" : fs::path(path);
  PLUMB_TRY(bytes, read_file(file));
  return std::array<std::string, 3>{what, file.string(), sha256(bytes)};
}

// The evaluations of a run folder, which link C takes unasked.
std::optional<std::string> own_evaluations(const std::string& run) {
  std::error_code ignored;
  const fs::path file = fs::path(run) / "evals.jsonl";
  return fs::is_directory(run, ignored) && fs::exists(file, ignored) ? std::optional(file.string())
                                                                     : std::nullopt;
}

void declare_file(CLI::App& verb, const char* name, std::string& file, const char* help) {
  verb.add_option(name, file, help)->type_name("FILE")->check(not_empty());
}

}  // namespace

void LinksArguments::declare(CLI::App& verb) {
  declare_runs(verb, links.start);
  declare_file(verb, "--evals", evaluations,
               "scores at the checkpoints: step, eval, metric, n, score, ci, or item; "
               "evals.jsonl of a run folder is read unasked");
  declare_file(verb, "--population", population,
               "a line a reward model with its metrics and the gold of its policy");
  declare_file(verb, "--pairs", pairs,
               "scored pairs that evaluations give: eval, prompt, chosen, rejected");
  declare_file(verb, "--perturbations", perturbations,
               "scores of changed completions, as `plumb reward perturb --save` writes them");
  declare_file(verb, "--labels", labels, "labels given more than once: item, label");
  declare_file(verb, "--gold-run", gold_run,
               "swap test: a run of the same optimiser against the gold");
  declare_file(verb, "--relabelled", relabelled,
               "swap test: samples of the run whose gold are new labels");
  verb.add_option("--reward", reward,
                  "the proxy: samples', implicit (beta times log-probability less the "
                  "reference's), or auto: implicit for runs of dpo")
      ->type_name("WHICH")
      ->check(one_of("auto, samples, implicit"))
      ->capture_default_str();
  verb.add_option("--beta", beta, "of the implicit reward; that of the run folder unless given")
      ->type_name("X")
      ->check(number(1e-9, 1e9));
  verb.add_flag("--seeds", links.seeds, "the runs are seeds of one training: pool them");
  declare_number(verb, "--efficiency", links.efficiency, 1e-9, 1e9,
                 "gold per proxy, in deviations of the start, that does not matter");
  declare_number(verb, "--accuracy", links.accuracy, 1e-9, 1,
                 "a difference of accuracy from a half that does not matter");
  declare_number(verb, "--tau", links.tau, 1e-9, 1, "a tau that does not matter");
  declare_number(verb, "--correlation", links.correlation, 1e-9, 1,
                 "a correlation over checkpoints that does not matter");
  declare_number(verb, "--margin", links.margin, 1e-9, 1e9,
                 "a change of an evaluation that does not matter");
  fields.declare(verb);
  sampling.values.resamples = kResamples;
  sampling.declare(verb);
}

Result<mismatch::SampleTable> LinksArguments::read(const std::string& run,
                                                   const mismatch::TableOptions& reading) const {
  PLUMB_TRY(table, mismatch::read_link_table(run, reading));
  const auto own = mismatch::implicit_beta(run);
  if (reward == "samples" || (reward == "auto" && (!own || !proxy_by.empty()))) return table;
  if (!beta && !own) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: names no beta, since it is no run folder of dpo; give --beta", run));
  }
  if (auto used = mismatch::use_implicit_reward(table, beta.value_or(own.value_or(1))); !used) {
    return tl::unexpected(used.error());
  }
  return table;
}

Result<std::vector<mismatch::LinkRow>> LinksArguments::outside(
    const mismatch::LinkOptions& options) const {
  std::vector<mismatch::LinkRow> rows;
  const auto add = [&](std::vector<mismatch::LinkRow> more) {
    rows.insert(rows.end(), more.begin(), more.end());
  };
  if (!population.empty()) {
    PLUMB_TRY(found, mismatch::read_population(population));
    add(mismatch::population_rows(found, options.sampling.level));
  }
  if (!pairs.empty()) {
    PLUMB_TRY(found, mismatch::read_scored_pairs(pairs));
    add(mismatch::pair_rows(found, options.sampling.level));
  }
  if (!perturbations.empty()) {
    PLUMB_TRY(found, mismatch::read_perturbed_pairs(perturbations));
    add(mismatch::perturbation_rows(found,
                                    {.sampling = options.sampling, .accuracy = options.accuracy}));
  }
  if (!labels.empty()) {
    PLUMB_TRY(found, mismatch::read_labels(labels));
    add(mismatch::noise_ceiling_rows(found, options.sampling));
  }
  return rows;
}

Result<mismatch::SwapReport> LinksArguments::swap(const mismatch::SampleTable& run,
                                                  const mismatch::TableOptions& reading,
                                                  const mismatch::LinkOptions& options) const {
  mismatch::SwapInputs inputs{.run = &run, .start = options.start};
  std::optional<mismatch::SampleTable> gold, labelled;
  mismatch::TableOptions as_it_is = reading;
  as_it_is.gold_by = nullptr;
  if (!gold_run.empty()) {
    PLUMB_TRY(table, mismatch::read_link_table(gold_run, reading));
    gold = std::move(table);
    inputs.gold_run = &*gold;
  }
  if (!relabelled.empty()) {
    PLUMB_TRY(table, mismatch::read_link_table(relabelled, as_it_is));
    labelled = std::move(table);
    inputs.relabelled = &*labelled;
  }
  return mismatch::swap_tests(inputs, options.sampling);
}

Result<std::vector<mismatch::EvalSeries>> LinksArguments::read_evaluations() const {
  if (evaluations.empty()) return std::vector<mismatch::EvalSeries>();
  return mismatch::read_eval_log(evaluations, sampling.level);
}

mismatch::LinkOptions LinksArguments::options() const {
  mismatch::LinkOptions options = links;
  options.sampling = {.resamples = sampling.values.resamples,
                      .level = sampling.level,
                      .seed = sampling.values.seed,
                      .threads = sampling.values.threads};
  return options;
}

Result<void> LinksArguments::add_inputs(Found& found) const {
  const std::pair<const char*, const std::string*> inputs[] = {{"evals", &evaluations},
                                                               {"population", &population},
                                                               {"pairs", &pairs},
                                                               {"perturbations", &perturbations},
                                                               {"labels", &labels}};
  for (const auto& [what, file] : inputs) {
    if (file->empty()) continue;
    PLUMB_TRY(input, input_of(what, *file));
    found.inputs.push_back(input);
  }
  return {};
}

Result<void> LinksArguments::add_own_evaluations(const std::string& run, const std::string& title,
                                                 Found& found) const {
  const auto own = own_evaluations(run);
  if (!own || !evaluations.empty()) return {};
  PLUMB_TRY(series, mismatch::read_eval_log(*own, sampling.level));
  PLUMB_TRY(input, input_of("evals", *own));
  found.inputs.push_back(input);
  for (mismatch::EvalSeries& one : series) {
    one.run = title;
    found.evaluations.push_back(std::move(one));
  }
  return {};
}

Result<LinksArguments::Found> LinksArguments::measure(const Look& look) const {
  if (runs.size() > 1 && (!gold_run.empty() || !relabelled.empty())) {
    return fail(ErrorKind::kUsage, "--gold-run and --relabelled go with one run");
  }
  PLUMB_TRY(opened, reading(sampling.values.threads));
  Found found;
  PLUMB_TRY(given, read_evaluations());
  found.evaluations = std::move(given);
  PLUMB_TRY(rows, outside(options()));
  if (auto added = add_inputs(found); !added) return tl::unexpected(added.error());
  const std::vector<std::string> titles = run_names(runs);
  std::vector<mismatch::RunLinks> measured;
  std::optional<mismatch::SwapReport> swapped;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    opened.options.progress = progress_bar(fmt::format("reading {}", titles[i]));
    PLUMB_TRY(table, read(runs[i], opened.options));
    if (auto own = add_own_evaluations(runs[i], titles[i], found); !own) {
      return tl::unexpected(own.error());
    }
    PLUMB_TRY(run, mismatch::measure_links(titles[i], table, found.evaluations, options()));
    if (runs.size() == 1) {
      PLUMB_TRY(tested, swap(table, opened.options, options()));
      swapped = std::move(tested);
    }
    if (const auto own = own_evaluations(runs[i]); own && !evaluations.empty()) {
      run.draws.warnings.push_back(fmt::format("--evals takes the place of {}.", *own));
    }
    if (look) {
      if (auto looked = look(runs[i], run, opened.options); !looked)
        return tl::unexpected(looked.error());
    }
    measured.push_back(std::move(run));
  }
  PLUMB_TRY(report, mismatch::report_links(std::move(measured), std::move(rows), std::move(swapped),
                                           found.evaluations, options()));
  found.report = std::move(report);
  return found;
}

}  // namespace plumb::cli
