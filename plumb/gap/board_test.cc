#include "plumb/gap/board.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

std::vector<std::string> names(const Board& board) {
  std::vector<std::string> names;
  for (const Competitor& row : board.competitors) {
    names.push_back(row.revision.empty() ? row.name : row.name + "@" + row.revision);
  }
  return names;
}

Figures two_revisions() {
  Figures figures;
  figures.name = "two";
  figures.entries.push_back({"a/M", "r1", {}, {accuracy_cell("A", 0.5)}});
  figures.entries.push_back({"a/M", "r2", {}, {accuracy_cell("A", 0.75)}});
  figures.entries.push_back({"b/N", "r1", {}, {accuracy_cell("B", 0.25)}});
  return figures;
}

BoardOptions plain() { return {.trivial = false}; }

TEST(MakeBoard, OfThePaperHoldsThePinnedHumanAndThirteenModels) {
  const Board board = hume_board({.models = "paper", .trivial = false});
  ASSERT_EQ(board.competitors.size(), 15u);  // BM25 stands on every board
  EXPECT_EQ(board.human(), 0u);
  EXPECT_EQ(board.competitors[0].name, "baseline/Human");
  EXPECT_EQ(board.competitors[0].revision, tasks::kHumeHumanRevision);
  EXPECT_TRUE(std::ranges::is_sorted(board.competitors.begin() + 1, board.competitors.end(), {},
                                     &Competitor::name));
  EXPECT_EQ(board.subsets.size(), 26u);
}

TEST(MakeBoard, ListsSubsetsInTheOrderOfThePaper) {
  const Board board = hume_board();
  EXPECT_EQ(board.subsets.front().label(), "HUMEEmotionClassification");
  EXPECT_EQ(board.subsets[4].label(), "HUMEMultilingualSentimentClassification/ara");
  EXPECT_EQ(board.subsets.back().label(), "HUMESTS22/ru");
  EXPECT_EQ(board.subsets.back().items, 30);
  EXPECT_EQ(board.subsets.back().language, "rus");
  EXPECT_EQ(board.subsets.back().metric, "cosine_spearman");
}

TEST(MakeBoard, PutsOtherTasksAfterTheSuiteByName) {
  Figures figures;
  figures.entries.push_back(
      {"a/M",
       "1",
       {},
       {accuracy_cell("Ant", 0.5), accuracy_cell("HUMESTS12", 0.5), accuracy_cell("Zebra", 0.5)}});
  const Board board = *make_board(figures, plain());
  EXPECT_EQ(board.subsets[0].task, "HUMESTS12");
  EXPECT_EQ(board.subsets[1].task, "Ant");
  EXPECT_EQ(board.subsets[2].task, "Zebra");
  EXPECT_EQ(board.subsets[1].suite, nullptr);
  EXPECT_EQ(board.subsets[1].items, 0);
}

TEST(MakeBoard, TakesTheTypeOfAnUnknownTaskFromItsMetrics) {
  const auto type = [](std::vector<std::string_view> metrics) {
    Cell cell = accuracy_cell("A", 0.5);
    cell.scores.clear();
    for (const std::string_view metric : metrics)
      cell.scores.emplace_back(kept_metric(metric), 0.5);
    Figures figures;
    figures.entries.push_back({"a/M", "1", {}, {cell}});
    return make_board(figures, plain())->subsets[0].type;
  };
  EXPECT_EQ(type({"v_measure"}), tasks::TaskType::kClustering);
  EXPECT_EQ(type({"accuracy", "f1"}), tasks::TaskType::kClassification);
  EXPECT_EQ(type({"cosine_spearman"}), tasks::TaskType::kSts);
  EXPECT_EQ(type({"map"}), tasks::TaskType::kReranking);
  EXPECT_EQ(type({"ndcg_at_10"}), tasks::TaskType::kOther);
}

TEST(MakeBoard, ChoosesModelsByAGlobOnEitherPartOfTheirName) {
  EXPECT_EQ(names(hume_board({.models = "intfloat/*", .trivial = false})).size(), 2u + 4u);
  EXPECT_EQ(names(hume_board({.models = "*E5*", .trivial = false})).size(), 2u + 4u);
  EXPECT_EQ(names(hume_board({.models = "jasper*", .trivial = false})).size(), 2u + 1u);
  expect_error(make_board(hume(), {.models = "jaspis*"}), ErrorKind::kNotFound, {"'jaspis*'"});
}

TEST(MakeBoard, KeepsRevisionsApartUntilOneIsAskedFor) {
  const Figures figures = two_revisions();
  EXPECT_EQ(names(*make_board(figures, plain())),
            (std::vector<std::string>{"a/M@r1", "a/M@r2", "b/N@r1"}));
  BoardOptions options = plain();
  options.revisions = {{"a/M", "r2"}};
  EXPECT_EQ(names(*make_board(figures, options)), (std::vector<std::string>{"a/M@r2", "b/N@r1"}));
}

TEST(MakeBoard, RefusesARevisionThatIsNotThere) {
  BoardOptions options = plain();
  options.revisions = {{"a/M", "r3"}};
  expect_error(make_board(two_revisions(), options), ErrorKind::kNotFound, {"'r3'", "'a/M'"});
}

TEST(MakeBoard, ShowsAnotherRevisionOfTheHumanWhereItIsAskedFor) {
  BoardOptions options{.models = "paper"};
  options.revisions = {{"baseline/Human", "v1.0"}};
  EXPECT_EQ(hume_board(options).competitors[0].revision, "v1.0");
}

// hume.md, section 3.1: v1.0 has the scores of 2025_09_25 in all 26 subsets.
TEST(MakeBoard, FindsTheSameHumanScoresInBothRevisions) {
  BoardOptions options{.models = "paper"};
  options.revisions = {{"baseline/Human", "v1.0"}};
  EXPECT_EQ(hume_board(options).competitors[0].scores, hume_board().competitors[0].scores);
}

TEST(MakeBoard, LeavesMissingScoresMissing) {
  const Figures figures = two_revisions();
  const Board board = *make_board(figures, plain());
  EXPECT_EQ(board.competitors[0].scores, (std::vector<std::optional<double>>{0.5, std::nullopt}));
  EXPECT_EQ(board.competitors[0].coverage(), 1u);
  EXPECT_EQ(board.human(), std::nullopt);
}

TEST(MakeBoard, CutsByLanguageAndType) {
  EXPECT_EQ(hume_board({.models = "paper", .language = "en"}).subsets.size(), 16u);
  EXPECT_EQ(hume_board({.models = "paper", .language = "arb_Arab"}).subsets.size(), 3u);
  EXPECT_EQ(hume_board({.models = "paper", .task_type = "sts"}).subsets.size(), 6u);
  EXPECT_EQ(
      hume_board({.models = "paper", .language = "nb", .task_type = "Reranking"}).subsets.size(),
      1u);
}

TEST(MakeBoard, LeavesOutRowsWithoutAScoreOnTheCut) {
  for (const Competitor& row : hume_board({.models = "paper", .task_type = "STS"}).competitors) {
    EXPECT_NE(row.name, "mteb/baseline-bm25s");
  }
}

TEST(MakeBoard, RefusesAnUnknownLanguageOrTypeAndFindsNothingInOthers) {
  expect_error(make_board(hume(), {.language = "xx"}), ErrorKind::kUsage, {"'xx'"});
  expect_error(make_board(hume(), {.task_type = "xx"}), ErrorKind::kUsage, {"'xx'", "STS"});
  expect_error(make_board(hume(), {.language = "deu"}), ErrorKind::kNotFound, {"no subset"});
  Figures nothing;
  nothing.entries = {{"a/M", "1", {}, {}}};
  expect_error(make_board(nothing, {}), ErrorKind::kNotFound, {"hold no score"});
}

// hume.md, section 3: two annotators for every English subset, one for every other.
TEST(MakeBoard, KnowsThePeopleBehindEachSubset) {
  const Board board = hume_board();
  for (std::size_t s = 0; s < board.subsets.size(); ++s) {
    const bool english = board.subsets[s].language == "eng";
    EXPECT_EQ(board.people[s].annotators.size(), english ? 2u : 1u) << board.subsets[s].label();
    EXPECT_EQ(board.people[s].agreement != nullptr, english) << board.subsets[s].label();
  }
}

TEST(MakeBoard, MakesTheHumanByTheRule) {
  const auto emotion = [](HumanRule rule) {
    return 100 * *hume_board({.models = "paper", .human = rule}).competitors[0].scores[0];
  };
  // hume.md, section 4, first row.
  EXPECT_NEAR(emotion(HumanRule::kPublished), 45.8, 0.05);
  EXPECT_NEAR(emotion(HumanRule::kIndividual), (47.9 + 31.2) / 2, 0.05);
  EXPECT_NEAR(emotion(HumanRule::kBetter), 47.9, 0.05);
  EXPECT_NEAR(emotion(HumanRule::kWorse), 31.25, 0.05);
}

TEST(MakeBoard, CannotMakeAHumanWithoutAnnotators) {
  expect_error(make_board(two_revisions(), {.human = HumanRule::kBetter}), ErrorKind::kNotFound,
               {"--human better", "two"});
}

TEST(MakeBoard, ShowsAnnotatorsAsRowsOnRequest) {
  const Board board = hume_board({.models = "paper", .annotators = true, .trivial = false});
  EXPECT_EQ(board.competitors.size(), 18u);
  EXPECT_EQ(board.human(), 0u);
  EXPECT_EQ(board.competitors[0].revision, tasks::kHumeHumanRevision);
  for (std::size_t c = 1; c < 4; ++c) EXPECT_EQ(board.competitors[c].kind, RaterKind::kHuman);
}

TEST(MakeBoard, AddsTrivialAnswersThatAreNotPublishedScores) {
  const Board board = hume_board();
  std::set<std::string> trivial;
  for (const Competitor& row : board.competitors) {
    if (!row.trivial) continue;
    trivial.insert(row.name);
    EXPECT_EQ(row.kind, RaterKind::kBaseline);
    EXPECT_EQ(row.coverage(), 26u);
  }
  EXPECT_EQ(trivial, (std::set<std::string>{"best trivial answer", "random answers"}));
}

TEST(MakeBoard, AddsNoTrivialAnswersToTasksThatItDoesNotKnow) {
  const Figures figures = two_revisions();
  EXPECT_EQ(make_board(figures, {})->competitors.size(), 3u);
}

TEST(MakeBoard, ShowsASubsetThatTheSuiteDoesNotKnow) {
  Cell cell = accuracy_cell("HUMESTS22", 0.5);
  cell.subset = "xx";
  Figures figures;
  figures.entries.push_back({"a/M", "1", {}, {cell}});
  const Board board = make_board(figures, plain()).value();
  ASSERT_EQ(board.subsets.size(), 1u);
  EXPECT_EQ(board.subsets[0].label(), "HUMESTS22/xx");
  EXPECT_EQ(board.subsets[0].suite, nullptr);
}

TEST(KeepSubsets, KeepsRowsPeopleAndScoresTogether) {
  const Board board = hume_board();
  const Board kept = keep_subsets(board, [](std::size_t s) { return s == 3 || s == 25; });
  ASSERT_EQ(kept.subsets.size(), 2u);
  EXPECT_EQ(kept.competitors.size(), board.competitors.size());
  EXPECT_EQ(kept.competitors[1].scores[1], board.competitors[1].scores[25]);
  EXPECT_EQ(kept.people[0].annotators, board.people[3].annotators);
}

TEST(HumanRules, AreReadBackByName) {
  for (const HumanRule rule :
       {HumanRule::kPublished, HumanRule::kIndividual, HumanRule::kBetter, HumanRule::kWorse}) {
    EXPECT_EQ(parse_human_rule(human_rule_name(rule)), rule);
  }
  EXPECT_EQ(parse_human_rule("best"), std::nullopt);
}

}  // namespace
}  // namespace plumb::gap
