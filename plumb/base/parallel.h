// Parallel loops. The body is given an index and writes only what belongs to that index; sums are
// taken afterwards in a fixed order. Then results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace plumb {

// The number of threads to use when the user did not say: what the machine offers, at least 1.
int default_threads();

// Calls body(begin, end) on ranges that cover 0 .. count - 1 once, from up to `threads` threads
// (0 = default_threads()). Threads that wait sleep, they never spin. Ranges are handed out in steps
// of `grain`, so unequal work spreads. The body must not throw.
void parallel_for(std::size_t count, std::size_t grain, int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& body);

}  // namespace plumb
