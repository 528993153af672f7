#include "plumb/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace plumb {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    for (const std::size_t grain : {1u, 7u, 1000u}) {
      std::vector<std::atomic<int>> visits(101);
      parallel_for(visits.size(), grain, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++visits[i];
      });
      for (const auto& count : visits) EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST(ParallelFor, NothingToDoCallsNothing) {
  parallel_for(0, 1, 2, [](std::size_t, std::size_t) { FAIL(); });
}

TEST(ParallelFor, ThereIsAlwaysAThread) { EXPECT_GE(default_threads(), 1); }

}  // namespace
}  // namespace plumb
