#include "plumb/server/gap_so_far.h"

#include <algorithm>

#include "plumb/base/random.h"
#include "plumb/gap/item_diagnostics.h"
#include "plumb/gap/item_gap.h"
#include "plumb/report/items_report.h"
#include "plumb/study/review/models.h"
#include "plumb/tasks/part.h"

namespace plumb::server {
namespace {

using tasks::AnswerSheet;
using Places = std::vector<std::size_t>;

Places answered_places(const study::TaskSheets& loaded) {
  Places places;
  for (std::size_t i = 0; i < loaded.task.items.size(); ++i) {
    const bool answered = std::ranges::any_of(
        loaded.people, [i](const AnswerSheet& sheet) { return sheet.answers[i].has_value(); });
    if (answered && !loaded.task.items[i].gold.empty()) places.push_back(i);
  }
  return places;
}

// A pool is sorted as a whole; of other kinds a sample says as much.
Places sample_of(Places places, const study::Study& study, const study::StudyTask& task,
                 std::size_t most) {
  if (task.header.kind == tasks::Kind::kClustering || places.size() <= most) return places;
  Stream stream(study.info().seed, "items of the gap so far", static_cast<std::uint64_t>(task.id));
  shuffle(std::span(places), stream);
  places.resize(most);
  std::ranges::sort(places);
  return places;
}

Json without_gap(const study::StudyTask& task, std::size_t answered, const char* reason) {
  return {{"task", task.header.name}, {"answered", answered}, {"reason", reason}};
}

}  // namespace

Result<Json> gap_of(const study::Study& study, const study::StudyTask& task,
                    const study::TaskSheets& loaded, const GapSoFarOptions& options) {
  if (loaded.people.empty()) return without_gap(task, 0, "nobody has answered yet");
  const Places answered = answered_places(loaded);
  if (answered.empty()) return without_gap(task, 0, "no item that was answered has gold");
  const Places places = sample_of(answered, study, task, options.most_items);
  const tasks::Task part = tasks::part_of(loaded.task, places);
  std::vector<AnswerSheet> sheets;
  for (const AnswerSheet& sheet : loaded.people) {
    AnswerSheet kept = tasks::part_of(sheet, places);
    if (kept.answered() > 0) sheets.push_back(std::move(kept));
  }
  PLUMB_TRY(models, study::model_sheets(study, task, loaded.task));
  for (const AnswerSheet& sheet : models) sheets.push_back(tasks::part_of(sheet, places));
  const gap::ItemGapOptions how{.sampling = {.resamples = options.resamples,
                                             .seed = study.info().seed,
                                             .threads = options.threads},
                                .level = options.level};
  PLUMB_TRY(comparison, gap::compare_raters(part, sheets, how));
  Json json =
      report::items_json(comparison, how, gap::diagnose_items(part, sheets, comparison), part);
  json.erase("diagnostics");
  json["answered"] = answered.size();
  json["sampled"] = places.size();
  return json;
}

Result<Json> gap_so_far(const study::Study& study, const study::StudyTask& task,
                        const GapSoFarOptions& options) {
  PLUMB_TRY(loaded, study::load_sheets(study, task));
  return gap_of(study, task, loaded, options);
}

}  // namespace plumb::server
