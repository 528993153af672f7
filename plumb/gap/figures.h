// Figures: published scores of people and models, one cell per task and subset, and plumb's own
// compact table of them on disk (docs/formats.md, plumb.figures/1). Everything in gap/ starts from
// here.
//
//   Result<Figures> hume = load_figures("hume");          // shipped with the program
//   Result<Figures> mine = load_figures("results/");      // a tree of MTEB result files
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/suite.h"

namespace plumb::gap {

// How far annotators agreed on one subset, as published.
struct Agreement {
  std::string metric;          // "fleiss_kappa"; "mean_spearman" where the file names none
  std::string interpretation;  // the file's own word for it, often empty
  std::map<std::string, double, std::less<>>
      values;  // "value", "n_items", "mean_percentage_agreement", ...

  // The coefficient itself, whichever key the file keeps it under.
  std::optional<double> value() const;
  std::optional<double> find(std::string_view key) const;
};

// The scores of one revision of one rater on one subset of one task.
struct Cell {
  std::string task;
  std::string subset;    // folded: the suite's id, or tasks::fold_subset of the file's
  std::string original;  // as the file spells it
  std::string language;  // ISO 639-3, or a pair
  std::string dataset_revision;
  std::string mteb_version;
  double main_score;  // a fraction: accuracy, MAP and V in [0, 1], correlations in [-1, 1]
  std::vector<std::pair<std::string_view, double>> scores;  // see kept_metric
  std::vector<double>
      experiments;  // main score of each experiment (draw, annotator), in file order
  std::optional<Agreement> agreement;
  int items = 0;  // that the score is of; 0: not said

  std::optional<double> find(std::string_view metric) const;
  std::string_view main_metric() const;  // the first kept metric that equals the main score
};

// One revision of one rater.
struct Entry {
  std::string name;  // "intfloat/e5-mistral-7b-instruct"
  std::string revision;
  std::optional<std::vector<std::string>> training_datasets;  // as declared; nothing: not declared
  std::vector<Cell> cells;      // sorted by task and subset, at most one for each
  std::string rater_kind = {};  // where plumb wrote the files: "baseline", ... (tasks/answers.h)

  const Cell* find(std::string_view task, std::string_view subset) const;
};

struct Figures {
  std::string name;    // "hume"
  std::string origin;  // where the scores were published
  std::string licence;
  std::size_t files = 0;              // result files read
  std::size_t nonstandard_files = 0;  // of these, files with bare NaN or Infinity
  std::vector<Entry> entries;         // sorted by name and revision
};

// The metrics that a table keeps; all others (per-cutoff values, abstention curves) are left out.
// The same word as a literal that outlives every cell; "" for a metric that is not kept.
std::string_view kept_metric(std::string_view metric);
// True for those that can be a main score; of experiments nothing else is kept.
bool is_main_metric(std::string_view metric);

// What to do with a subset name that is in no table.
enum class UnknownSubsets { kRefuse, kKeep, kSkip };

struct LoadOptions {
  UnknownSubsets unknown_subsets = UnknownSubsets::kRefuse;
  int threads = 0;
  Progress progress;
};

// `source` is "hume", a directory (a tree of MTEB result files), or a file (plumb.figures/1).
// Errors: kNotFound (no such source, no result in it), kBadInput (file and reason), kNotAllowed.
Result<Figures> load_figures(std::string_view source, const LoadOptions& options = {});

// SHA-256 over everything that is scored, wherever it was read from: the same figures have the same
// hash.
std::string content_hash(const Figures& figures);

// The text of a table: strict JSON, one line a rater and one a cell, in a fixed order.
std::string format_figures(const Figures& figures);
// `where` names the source in errors, which give its line.
Result<Figures> parse_figures(std::string_view text, std::string_view where);

}  // namespace plumb::gap
