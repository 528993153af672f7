#include "plumb/gap/mteb_results.h"

#include <fmt/format.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "plumb/gap/board.h"
#include "plumb/gap/leaderboard.h"
#include "plumb/gap/mteb_file.h"
#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

namespace fs = std::filesystem;

// A tree of result files in a folder of its own.
class Tree : public testing::Test {
 protected:
  Tree() : root_(fs::path(testing::TempDir()) / ("plumb_tree_" + name())) { fs::remove_all(root_); }
  ~Tree() override { fs::remove_all(root_); }

  static std::string name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  Result<Figures> read(const LoadOptions& options = {}) const {
    return read_mteb_tree(root_, options);
  }

  // Reads, expects that it fails, and gives the error's one line.
  std::string failure(ErrorKind kind, const LoadOptions& options = {}) const {
    const auto figures = read(options);
    EXPECT_FALSE(figures);
    if (figures) return "";
    EXPECT_EQ(figures.error().kind, kind);
    EXPECT_EQ(figures.error().message.find('\n'), std::string::npos);
    EXPECT_TRUE(figures.error().message.find(root_.string()) != std::string::npos)
        << figures.error().message;
    return figures.error().message;
  }

  fs::path root_;
};

std::string entry(const std::string& subset, const std::string& score,
                  const std::string& more = R"("accuracy": 0.5, "f1": 0.5)") {
  return fmt::format(R"({{"hf_subset": "{}", "languages": ["eng-Latn"], "main_score": {}, {}}})",
                     subset, score, more);
}

std::string result(const std::string& task, const std::string& entries) {
  return fmt::format(
      R"({{"dataset_revision": "r", "task_name": "{}", "mteb_version": "2.0", "scores": {{"test": [{}]}}, "evaluation_time": 1}})",
      task, entries);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Tree, IsReadWithNamesFromThePathOrTheMetadata) {
  write("results/org__model/abc/Mine.json", result("Mine", entry("default", "0.5")));
  write("results/other/def/Mine.json", result("Mine", entry("default", "0.25")));
  write(
      "results/other/def/model_meta.json",
      R"({"name": "real/name", "revision": "9", "max_tokens": Infinity, "training_datasets": {"B": [], "A": []}})");
  const auto figures = read();
  ASSERT_TRUE(figures) << figures.error().message;
  ASSERT_EQ(figures->entries.size(), 2u);
  EXPECT_EQ(figures->entries[0].name, "org/model");
  EXPECT_EQ(figures->entries[0].revision, "abc");
  EXPECT_FALSE(figures->entries[0].training_datasets);
  EXPECT_EQ(figures->entries[1].name, "real/name");
  EXPECT_EQ(figures->entries[1].revision, "9");
  EXPECT_EQ(figures->entries[1].training_datasets, (std::vector<std::string>{"A", "B"}));
}

TEST_F(Tree, FoldsAliasesAndDropsSubsetsOutsideTheBenchmark) {
  write("m/r/T.json",
        result("HUMESTS22", entry("arb_Arab", "0.5", R"("cosine_spearman": 0.5)") + "," +
                                entry("fr", "0.1", R"("cosine_spearman": 0.1)")));
  const auto figures = read();
  ASSERT_TRUE(figures) << figures.error().message;
  ASSERT_EQ(figures->entries[0].cells.size(), 1u);
  EXPECT_EQ(figures->entries[0].cells[0].subset, "ar");
  EXPECT_EQ(figures->entries[0].cells[0].original, "arb_Arab");
}

TEST_F(Tree, TakesBareNanAsMissingAndNullAsMissing) {
  write("m/r/A.json", result("A", entry("default", "0.5", R"("ap": NaN, "nauc_x": -Infinity)")));
  write("m/r/B.json", result("B", entry("default", "null")));
  write("m/r/C.json", result("C", entry("default", "NaN")));
  const auto figures = read();
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->nonstandard_files, 2u);
  ASSERT_EQ(figures->entries[0].cells.size(), 1u);
  EXPECT_EQ(figures->entries[0].cells[0].task, "A");
  EXPECT_FALSE(figures->entries[0].cells[0].find("ap"));
}

TEST_F(Tree, ReadsTheLayoutBeforeMteb111) {
  write("m/r/S.json",
        R"({"mteb_dataset_name": "S", "dataset_revision": null, "mteb_version": "0.0.2",
      "test": {"en": {"cos_sim": {"pearson": 0.7, "spearman": 0.75}}, "de-en": {"cos_sim": {"spearman": -0.5}},
      "evaluation_time": 3}})");
  write(
      "m/r/C.json",
      R"({"mteb_dataset_name": "C", "mteb_version": "1.0", "test": {"accuracy": 0.6, "f1": 0.5}})");
  const auto figures = read();
  ASSERT_TRUE(figures) << figures.error().message;
  const Entry& model = figures->entries[0];
  EXPECT_EQ(model.find("S", "eng")->main_score, 0.75);
  EXPECT_EQ(model.find("S", "deu-eng")->main_score, -0.5);
  EXPECT_EQ(model.find("C", "default")->main_score, 0.6);
}

TEST_F(Tree, NamesATruncatedFile) {
  const std::string whole = result("Mine", entry("default", "0.5"));
  for (const std::size_t length :
       {whole.size() - 1, whole.size() - 3, whole.size() / 2, std::size_t{1}}) {
    write("m/r/Mine.json", whole.substr(0, length));
    EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "Mine.json: not valid JSON")) << length;
  }
}

TEST_F(Tree, NamesJsonThatIsNoResult) {
  write("m/r/Mine.json", R"({"hello": 1})");
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "Mine.json: not an MTEB result"));
  write("m/r/Mine.json", "[1, 2]");
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "Mine.json: not a JSON object"));
}

TEST_F(Tree, RefusesAScoreOutsideItsRange) {
  write("m/r/Mine.json", result("Mine", entry("default", "45.8")));
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "main_score 45.8 is outside [0, 1]"));
  write("m/r/Mine.json", result("Mine", entry("default", "-0.1", R"("spearman": -0.1)")));
  EXPECT_TRUE(read());  // a correlation
  write("m/r/Mine.json",
        result("Mine", entry("default", "0.5",
                             R"("accuracy": 0.5, "scores_per_experiment": [{"accuracy": 7}])")));
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "experiment 7 is outside"));
}

TEST_F(Tree, RefusesAnUnknownSubsetUntilTold) {
  write("m/r/Mine.json", result("Mine", entry("klingon", "0.5")));
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "unknown subset 'klingon' of Mine"));
  EXPECT_EQ(read({.unknown_subsets = UnknownSubsets::kKeep, .threads = 0, .progress = {}})
                ->entries[0]
                .cells[0]
                .subset,
            "klingon");
  EXPECT_TRUE(read({.unknown_subsets = UnknownSubsets::kSkip, .threads = 0, .progress = {}})
                  ->entries.empty());
}

TEST_F(Tree, RefusesTwoScoresForOneCell) {
  write("m/r/Mine.json", result("Mine", entry("en", "0.5") + "," + entry("eng", "0.6")));
  EXPECT_TRUE(
      has(failure(ErrorKind::kBadInput), "two scores for one cell: subsets 'en' and 'eng'"));
}

TEST_F(Tree, RefusesTwoFilesForOneCellAndNamesBoth) {
  write("m/r/Mine.json", result("Mine", entry("default", "0.5")));
  write("m/r/copy of Mine.json", result("Mine", entry("default", "0.5")));
  const std::string message = failure(ErrorKind::kBadInput);
  EXPECT_TRUE(has(message, "two files for one cell"));
  EXPECT_TRUE(has(message, "/Mine.json") && has(message, "copy of Mine.json"));
}

TEST_F(Tree, WithoutResultsIsNotFound) {
  fs::create_directories(root_ / "m" / "r");
  EXPECT_TRUE(has(failure(ErrorKind::kNotFound), "no result files"));
  fs::remove_all(root_);
  failure(ErrorKind::kNotFound);
}

TEST_F(Tree, NamesDamagedMetadata) {
  write("m/r/Mine.json", result("Mine", entry("default", "0.5")));
  write("m/r/model_meta.json", "{\"name\": ");
  EXPECT_TRUE(has(failure(ErrorKind::kBadInput), "model_meta.json"));
}

TEST_F(Tree, GivesTheSameFiguresWithOneAndTwoThreads) {
  for (int i = 0; i < 600; ++i) {
    write(fmt::format("m{}/r/T.json", i),
          result("T", entry("default", fmt::format("{}", i / 600.0))));
  }
  LoadOptions one, two;
  one.threads = 1;
  two.threads = 2;
  EXPECT_EQ(format_figures(*read(one)), format_figures(*read(two)));
}

TEST_F(Tree, ShowsAModelThatIsDroppedIntoIt) {
  write("a/r/T.json", result("T", entry("default", "0.5")));
  EXPECT_EQ(make_board(*read(), {})->competitors.size(), 1u);
  write("b/r/T.json", result("T", entry("default", "0.75")));
  const auto figures = read();
  const auto board = make_board(*figures, {});
  ASSERT_EQ(board->competitors.size(), 2u);
  const auto table = make_leaderboard(*board, {});
  EXPECT_EQ(board->competitors[table->rows[0].competitor].name, "b");
}

TEST_F(Tree, KeepsRevisionsApartUntilOneIsAskedFor) {
  write("a/first/T.json", result("T", entry("default", "0.5")));
  write("a/second/T.json", result("T", entry("default", "0.75")));
  const auto figures = read();
  EXPECT_EQ(make_board(*figures, {})->competitors.size(), 2u);
  BoardOptions options;
  options.revisions["a"] = "second";
  const auto board = make_board(*figures, options);
  ASSERT_EQ(board->competitors.size(), 1u);
  EXPECT_EQ(board->competitors[0].revision, "second");
  options.revisions["a"] = "third";
  EXPECT_EQ(make_board(*figures, options).error().kind, ErrorKind::kNotFound);
}

TEST_F(Tree, MarksARowThatLacksSubsetsAndRanksItWhenAsked) {
  for (const char* task : {"T1", "T2", "T3", "T4", "T5", "T6"}) {
    write(fmt::format("whole/r/{}.json", task), result(task, entry("default", "0.5")));
  }
  write("part/r/T1.json", result("T1", entry("default", "0.75")));
  const auto figures = read();
  const auto board = make_board(*figures, {});
  const auto table = make_leaderboard(*board, {});
  EXPECT_EQ(table->ranked, 1u);
  EXPECT_TRUE(table->rows[1].partial);
  EXPECT_FALSE(table->rows[1].rank);
  EXPECT_EQ(table->rows[1].have, 1u);
  LeaderboardOptions common;
  common.common = true;
  const auto shared = make_leaderboard(*board, common);
  EXPECT_EQ(shared->ranked, 2u);
  EXPECT_EQ(board->competitors[shared->rows[0].competitor].name, "part");
}

// Keys in another order are left to the second parser: both must give the same.
TEST(ResultFileReader, GivesTheSameForAnyOrderOfKeys) {
  const std::string cell =
      entry("default", "0.5",
            R"("accuracy": 0.5, "scores_per_experiment": [{"accuracy": 0.4}, {"accuracy": 0.6}],
      "agreement": {"metric": "fleiss_kappa", "value": 0.386, "interpretation": "Moderate"})");
  const std::string usual = result("Mine", cell);
  const std::string late = fmt::format(
      R"({{"scores": {{"test": [{}]}}, "mteb_version": "2.0", "dataset_revision": "r", "task_name": "Mine"}})",
      cell);
  ResultFileReader reader(UnknownSubsets::kRefuse);
  const auto first = reader.parse(usual, "a"), second = reader.parse(late, "b");
  ASSERT_TRUE(first && second);
  const auto text = [](const ResultFile& file) {
    Figures figures;
    figures.entries = {{"m", "r", {}, file.cells}};
    return format_figures(figures);
  };
  EXPECT_EQ(text(*first), text(*second));
  EXPECT_EQ(first->cells[0].experiments, (std::vector<double>{0.4, 0.6}));
  EXPECT_EQ(first->cells[0].agreement->interpretation, "Moderate");
}

// What `body` finds out as a user whom permissions bind: root gives its rights up in a child.
bool holds_without_rights(const std::function<bool()>& body) {
  if (::geteuid() != 0) return body();
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool dropped = ::setgroups(0, nullptr) == 0 &&
                         ::setresgid(kNobody, kNobody, kNobody) == 0 &&
                         ::setresuid(kNobody, kNobody, kNobody) == 0;
    ::_exit(dropped && body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Permissions, ThatAreMissingAreNamed) {
  const TestFolder folder;
  const fs::path file = folder.write("tree/locked/r/A.json", result("A", entry("eng", "0.5")));
  const fs::path locked = folder.path() / "tree/locked";
  const auto refused = [](const fs::path& source, const fs::path& named) {
    return holds_without_rights([&] {
      const auto figures = load_figures(source.string());
      return !figures && figures.error().kind == ErrorKind::kNotAllowed &&
             figures.error().message.starts_with(named.string());
    });
  };
  fs::permissions(file, fs::perms::none);
  EXPECT_TRUE(refused(folder.path() / "tree", file));
  fs::permissions(locked, fs::perms::none);
  EXPECT_TRUE(refused(folder.path() / "tree", locked));
  EXPECT_TRUE(refused(locked / "r", locked / "r"));
  fs::permissions(locked, fs::perms::owner_all);
}

TEST(MtebTree, OfHumeIsWhatTheProgramShips) {
  const fs::path tree = "../shared/data/hume-results";
  if (!fs::exists(tree)) GTEST_SKIP() << "needs " << tree;
  const auto figures = read_mteb_tree(tree, {});
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(content_hash(*figures), content_hash(*load_figures("hume")));
  EXPECT_EQ(figures->nonstandard_files, 30u);
}

}  // namespace
}  // namespace plumb::gap
