#include "plumb/mismatch/measure/run_details.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMeters[] = {"kl",         "length",     "ended",   "entropy",
                                   "repetition", "duplicates", "refusals"};

const TrajectoryMeasure* trajectory_of(const RunMeasure& measure, TrajectoryKind kind) {
  const auto found = std::ranges::find_if(
      measure.trajectories, [&](const auto& one) { return one.trajectory.kind == kind; });
  return found == measure.trajectories.end() ? nullptr : &*found;
}

// --- Meters ---

std::optional<stats::Interval> interval_field(const Json& line, const std::string& name) {
  const auto found = line.find(name);
  if (found == line.end() || !found->is_array() || found->size() != 2) return std::nullopt;
  if (!(*found)[0].is_number() || !(*found)[1].is_number()) return std::nullopt;
  return stats::Interval{(*found)[0].get<double>(), (*found)[1].get<double>()};
}

Result<std::vector<MeterSeries>> read_evaluations(const fs::path& file) {
  std::vector<MeterSeries> all;
  for (const char* name : kMeters) all.push_back({name, {}});
  PLUMB_TRY(records, RecordReader::open(file.string(), {}));
  while (true) {
    PLUMB_TRY(record, records.next());
    if (!record) break;
    const auto step = record->fields.find("step");
    if (step == record->fields.end() || !step->is_number_unsigned()) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: \"step\" is missing", record->where));
    }
    for (MeterSeries& meter : all) {
      const auto value = record->fields.find(meter.name);
      if (value == record->fields.end() || !value->is_number()) continue;
      meter.points.push_back({step->get<std::size_t>(), value->get<double>(),
                              interval_field(record->fields, meter.name + "_ci")});
    }
  }
  return all;
}

// What the samples themselves tell.
std::vector<MeterSeries> meters_of_samples(const RunMeasure& measure) {
  const TrajectoryMeasure* run = trajectory_of(measure, TrajectoryKind::kRun);
  if (run == nullptr) return {};
  MeterSeries kl{"kl", {}}, length{"length", {}}, ended{"ended", {}};
  const Start& start = run->trajectory.start;
  if (start.tokens) length.points.push_back({start.step, *start.tokens});
  if (start.ended) ended.points.push_back({start.step, *start.ended});
  for (const TrajectoryPoint& point : run->trajectory.points) {
    if (point.kl) kl.points.push_back({point.at, *point.kl});
    if (point.tokens) length.points.push_back({point.at, *point.tokens});
    if (point.ended) ended.points.push_back({point.at, *point.ended});
  }
  return {kl, length, ended};
}

// --- Examples ---

std::size_t highest_gold(const TrajectoryMeasure& run) {
  std::size_t best = 0;
  const auto gold = [&](std::size_t k) {
    const stats::Score& value = run.gap.points[k].gold.value;
    return value ? *value : -INFINITY;
  };
  for (std::size_t k = 1; k < run.gap.points.size(); ++k) best = gold(k) > gold(best) ? k : best;
  return best;
}

// The point that is nearest to a distance.
std::size_t nearest(const Trajectory& run, double d) {
  std::size_t best = 0;
  const auto off = [&](std::size_t k) {
    return run.points[k].d ? std::abs(*run.points[k].d - d) : INFINITY;
  };
  for (std::size_t k = 1; k < run.points.size(); ++k) best = off(k) < off(best) ? k : best;
  return best;
}

Stage middle_stage(const TrajectoryMeasure& run) {
  const Trajectory& path = run.trajectory;
  const auto gold = std::ranges::find(run.curves, "gold", &CurveReport::name);
  if (gold == run.curves.end()) {
    return {"middle", path.points[path.points.size() / 2].at, "without gold no ceiling is known"};
  }
  if (gold->ceiling && gold->ceiling->detected) {
    return {"ceiling", path.points[nearest(path, gold->ceiling->d_star)].at,
            "the checkpoint nearest to d*"};
  }
  return {"highest gold", path.points[highest_gold(run)].at, "no ceiling was detected"};
}

constexpr const char* kBestStage = "best by proxy";

// Which of the samples of a prompt at a stage to show.
std::optional<rlhf::Sample> choose(const std::vector<const rlhf::Sample*>& samples,
                                   const Stage& stage) {
  if (samples.empty()) return std::nullopt;
  if (stage.name != kBestStage) return *samples.front();
  const auto proxy = [](const rlhf::Sample* one) { return one->proxy.value_or(-INFINITY); };
  return **std::ranges::max_element(samples, {}, proxy);
}

// The samples of chosen prompts, numbered by first occurrence in the file, at some steps.
struct Picked {
  std::vector<rlhf::Sample> samples;
  std::vector<std::uint32_t> prompt;  // [samples]
};

Result<Picked> pick(const fs::path& run, const TableOptions& reading,
                    const std::vector<std::uint32_t>& prompts, const std::vector<Stage>& stages) {
  PLUMB_TRY(reader, rlhf::SampleReader::open(rlhf::samples_file(run), reading.fields));
  Picked picked;
  std::unordered_map<std::string, std::uint32_t> numbers;
  while (true) {
    PLUMB_TRY(sample, reader.next());
    if (!sample) break;
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const std::uint32_t number = numbers.emplace(sample->prompt, next).first->second;
    if (std::ranges::find(prompts, number) == prompts.end()) continue;
    if (std::ranges::find(stages, sample->step, &Stage::step) == stages.end()) continue;
    picked.samples.push_back(std::move(*sample));
    picked.prompt.push_back(number);
  }
  if (auto scored = score_anew(picked.samples, reading); !scored) {
    return tl::unexpected(scored.error());
  }
  return picked;
}

std::vector<std::uint32_t> draw_prompts(const Trajectory& path, const ExampleOptions& options) {
  std::vector<std::uint32_t> prompts = path.prompts;
  Stream stream(options.seed, "examples", 0);
  shuffle(std::span(prompts), stream);
  prompts.resize(std::min(prompts.size(), options.prompts));
  std::ranges::sort(prompts);
  return prompts;
}

}  // namespace

Result<std::vector<MeterSeries>> read_meters(const fs::path& run, const RunMeasure& measure) {
  const fs::path file = run / "evaluations.jsonl";
  std::error_code ignored;
  std::vector<MeterSeries> meters;
  if (fs::is_directory(run, ignored) && fs::exists(file, ignored)) {
    PLUMB_TRY(read, read_evaluations(file));
    meters = std::move(read);
  } else {
    meters = meters_of_samples(measure);
  }
  std::erase_if(meters, [](const MeterSeries& meter) { return meter.points.size() < 2; });
  return meters;
}

std::vector<Stage> stages_of(const RunMeasure& measure) {
  if (const auto* run = trajectory_of(measure, TrajectoryKind::kRun)) {
    const Trajectory& path = run->trajectory;
    return {{"start", path.start.step, ""}, middle_stage(*run), {"end", path.points.back().at, ""}};
  }
  if (const auto* best = trajectory_of(measure, TrajectoryKind::kBestOfN)) {
    const std::size_t step = best->trajectory.start.step;
    return {{"one sample", step, ""}, {kBestStage, step, "of all samples of the prompt"}};
  }
  return {};
}

Result<Examples> read_examples(const fs::path& run, const RunMeasure& measure,
                               const TableOptions& reading, const ExampleOptions& options) {
  Examples examples{stages_of(measure), {}, {}};
  if (examples.stages.empty()) return examples;
  const std::vector<std::uint32_t> prompts =
      draw_prompts(measure.trajectories.back().trajectory, options);
  PLUMB_TRY(picked, pick(run, reading, prompts, examples.stages));
  for (const std::uint32_t prompt : prompts) {
    std::string text;
    for (const Stage& stage : examples.stages) {
      std::vector<const rlhf::Sample*> samples;
      for (std::size_t i = 0; i < picked.samples.size(); ++i) {
        if (picked.prompt[i] != prompt) continue;
        text = picked.samples[i].prompt;
        if (picked.samples[i].step == stage.step) samples.push_back(&picked.samples[i]);
      }
      examples.samples.push_back(choose(samples, stage));
    }
    examples.prompts.push_back(std::move(text));
  }
  return examples;
}

}  // namespace plumb::mismatch
