#include "plumb/gap/mteb_file.h"

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/gap/mteb_parsers.h"
#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

namespace fs = std::filesystem;
using Skip = UnknownSubsets;

Result<ResultFile> parse(std::string_view text, UnknownSubsets unknown = Skip::kRefuse) {
  return ResultFileReader(unknown).parse(text, "dir/Task.json");
}

std::vector<Cell> cells(std::string_view text, UnknownSubsets unknown = Skip::kRefuse) {
  auto file = parse(text, unknown);
  EXPECT_TRUE(file) << file.error().message;
  return file ? file->cells : std::vector<Cell>();
}

// Everything of the cells that is kept, metrics in a fixed order.
std::string text_of(std::vector<Cell> cells) {
  for (Cell& cell : cells) std::ranges::sort(cell.scores);
  std::ranges::sort(cells, {}, &Cell::subset);
  Figures figures;
  figures.entries.push_back({"m", "1", {}, std::move(cells)});
  return format_figures(figures);
}

// The file with a split in front of "test", which only the whole parser reads.
std::string for_whole_parser(Json file) {
  Json splits;
  splits["dev"] = Json::array();
  splits["test"] = file["scores"]["test"];
  file["scores"] = splits;
  return to_text(file);
}

Json with_agreement() {
  Json file = result_json("HUMESTS22", "cosine_spearman", {{"en", 0.5}, {"ar", -0.25}});
  Json& entry = file["scores"]["test"][0];
  entry["agreement"] = {{"metric", "fleiss_kappa"}, {"value", 0.5}, {"n_items", 30}};
  entry["scores_per_experiment"] = {{{"cosine_spearman", 0.5}, {"mse", 2}},
                                    {{"cosine_spearman", 0.25}}};
  entry["nauc_at_3"] = {{"deep", {1, 2}}};
  return file;
}

TEST(ResultFile, OfTheCurrentLayoutGivesACellAnEntry) {
  const auto read = cells(to_text(with_agreement()));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].task, "HUMESTS22");
  EXPECT_EQ(read[0].subset, "en");
  EXPECT_EQ(read[0].language, "eng");
  EXPECT_EQ(read[0].dataset_revision, "abc");
  EXPECT_EQ(read[0].mteb_version, "1.34.7");
  EXPECT_EQ(read[0].main_score, 0.5);
  EXPECT_EQ(read[0].main_metric(), "cosine_spearman");
  EXPECT_EQ(read[0].experiments, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(read[0].agreement->value(), 0.5);
  EXPECT_EQ(read[0].agreement->find("n_items"), 30);
  EXPECT_EQ(read[1].main_score, -0.25);
  EXPECT_FALSE(read[1].agreement);
}

TEST(ResultFile, BeforeMteb111NestsSubsetsInASplit) {
  const auto read = cells(R"({"mteb_dataset_name":"STS17","dataset_revision":"r","test":{
      "en-de":{"cos_sim":{"pearson":0.5,"spearman":-0.125},"euclidean":{"spearman":0.1}},
      "evaluation_time":3.5}})");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].task, "STS17");
  EXPECT_EQ(read[0].subset, "eng-deu");
  EXPECT_EQ(read[0].main_score, -0.125);
  EXPECT_EQ(read[0].main_metric(), "cosine_spearman");
  EXPECT_EQ(read[0].dataset_revision, "r");
}

TEST(ResultFile, BeforeMteb111OfOneLanguageHoldsMetricsInTheSplit) {
  const auto read =
      cells(R"({"mteb_dataset_name":"Banking77Classification","test":{"accuracy":0.75,"f1":0.5}})");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].subset, "default");
  EXPECT_EQ(read[0].language, "und");
  EXPECT_EQ(read[0].main_score, 0.75);
  EXPECT_EQ(read[0].find("f1"), 0.5);
}

TEST(ResultFile, BeforeMteb111MayHaveAValidationSplitOnly) {
  EXPECT_EQ(cells(R"({"mteb_dataset_name":"A","dev":{"v_measure":0.5}})").size(), 1u);
  EXPECT_EQ(cells(R"({"mteb_dataset_name":"A","validation":{"map":0.5}})").size(), 1u);
}

TEST(ResultFile, WithoutATestSplitIsReadFromItsFirst) {
  const auto read = cells(R"({"task_name":"A","scores":{"dev":[
      {"hf_subset":"default","main_score":0.5,"accuracy":0.5}]}})");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].main_score, 0.5);
}

TEST(ResultFile, TakesBareNanAndInfinityAsMissingValues) {
  const auto file = parse(R"({"task_name":"A","scores":{"test":[
      {"hf_subset":"eng","main_score":0.5,"accuracy":0.5,"ap":NaN,"nauc":-Infinity},
      {"hf_subset":"deu","main_score":NaN,"accuracy":Infinity}]}})");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->nonstandard);
  ASSERT_EQ(file->cells.size(), 1u);
  EXPECT_EQ(file->cells[0].find("ap"), std::nullopt);
}

TEST(ResultFile, IsStandardWithoutBareWords) {
  EXPECT_FALSE(parse(to_text(with_agreement()))->nonstandard);
}

TEST(ResultFile, IsStandardWhereTheWordsStandInStrings) {
  Json file = result_json("A", "accuracy", {{"eng", 0.5}});
  file["scores"]["test"][0]["NaN"] = "Infinity";
  EXPECT_FALSE(parse(to_text(file))->nonstandard);
}

TEST(ResultFile, WithoutAMainScoreIsMissingNotZero) {
  const auto read = cells(R"({"task_name":"A","scores":{"test":[
      {"hf_subset":"eng","main_score":null,"accuracy":0.5},
      {"hf_subset":"deu","main_score":0.25}]}})");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].subset, "deu");
}

TEST(ResultFile, FoldsTheSubsetsOfATaskThatPlumbKnows) {
  const auto read = cells(
      result_text("HUMEWikipediaRerankingMultilingual", "map", {{"nor", 0.5}, {"eng", 0.25}}));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].subset, "no");
  EXPECT_EQ(read[0].original, "nor");
  EXPECT_EQ(read[1].subset, "en");
}

TEST(ResultFile, DropsSubsetsOutsideTheBenchmark) {
  EXPECT_EQ(cells(result_text("HUMESTS22", "cosine_spearman", {{"fr", 0.5}, {"en", 0.25}})).size(),
            1u);
}

TEST(ResultFile, RefusesKeepsOrSkipsAnUnknownSubset) {
  const std::string text = result_text("HUMESTS22", "cosine_spearman", {{"en", 0.5}, {"xx", 0.25}});
  expect_error(parse(text), ErrorKind::kBadInput,
               {"dir/Task.json: ", "'xx'", "HUMESTS22", "--unknown-subsets keep or skip"});
  EXPECT_EQ(cells(text, Skip::kSkip).size(), 1u);
  const auto kept = cells(text, Skip::kKeep);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].subset, "xx");
}

TEST(ResultFile, RefusesUnknownSubsetsOfUnknownTasksToo) {
  expect_error(parse(result_text("A", "accuracy", {{"xx", 0.5}})), ErrorKind::kBadInput, {"'xx'"});
}

TEST(ResultFile, RefusesAMainScoreOutsideItsRange) {
  expect_error(parse(result_text("A", "accuracy", {{"eng", 75.0}})), ErrorKind::kBadInput,
               {"dir/Task.json: ", "subset eng", "75", "[0, 1]", "correct or remove"});
  expect_error(parse(result_text("A", "accuracy", {{"eng", -0.5}})), ErrorKind::kBadInput,
               {"-0.5", "[0, 1]"});
  expect_error(parse(result_text("A", "cosine_spearman", {{"eng", -1.5}})), ErrorKind::kBadInput,
               {"-1.5", "[-1, 1]"});
}

TEST(ResultFile, AllowsANegativeCorrelationAndARoundedOne) {
  EXPECT_EQ(cells(result_text("A", "cosine_spearman", {{"eng", -0.5}})).size(), 1u);
  EXPECT_EQ(cells(result_text("A", "accuracy", {{"eng", 1.0000000001}})).size(), 1u);
}

TEST(ResultFile, RefusesAnExperimentOutsideItsRange) {
  Json file = result_json("A", "accuracy", {{"eng", 0.5}});
  file["scores"]["test"][0]["scores_per_experiment"] = {{{"accuracy", 0.5}}, {{"accuracy", 50}}};
  expect_error(parse(to_text(file)), ErrorKind::kBadInput, {"experiment", "50", "[0, 1]"});
}

TEST(ResultFile, RefusesTwoNamesOfOneLanguage) {
  expect_error(parse(result_text("HUMESTS22", "cosine_spearman", {{"ar", 0.5}, {"arb", 0.25}})),
               ErrorKind::kBadInput, {"dir/Task.json: ", "'ar'", "'arb'", "remove one"});
}

TEST(ResultFile, ThatIsCutShortIsNamedWhereverItIsCut) {
  const std::string text = to_text(with_agreement());
  for (std::size_t length = 0; length < text.size(); ++length) {
    expect_error(parse(text.substr(0, length)), ErrorKind::kBadInput,
                 {"dir/Task.json: not valid JSON", "fetch the file again"});
  }
}

TEST(ResultFile, ThatIsNotJsonIsNamed) {
  for (const char* text : {"", "hello", "{\"task_name\":}", "<html>", "{} {}"}) {
    expect_error(parse(text), ErrorKind::kBadInput, {"dir/Task.json: not valid JSON"});
  }
}

TEST(ResultFile, ThatIsAnotherJsonIsNamed) {
  for (const char* text : {"[1,2]", "3", "{}", R"({"task_name":"A"})", R"({"scores":{}})",
                           R"({"task_name":"A","scores":[]})"}) {
    expect_error(parse(text), ErrorKind::kBadInput, {"dir/Task.json: not a", "; "});
  }
}

TEST(ResultFile, WithoutEntriesOrTheirNamesIsNamed) {
  for (const char* text :
       {R"({"task_name":"A","scores":{}})", R"({"task_name":"A","scores":{"test":3}})",
        R"({"task_name":"A","scores":{"test":[{"main_score":0.5}]}})",
        R"({"task_name":"A","scores":{"test":[3]}})"}) {
    expect_error(parse(text), ErrorKind::kBadInput, {"dir/Task.json: ", "\"scores\"", "; "});
  }
}

TEST(ResultFile, OfTheOldLayoutWithoutASplitIsNamed) {
  for (const char* text :
       {R"({"mteb_dataset_name":"A"})", R"({"mteb_dataset_name":"A","train":{}})",
        R"({"mteb_dataset_name":"A","test":0.5})"}) {
    expect_error(parse(text), ErrorKind::kBadInput, {"dir/Task.json: ", "; "});
  }
}

TEST(ResultFile, ThatIsMissingIsNotFound) {
  expect_error(ResultFileReader(Skip::kRefuse).read("/nowhere/A.json"), ErrorKind::kNotFound,
               {"/nowhere/A.json: cannot read"});
}

TEST(ResultFileReader, ForgetsALongerFile) {
  const TestFolder folder;
  const auto long_file = folder.write("long.json", to_text(with_agreement(), 4));
  const auto short_file = folder.write("short.json", result_text("A", "map", {{"eng", 0.5}}));
  const auto cut_file = folder.write("cut.json", R"({"task_name":"A")");
  ResultFileReader reader(Skip::kRefuse);
  EXPECT_EQ(reader.read(long_file)->cells.size(), 2u);
  EXPECT_EQ(reader.read(short_file)->cells.size(), 1u);
  EXPECT_FALSE(reader.read(cut_file));
  EXPECT_EQ(reader.read(long_file)->cells.size(), 2u);
}

TEST(Parsers, TheFastOneReadsTheCurrentLayoutAndLeavesTheOld) {
  internal::FastParser fast;
  const auto reads = [&fast](const std::string& text) {
    return fast.parse(text + std::string(internal::kPadding, '\0'), text.size()).has_value();
  };
  EXPECT_TRUE(reads(to_text(with_agreement())));
  EXPECT_TRUE(reads(to_text(with_agreement(), 4)));
  EXPECT_FALSE(reads(for_whole_parser(with_agreement())));
  EXPECT_FALSE(reads(R"({"mteb_dataset_name":"A","test":{"map":0.5}})"));
}

TEST(Parsers, AgreeOnAnEntryWithoutAMainScore) {
  Json file = result_json("A", "accuracy", {{"eng", 0.5}});
  file["scores"]["test"][0].erase("main_score");
  EXPECT_TRUE(cells(to_text(file)).empty());
  EXPECT_TRUE(cells(for_whole_parser(file)).empty());
}

TEST(Parsers, AgreeOnNestedCorrelations) {
  Json file = result_json("A", "spearman", {{"eng", -0.5}});
  Json& entry = file["scores"]["test"][0];
  entry.erase("spearman");
  entry["cos_sim"] = {{"pearson", -0.25}, {"spearman", -0.5}};
  const auto read = cells(to_text(file));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].main_metric(), "cosine_spearman");
  EXPECT_EQ(text_of(read), text_of(cells(for_whole_parser(file))));
}

TEST(Parsers, AgreeOnShuffledKeys) {
  const Json file = with_agreement();
  const std::string expected = text_of(cells(to_text(file)));
  EXPECT_TRUE(rc::check("the order of keys does not matter", [&] {
    const auto shuffled = [](const Json& object) {
      std::vector<std::string> keys;
      for (const auto& [key, value] : object.items()) keys.push_back(key);
      for (std::size_t i = keys.size(); i > 1; --i) {
        std::swap(keys[i - 1], keys[*rc::gen::inRange<std::size_t>(0, i)]);
      }
      Json result;
      for (const std::string& key : keys) result[key] = object.at(key);
      return result;
    };
    Json mixed = shuffled(file);
    for (Json& entry : mixed["scores"]["test"]) entry = shuffled(entry);
    RC_ASSERT(text_of(cells(to_text(mixed))) == expected);
    RC_ASSERT(text_of(cells(for_whole_parser(mixed))) == expected);
  }));
}

TEST(Parsers, AgreeOnEveryFileOfTheRawTree) {
  if (!fs::exists(kRawTree)) GTEST_SKIP() << kRawTree << " is not there";
  std::size_t files = 0, fast_files = 0;
  for (const auto& item : fs::recursive_directory_iterator(kRawTree)) {
    const fs::path& path = item.path();
    if (path.extension() != ".json" || path.filename() == "model_meta.json") continue;
    const std::string text = read_file(path).value();
    const Json file = Json::parse(without_nonfinite_words(text).text);
    EXPECT_EQ(text_of(cells(text)), text_of(cells(for_whole_parser(file)))) << path;
    ++files;
    internal::FastParser fast;
    const std::string padded = text + std::string(internal::kPadding, '\0');
    fast_files += fast.parse(padded, text.size()) ? 1 : 0;
  }
  EXPECT_GT(files, 200u);
  EXPECT_EQ(fast_files, files) << "files of the current layout that the fast parser left";
}

}  // namespace
}  // namespace plumb::gap
