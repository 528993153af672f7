#include "plumb/tasks/suite.h"

#include <gtest/gtest.h>

#include <set>

namespace plumb::tasks {
namespace {

// Counts of the benchmark's definition: 16 tasks, 26 used subsets, 928 items.
TEST(HumeTasks, AddUpToTheBenchmark) {
  std::set<std::string_view> names;
  std::size_t used = 0;
  int items = 0;
  for (const SuiteTask& task : hume_tasks()) {
    names.insert(task.name);
    for (const SuiteSubset& subset : task.subsets) {
      if (!subset.used) continue;
      ++used;
      items += subset.items;
    }
  }
  EXPECT_EQ(names.size(), 16u);
  EXPECT_EQ(used, 26u);
  EXPECT_EQ(items, 928);
}

TEST(HumeTasks, HaveClassSizesThatAddUpToTheirItems) {
  for (const SuiteTask& task : hume_tasks()) {
    if (task.class_sizes.empty()) continue;
    int sum = 0;
    for (const int size : task.class_sizes) sum += size;
    for (const SuiteSubset& subset : task.subsets) EXPECT_EQ(sum, subset.items) << task.name;
  }
}

TEST(FoldLanguage, FoldsEveryAliasOfOneLanguage) {
  for (const char* alias : {"ar", "ara", "arb", "arb_Arab", "ara-Arab"}) {
    EXPECT_EQ(fold_language(alias), "ara") << alias;
  }
  for (const char* alias : {"no", "nor", "nob", "nob-Latn", "nb"}) {
    EXPECT_EQ(fold_language(alias), "nob") << alias;
  }
  EXPECT_EQ(fold_language("zh-CN"), "zho");
}

TEST(FoldLanguage, DoesNotKnowWhatIsNoLanguage) {
  for (const char* word : {"", "default", "xx", "english", "a r", "ar ara"}) {
    EXPECT_EQ(fold_language(word), std::nullopt) << word;
  }
}

TEST(FoldSubset, KeepsTheDefaultAndFoldsPairs) {
  EXPECT_EQ(fold_subset("default"), "default");
  EXPECT_EQ(fold_subset("en-de"), "eng-deu");
  EXPECT_EQ(fold_subset("eng_Latn-deu_Latn"), "eng-deu");
  EXPECT_EQ(fold_subset("law"), std::nullopt);
}

TEST(FindSubset, TakesTheTasksIdOrAnAlias) {
  const SuiteTask* task = find_task("HUMEWikipediaRerankingMultilingual");
  ASSERT_NE(task, nullptr);
  for (const char* alias : {"no", "nor", "nob_Latn"})
    EXPECT_EQ(find_subset(*task, alias)->id, "no");
  EXPECT_EQ(find_subset(*task, "ara"), nullptr);
  EXPECT_EQ(find_task("STS22"), nullptr);
}

TEST(ParseType, TakesAnyCase) {
  EXPECT_EQ(parse_type("sts"), TaskType::kSts);
  EXPECT_EQ(parse_type("Clustering"), TaskType::kClustering);
  EXPECT_EQ(parse_type("ranking"), std::nullopt);
}

}  // namespace
}  // namespace plumb::tasks
