#include "plumb/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace plumb {

int default_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void parallel_for(std::size_t count, std::size_t grain, int threads,
                  const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t steps = (count + grain - 1) / grain;
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : default_threads());

  std::atomic<std::size_t> next_step{0};
  const auto work = [&] {
    for (std::size_t step = next_step++; step < steps; step = next_step++) {
      body(step * grain, std::min(count, (step + 1) * grain));
    }
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(wanted, steps); ++i) helpers.emplace_back(work);
  work();
}

}  // namespace plumb
