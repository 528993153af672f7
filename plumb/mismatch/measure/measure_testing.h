// Runs of samples with a planted truth, for tests.
#pragma once

#include <string>
#include <vector>

#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/mismatch/testing.h"

namespace plumb::mismatch::testing {

// A sample a prompt, step and draw of a planted run. The KL of single samples scatters about d^2.
struct PlantedSamples {
  PlantedRun world;
  std::size_t each = 4;      // samples a prompt and step
  double prompt_spread = 1;  // standard deviation of prompts' own level of gold
  double proxy_noise = 0.3;  // of single samples

  SampleTable draw(Stream& stream) const {
    const MeasuredRun run = world.draw(stream);
    std::vector<double> level(world.prompts);
    for (double& own : level) own = prompt_spread * normal(stream);
    SampleTableBuilder builder;
    for (std::size_t step = 0; step <= world.d.size(); ++step) {
      const double d = step == 0 ? 0 : world.d[step - 1];
      for (std::size_t p = 0; p < world.prompts; ++p) {
        const double gain = step == 0 ? 0 : run.gold[(step - 1) * world.prompts + p];
        for (std::size_t i = 0; i < each; ++i) {
          const double gold = level[p] + gain + world.noise * normal(stream);
          const double proxy = level[p] + world.curve.a * d + proxy_noise * normal(stream);
          builder.add({.step = step,
                       .prompt = "prompt " + std::to_string(p),
                       .completion = "text",
                       .tokens = 8 + step,
                       .proxy = proxy,
                       .gold = gold,
                       .kl = d * d * (0.5 + stream.uniform())});
        }
      }
    }
    return builder.finish();
  }
};

}  // namespace plumb::mismatch::testing
