// What a page shows beside the measures of a run: its meters over time, and completions side by
// side, read again for a few prompts alone.
//
//   PLUMB_TRY(meters, read_meters("run", measure));
//   PLUMB_TRY(examples, read_examples("run", measure, {}, {.seed = 1}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/mismatch/measure/measure.h"
#include "plumb/mismatch/measure/sample_table.h"

namespace plumb::mismatch {

struct MeterSeries {
  struct Point {
    std::size_t step;
    double value;
    std::optional<stats::Interval> ci = {};
  };
  std::string name;  // "kl", "length", "ended", "entropy", "repetition", "duplicates", "refusals"
  std::vector<Point> points;
};

// Of a run folder the checkpoints of evaluations.jsonl; else the lengths, the shares that ended and
// the divergences of the samples. Meters that were not measured are left out.
// kBadInput with file and line: no JSON object with a step.
Result<std::vector<MeterSeries>> read_meters(const std::filesystem::path& run,
                                             const RunMeasure& measure);

// A column of completions: "start", "ceiling", "end".
struct Stage {
  std::string name;
  std::size_t step;
  std::string note;  // how it was chosen, or ""
};

// Of a run: its start, the checkpoint nearest to the detected ceiling of the gold (where none was
// detected that of the highest gold, or without gold the middle one), and its end. Of best of n
// alone: a sample, and the best one of all by proxy, both of the same step.
std::vector<Stage> stages_of(const RunMeasure& measure);

struct Examples {
  std::vector<Stage> stages;
  std::vector<std::string> prompts;
  std::vector<std::optional<rlhf::Sample>> samples;  // [prompts, stages]
};

struct ExampleOptions {
  std::size_t prompts = 4;
  std::uint64_t seed = 0;  // prompts are drawn by Stream(seed, "examples", 0)
};

// The first sample of each prompt and stage. Reads the samples again; errors are those of
// read_sample_table.
Result<Examples> read_examples(const std::filesystem::path& run, const RunMeasure& measure,
                               const TableOptions& reading, const ExampleOptions& options);

}  // namespace plumb::mismatch
