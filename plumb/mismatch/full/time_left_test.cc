#include "plumb/mismatch/full/time_left.h"

#include <gtest/gtest.h>

namespace plumb::mismatch {
namespace {

// Four stages of 10 and two of 30: 100 in all.
TimeLeft planned() { return TimeLeft({{"one", "training", 4, 10}, {"two", "optimising", 2, 30}}); }

TEST(TimeLeft, CountsStagesByWhatTheyCost) {
  TimeLeft left = planned();
  EXPECT_EQ(left.share(), 0);
  left.saw("one", "training a", 1, 2);
  EXPECT_DOUBLE_EQ(left.share(), 0.05);
  left.saw("one", "training b", 0, 2);
  EXPECT_DOUBLE_EQ(left.share(), 0.1);
  left.finished("one");
  left.saw("two", "optimising x", 10, 10);
  EXPECT_DOUBLE_EQ(left.share(), 0.7);
  EXPECT_DOUBLE_EQ(*left.seconds(70), 30);
}

TEST(TimeLeft, SaysNothingBeforeItKnowsAnything) {
  const TimeLeft left = planned();
  EXPECT_FALSE(left.seconds(5));
}

TEST(TimeLeft, DoesNotTakeWhatAnEarlierProcessDidForSpeed) {
  TimeLeft left = planned();
  left.finished("one");
  left.start(100);
  left.saw("two", "optimising x", 1, 1);
  // 30 in 60 seconds, 30 are left.
  EXPECT_DOUBLE_EQ(*left.seconds(160), 60);
}

TEST(TimeLeft, NeverCountsMoreStagesThanWerePlanned) {
  TimeLeft left = planned();
  for (const char* stage : {"training a", "training b", "training c", "training d", "training e"}) {
    left.saw("one", stage, 1, 1);
  }
  left.saw("three", "training", 1, 1);
  left.saw("one", "writing", 1, 1);
  left.saw("two", "optimising", 5, 0);
  EXPECT_DOUBLE_EQ(left.share(), 0.4);
}

}  // namespace
}  // namespace plumb::mismatch
