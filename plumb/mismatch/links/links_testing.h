// Links of small tables, for tests.
//
//   const LinkReport report = report_of(table_of(samples));
//   row(report, "tau within prompts at the end").verdict;
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/mismatch/links/links.h"

namespace plumb::mismatch::testing {

inline const LinkOptions kQuick{.sampling = {.resamples = 100}};

inline SampleTable table_of(const std::vector<rlhf::Sample>& samples) {
  SampleTableBuilder builder;
  std::array<float, kStyles> style{};
  for (const rlhf::Sample& sample : samples) {
    describe_style(sample, style);
    builder.add(sample, style);
  }
  return builder.finish();
}

// Of one run, "run".
inline LinkReport report_of(const SampleTable& table,
                            const std::vector<EvalSeries>& evaluations = {}) {
  std::vector<RunLinks> runs;
  runs.push_back(measure_links("run", table, evaluations, kQuick).value());
  return report_links(std::move(runs), {}, {}, evaluations, kQuick).value();
}

// The first of this measure; none is a failure.
inline LinkRow row(const LinkReport& report, std::string_view measure) {
  const auto found = std::ranges::find(report.rows, measure, &LinkRow::measure);
  if (found != report.rows.end()) return *found;
  ADD_FAILURE() << "no row \"" << measure << "\"";
  return {};
}

}  // namespace plumb::mismatch::testing
