// Scores on single answers as MTEB result files, which the mteb package and plumb itself read:
// <root>/<rater>/<revision>/<Task>.json beside model_meta.json.
//
//   PLUMB_TRY(files, mteb_files(task, sheets, {.subset = "en"}));
//   for (const MtebFile& file : files) write(root / file.path, file.text);
//
// A rater's revision is the same on every task: the hash of its files, or this program's version,
// with the protocol of the probe where that is not the default. People stand
// as MTEB has them: "baseline/Human" in the revision "expected" (of one annotator; scores_per_
// experiment are theirs), and each annotator in a revision annotator_NAME.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/stats/ranking.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::gap {

struct MtebOptions {
  std::string subset = "default";                   // hf_subset
  stats::TieRule ties = stats::TieRule::kExpected;  // of reranking
};

struct MtebFile {
  std::filesystem::path path;  // below the root
  Json json;
};

// One result file and one model_meta.json a rater; baselines are raters too. What a metric leaves
// undefined is null. kUsage: a preference task, which MTEB does not have. kBadInput: a name that
// cannot be a folder, answers of another shape than the task.
Result<std::vector<MtebFile>> mteb_files(const tasks::Task& task,
                                         std::span<const tasks::AnswerSheet> sheets,
                                         const MtebOptions& options);

// Writes them below root. A result file of the same task that is there keeps its other subsets.
// kBadInput: it is no result file, or of other items of the same subset's name.
Result<void> write_mteb_files(const std::filesystem::path& root, std::span<const MtebFile> files);

}  // namespace plumb::gap
