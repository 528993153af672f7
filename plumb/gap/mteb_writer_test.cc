#include "plumb/gap/mteb_writer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "plumb/base/json.h"
#include "plumb/gap/figures.h"
#include "plumb/gap/gap.h"
#include "plumb/gap/leaderboard.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/testing.h"

namespace plumb::gap {
namespace {

namespace fs = std::filesystem;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::RaterKind;
using tasks::Task;

class MtebWriter : public ::testing::Test {
 protected:
  MtebWriter() { fs::create_directories(root_); }
  ~MtebWriter() override { fs::remove_all(root_); }

  const fs::path root_ =
      fs::path(::testing::TempDir()) /
      fmt::format("plumb_mteb_{}_{}", ::getpid(),
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

// Two people and a model of two runs, who answer at random.
std::vector<AnswerSheet> some_sheets(const Task& task) {
  std::vector<AnswerSheet> sheets;
  for (int s = 0; s < 4; ++s) {
    Stream stream(static_cast<std::uint64_t>(s), "writer test", 0);
    AnswerSheet sheet = tasks::testing::sheet_of({}, s < 2 ? fmt::format("ann{}", s) : "org/model");
    for (std::size_t i = 0; i < task.items.size(); ++i) {
      sheet.answers.emplace_back(tasks::testing::random_answer(task.kind, stream));
    }
    if (s >= 2) {
      sheet.kind = RaterKind::kModel;
      sheet.run = s - 2;
      sheet.provenance = {{"probe", {{"similarity", "cosine"}}}, {"dimension", 64}};
    }
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

Task some_task(Kind kind) {
  Stream stream(1, "writer task", 0);
  Task task = tasks::testing::random_task(kind, 20, stream);
  task.name = "MyTask";
  task.language = "en";
  return task;
}

const Json* find_file(const std::vector<MtebFile>& files, const std::string& path) {
  for (const MtebFile& file : files) {
    if (file.path == path) return &file.json;
  }
  return nullptr;
}

std::string folder_of_model(const std::vector<MtebFile>& files) {
  for (const MtebFile& file : files) {
    if (file.path.string().starts_with("org__model")) return file.path.parent_path().string();
  }
  return "";
}

TEST_F(MtebWriter, IsReadBackByThisProgram) {
  const Task task = some_task(Kind::kClassification);
  const auto sheets = some_sheets(task);
  const auto files = mteb_files(task, sheets, {});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_TRUE(write_mteb_files(root_, *files));
  const auto figures = load_figures(root_.string());
  ASSERT_TRUE(figures) << figures.error().message;
  ASSERT_EQ(figures->entries.size(), 4U) << "two annotators, people together, a model";
  const auto score = [&](std::size_t s) {
    return *tasks::Scorer::make(task, sheets[s], {})->score();
  };
  for (const Entry& entry : figures->entries) {
    ASSERT_EQ(entry.cells.size(), 1U);
    const Cell& cell = entry.cells[0];
    EXPECT_EQ(cell.language, "eng");
    if (entry.revision == "annotator_ann1") {
      EXPECT_DOUBLE_EQ(cell.main_score, score(1));
    } else if (entry.revision == "expected") {
      EXPECT_DOUBLE_EQ(cell.main_score, (score(0) + score(1)) / 2);
      EXPECT_EQ(cell.experiments, (std::vector<double>{score(0), score(1)}));
    } else if (entry.name == "org/model") {
      EXPECT_DOUBLE_EQ(cell.main_score, (score(2) + score(3)) / 2);
    }
  }
}

// Two people, a model, and who is neither.
std::vector<AnswerSheet> sheets_of_all_kinds(const Task& task) {
  std::vector<AnswerSheet> sheets = some_sheets(task);
  for (const RaterKind kind :
       {RaterKind::kBaseline, RaterKind::kSimulated, RaterKind::kAdjudicated}) {
    AnswerSheet sheet = sheets.front();
    sheet.rater = "a " + std::string(tasks::rater_kind_name(kind)) + " rater";
    sheet.kind = kind;
    for (std::size_t i = 0; i < task.items.size(); ++i) sheet.answers[i] = task.items[i].gold;
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

TEST_F(MtebWriter, KeepsApartWhoIsNeitherAPersonNorAModel) {
  const Task task = some_task(Kind::kClassification);
  ASSERT_TRUE(write_mteb_files(root_, *mteb_files(task, sheets_of_all_kinds(task), {})));
  Figures figures = load_figures(root_.string()).value();
  figures = parse_figures(format_figures(figures), "a table").value();
  const Board board = make_board(figures, {}).value();
  std::set<std::string_view> kinds;
  for (const Competitor& row : board.competitors) kinds.insert(kind_name(row.kind));
  EXPECT_EQ(kinds,
            (std::set<std::string_view>{"human", "model", "baseline", "simulated", "adjudicated"}));
  const Leaderboard table = make_leaderboard(board, {}).value();
  EXPECT_EQ(table.ranked, 2U) << "people and the model; the others are right on every item";
  const auto gaps = measure_gaps(board, {}).value();
  ASSERT_EQ(gaps.size(), 1U);
  ASSERT_EQ(gaps[0].models.size(), 1U);
  EXPECT_EQ(gaps[0].model_name, "org/model");
  ASSERT_TRUE(gaps[0].trivial);
  EXPECT_EQ(gaps[0].trivial->name, "a baseline rater");
  EXPECT_EQ(gaps[0].verdict, Verdict::kNotInterpretable);
  EXPECT_EQ(measure_gaps(board, {.against = "a simulated rater"}).value()[0].model, 100);
}

TEST_F(MtebWriter, SaysHowManyItemsAScoreIsOf) {
  Task task = some_task(Kind::kClassification);
  task.items[3].gold.clear();
  auto sheets = some_sheets(task);
  sheets[1].answers[5].reset();  // of one annotator
  ASSERT_TRUE(write_mteb_files(root_, *mteb_files(task, sheets, {})));
  const Figures figures = load_figures(root_.string()).value();
  for (const Entry& entry : figures.entries) {
    const bool lacks = entry.revision == "expected" || entry.revision == "annotator_ann1";
    EXPECT_EQ(entry.cells[0].items, lacks ? 18 : 19) << entry.name << " " << entry.revision;
  }
  const auto gaps = measure_gaps(make_board(figures, {}).value(), {}).value();
  EXPECT_EQ(gaps[0].subset.items, 18);
  ASSERT_TRUE(gaps[0].ci);
  EXPECT_EQ(gaps[0].warnings, (std::vector<std::string>{"agreement unknown: not published"}));
  EXPECT_EQ(gaps[0].outside_paper_interval, std::nullopt) << "the paper is of other tasks";
}

TEST_F(MtebWriter, GivesNoVerdictWhereTheItemsAreNotSaid) {
  const Task task = some_task(Kind::kClassification);
  auto files = mteb_files(task, some_sheets(task), {}).value();
  for (MtebFile& file : files) {
    if (file.json.contains("scores")) file.json["scores"]["test"][0].erase("n_items");
  }
  ASSERT_TRUE(write_mteb_files(root_, files));
  const Figures figures = load_figures(root_.string()).value();
  const auto gaps = measure_gaps(make_board(figures, {}).value(), {}).value();
  EXPECT_EQ(verdict_name(gaps[0].verdict), "no verdict");
  EXPECT_EQ(gaps[0].warnings.back(), "no verdict: the number of items was not published");
}

TEST_F(MtebWriter, GivesEveryKindOfTaskAnIntervalButClusterings) {
  for (const Kind kind : {Kind::kClassification, Kind::kReranking, Kind::kSts, Kind::kClustering}) {
    Task task = some_task(kind);
    task.name = tasks::kind_name(kind);
    ASSERT_TRUE(write_mteb_files(root_, *mteb_files(task, some_sheets(task), {})));
  }
  const Figures figures = load_figures(root_.string()).value();
  const auto gaps = measure_gaps(make_board(figures, {}).value(), {}).value();
  EXPECT_EQ(gaps.size(), 4U);
  for (const SubsetGap& gap : gaps) {
    EXPECT_EQ(gap.ci.has_value(), gap.subset.type != tasks::TaskType::kClustering)
        << gap.subset.task;
  }
}

TEST_F(MtebWriter, GivesARaterOneRevisionOverAllTasks) {
  std::set<std::string> revisions;
  for (const char* name : {"First", "Second"}) {
    Task task = some_task(Kind::kSts);
    task.name = name;
    auto sheets = some_sheets(task);
    for (AnswerSheet& sheet : sheets) {
      if (sheet.kind == RaterKind::kPerson) continue;
      sheet.provenance["embedder"] = {{"sha256", "abc"}, {"words_known", name}};
      sheet.provenance["probe"]["protocol"] = "mteb";
    }
    revisions.insert(folder_of_model(*mteb_files(task, sheets, {})));
  }
  ASSERT_EQ(revisions.size(), 1U);
  EXPECT_TRUE(revisions.begin()->ends_with("-mteb")) << *revisions.begin();
}

// What mteb's TaskResult asks of a file, and the published files have.
TEST_F(MtebWriter, HasTheFieldsOfThePublishedFiles) {
  const std::pair<Kind, const char*> kinds[] = {
      {Kind::kClassification, "HUMEEmotionClassification"},
      {Kind::kClustering, "HUMESIB200ClusteringS2S"},
      {Kind::kReranking, "HUMECore17InstructionReranking"},
      {Kind::kSts, "HUMESICK-R"}};
  const fs::path published =
      "../shared/data/hume-results/results/intfloat__e5-mistral-7b-instruct/"
      "07163b72af1488142a360786df853f237b1a3ca1";
  if (!fs::exists(published)) GTEST_SKIP() << "../shared/data is absent";
  for (const auto& [kind, name] : kinds) {
    const Task task = some_task(kind);
    const auto files = mteb_files(task, some_sheets(task), {});
    ASSERT_TRUE(files);
    const Json& ours = *find_file(*files, folder_of_model(*files) + "/MyTask.json");
    std::ifstream stream(published / fmt::format("{}.json", name));
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const Json theirs = Json::parse(without_nonfinite_words(text).text);
    for (const auto& [key, value] : theirs.items()) EXPECT_TRUE(ours.contains(key)) << key;
    const Json& entry = ours["scores"]["test"][0];
    for (const auto& [key, value] : theirs["scores"]["test"][0].items()) {
      const bool other = key.starts_with("nAUC") || key.starts_with("manhattan") ||
                         key.starts_with("euclidean") || key == "mrr";
      if (other) continue;
      ASSERT_TRUE(entry.contains(key)) << name << " " << key;
      EXPECT_EQ(entry[key].is_number(), value.is_number()) << name << " " << key;
      EXPECT_EQ(entry[key].is_array(), value.is_array()) << name << " " << key;
    }
  }
}

TEST_F(MtebWriter, KeepsTheOtherSubsetsOfAFile) {
  const Task task = some_task(Kind::kSts);
  const auto sheets = some_sheets(task);
  for (const char* subset : {"en", "da", "en"}) {
    ASSERT_TRUE(write_mteb_files(root_, *mteb_files(task, sheets, {.subset = subset})));
  }
  const auto figures = load_figures(root_.string());
  ASSERT_TRUE(figures) << figures.error().message;
  for (const Entry& entry : figures->entries) EXPECT_EQ(entry.cells.size(), 2U);
}

TEST_F(MtebWriter, RefusesToReplaceSomethingElse) {
  const Task task = some_task(Kind::kSts);
  const auto files = *mteb_files(task, some_sheets(task), {});
  fs::create_directories((root_ / files[0].path).parent_path());
  std::ofstream(root_ / files[0].path) << "{}";
  const auto written = write_mteb_files(root_, files);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kBadInput);
  EXPECT_FALSE(fs::exists(root_ / "org__model")) << "nothing is written before all is checked";
}

TEST_F(MtebWriter, RefusesNamesThatAreNoFolders) {
  Task task = some_task(Kind::kSts);
  auto sheets = some_sheets(task);
  for (const char* name : {"", "..", "a\nb"}) {
    sheets[2].rater = sheets[3].rater = name;
    const auto files = mteb_files(task, sheets, {});
    ASSERT_FALSE(files) << name;
    EXPECT_EQ(files.error().kind, ErrorKind::kBadInput);
  }
  const Task preferences = some_task(Kind::kPreference);
  EXPECT_EQ(mteb_files(preferences, {}, {}).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace plumb::gap
