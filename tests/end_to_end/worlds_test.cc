// Planted worlds and the measurement of a mismatch in them, from outside the program.
#include <algorithm>
#include <sstream>

#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Worlds : public Program {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
};

constexpr const char* kTwoEnds =
    R"({"step":0,"prompt":"Mia had a red kite.","completion":" Mia found the kite and was happy."})"
    "\n"
    R"({"step":0,"prompt":"Mia had a red kite.","completion":" Mia never found the kite and went home sad."})"
    "\n";

TEST_F(Worlds, LabelPairsByTheirGold) {
  write("samples.jsonl", kTwoEnds);
  const Outcome outcome = run("reward label --gold world:happy " + path("samples.jsonl"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const Json pair = Json::parse(outcome.out);
  EXPECT_EQ(pair["chosen"], " Mia found the kite and was happy.");
  EXPECT_EQ(pair["score_chosen"], 1);
  EXPECT_NE(outcome.error.find("1 pairs, 1 votes, 0 against the gold"), std::string::npos);
}

TEST_F(Worlds, LabelATaskForSeveralAnnotators) {
  write("samples.jsonl", kTwoEnds);
  const Outcome labelled =
      run("reward label --gold world:happy --annotators 5 --task " + path("t.jsonl") +
          " --answers " + path("a.jsonl") + " " + path("samples.jsonl"));
  EXPECT_EQ(labelled.code, 0) << labelled.error;
  const Json audit = Json::parse(
      run("reward audit --json " + path("t.jsonl") + " --answers " + path("a.jsonl")).out);
  EXPECT_EQ(audit["annotators"], 5);
  EXPECT_EQ(audit["percent_agreement"], 1);
}

TEST_F(Worlds, ThatAreNotThereAreNamed) {
  write("samples.jsonl", kTwoEnds);
  Outcome outcome = run("reward label --gold world:joy " + path("samples.jsonl"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.error.find("there are happy, shares"), std::string::npos) << outcome.error;
  outcome = run("reward label --gold world:happy --step 4 " + path("samples.jsonl"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.error.find("holds no samples of step 4"), std::string::npos);
}

// Twelve prompts at five steps: gold rises, then falls; the proxy rises.
std::string run_of_samples(bool gold, const char* completion = " text") {
  std::string lines;
  for (int step = 0; step <= 5; ++step) {
    for (int p = 0; p < 12; ++p) {
      for (int i = 0; i < 4; ++i) {
        const double wobble = 0.1 * ((p * 7 + i * 5 + step * 3) % 11 - 5);
        Json line = {{"step", step * 10},        {"prompt", fmt::format("p{}", p)},
                     {"completion", completion}, {"tokens", 5 + step + i},
                     {"proxy", step + wobble},   {"kl", step * step}};
        if (gold) line["gold"] = step * (2.5 - 0.6 * step) + wobble + 0.05 * p;
        lines += to_text(line) + "\n";
      }
    }
  }
  return lines;
}

// Every fifth sample from step 20 on lacks gold.
std::string run_with_holes() {
  std::istringstream lines(run_of_samples(true));
  std::string text, line;
  for (std::size_t i = 0; std::getline(lines, line); ++i) {
    Json sample = Json::parse(line);
    if (sample["step"] >= 20 && i % 5 == 0) sample["gold"] = nullptr;
    text += to_text(sample) + "\n";
  }
  return text;
}

// In text, JSON and CSV, and in the page.
TEST_F(Worlds, ThatLackGoldNowAndThenAreNotAveragedOverWithoutAWord) {
  write("holes.jsonl", run_with_holes());
  const std::string told = "\"gold\" is missing in 38 of 288 samples";
  const auto says = [&](const std::string& command) {
    std::string out = run("mismatch " + command + " --resamples 100 " + path("holes.jsonl")).out;
    std::ranges::replace(out, '\n', ' ');
    return out;
  };
  EXPECT_NE(says("measure").find(told), std::string::npos);
  EXPECT_NE(says("links").find(told), std::string::npos);
  for (const char* verb : {"measure", "links"}) {
    const Json json = Json::parse(says(std::string(verb) + " --json"))["runs"][0];
    EXPECT_EQ(json["missing_values"][0]["field"], "gold") << verb;
    EXPECT_EQ(json["missing_values"][0]["missing"], 38);
    EXPECT_EQ(json["missing_values"][0]["steps"].size(), 4U);
    EXPECT_TRUE(json["missing"][0].get<std::string>().starts_with(told));
  }
  EXPECT_NE(says("links --csv").find("samples,holes,without gold,38,"), std::string::npos);
  EXPECT_NE(says("measure --csv").find("without_proxy,without_gold"), std::string::npos);
  for (const char* verb : {"mismatch", "links"}) {
    const Outcome page = run(fmt::format("report {} --resamples 100 {} -o {}", verb,
                                         path("holes.jsonl"), path("page.html")));
    EXPECT_EQ(page.code, 0) << page.error;
    EXPECT_NE(
        read_file(path("page.html")).value().find("\\\"gold\\\" is missing in 38 of 288 samples"),
        std::string::npos)
        << verb;
  }
}

TEST_F(Worlds, ThatLackGoldAreFittedFromTheirTable) {
  std::string lines = run_with_holes();
  write("holes.jsonl", lines);
  ASSERT_EQ(run("mismatch measure --csv --resamples 100 " + path("holes.jsonl") + " -o " +
                path("points.csv"))
                .code,
            0);
  const Outcome fit = run("mismatch fit --json --by kind --form rl " + path("points.csv"));
  ASSERT_EQ(fit.code, 0) << fit.error;
  EXPECT_EQ(Json::parse(fit.out)["curves"][1]["name"], "run/gold");
}

TEST_F(Worlds, HaveTheirMismatchMeasured) {
  write("run.jsonl", run_of_samples(true));
  const Outcome outcome = run("mismatch measure --json " + path("run.jsonl"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "plumb.mismatch-measure/1");
  const Json& run_json = json["runs"][0];
  EXPECT_EQ(run_json["name"], "run");
  EXPECT_EQ(run_json["samples"], 288);
  EXPECT_EQ(run_json["trajectories"][0]["kind"], "best of n");
  const Json& steps = run_json["trajectories"][1];
  EXPECT_EQ(steps["points"].size(), 5U);
  EXPECT_EQ(steps["points"][2]["step"], 30);
  EXPECT_EQ(steps["points"][2]["d"], 3);
  EXPECT_EQ(steps["points"][2]["kl_is"], "exact");
  EXPECT_EQ(steps["curves"][0]["name"], "gold");
  EXPECT_EQ(steps["curves"][0]["verdict"], "inverted");
  EXPECT_EQ(steps["curves"][1]["verdict"], "aligned");
  EXPECT_EQ(steps["stopping"]["rules"][0]["name"], "ceiling");
  EXPECT_EQ(run("mismatch measure --json --threads 3 " + path("run.jsonl")).out, outcome.out);
}

// Given again as it stands in the result, the command gives the result.
TEST_F(Worlds, NameTheCommandThatMeasuredThem) {
  std::string table = "step,prompt,completion,reward,kl,the gold\n";
  for (int step = 5; step <= 45; step += 10) {
    for (int i = 0; i < 40; ++i) {
      table += fmt::format("{},p{},text,{},{},{}\n", step, i % 10, step + i * 7 % 5, 0.1 * step,
                           i * 3 % 4 + step * 0.01);
    }
  }
  write("trl.csv", table);
  const std::string options = "mismatch {} '" + path("trl.csv") +
                              "' --map 'proxy=reward,gold=the gold' --start 5 --resamples 100 ";
  for (const char* verb : {"measure", "links"}) {
    const Outcome outcome =
        run(fmt::format(fmt::runtime(options), verb) + "--json --threads 2 -o " + path("x.json"));
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    const std::string first = *read_file(path("x.json"));
    const std::string command = Json::parse(first)["command"];
    EXPECT_NE(command.find("'gold=the gold'"), std::string::npos) << command;
    EXPECT_EQ(shell(command + " --json").out, first) << command;
  }
  expect_failure("mismatch measure " + path("trl.csv") + " --map proxy=rewards", 3,
                 "no line has \"rewards\", which proxy was said to be; there are");
  expect_failure("mismatch measure " + path("trl.csv") + " --map proxy=reward --map proxy=kl", 2,
                 "'proxy' is given twice");
  expect_failure("mismatch measure " + path("trl.csv") + " --map proxy=reward", 3,
                 "--start names another");
}

TEST_F(Worlds, GiveThePointsThatFitTakes) {
  write("run.jsonl", run_of_samples(true));
  EXPECT_EQ(run("mismatch measure --csv -o " + path("points.csv") + " " + path("run.jsonl")).code,
            0);
  const Json fit = Json::parse(
      run("mismatch fit --json --by run --y gold proxy --form rl " + path("points.csv")).out);
  const Json measured = Json::parse(run("mismatch measure --json " + path("run.jsonl")).out);
  ASSERT_EQ(fit["curves"].size(), 4U);
  EXPECT_EQ(fit["curves"][2]["name"], "run/gold");
  EXPECT_NEAR(fit["curves"][2]["a"].get<double>(),
              measured["runs"][0]["trajectories"][1]["curves"][0]["a"].get<double>(), 1e-9);
}

TEST_F(Worlds, AreFittedFromTheirRunFolder) {
  write("samples.jsonl", run_of_samples(true));
  const Json fit = Json::parse(run("mismatch fit --json --form rl " + folder_.string()).out);
  ASSERT_EQ(fit["curves"].size(), 2U);
  EXPECT_EQ(fit["curves"][1]["name"], "run/gold");
  EXPECT_EQ(fit["curves"][1]["detected"], true);
  expect_failure("mismatch fit --y length " + folder_.string(), 3, "there are gold and proxy");
}

TEST_F(Worlds, AreLaidOutOnOnePage) {
  write("run.jsonl", run_of_samples(true));
  const Outcome outcome =
      run("report mismatch " + path("run.jsonl") + " -o " + path("page.html") + " --examples 2");
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const std::string page = *read_file(path("page.html"));
  const std::string mark = "id=\"plumb-data\">";
  const std::size_t begin = page.find(mark) + mark.size();
  const Json data = Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(data["schema"], "plumb.mismatch-report/1");
  EXPECT_EQ(data["details"][0]["examples"]["prompts"].size(), 2U);
  EXPECT_EQ(data["details"][0]["examples"]["stages"][2]["step"], 50);
  EXPECT_EQ(data["measure"]["runs"][0]["trajectories"].size(), 2U);
}

TEST_F(Worlds, AreMeasuredWithoutGoldAsFarAsTheyCanBe) {
  write("run.jsonl", run_of_samples(false, ". Mia found the kite and was happy."));
  const Outcome outcome = run("mismatch measure " + path("run.jsonl"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_NE(outcome.out.find("No sample has a \"gold\""), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("proxy"), std::string::npos);
  const Json scored =
      Json::parse(run("mismatch measure --json --gold-by world:happy " + path("run.jsonl")).out);
  EXPECT_TRUE(scored["runs"][0]["missing"].empty());
  EXPECT_EQ(scored["runs"][0]["trajectories"][1]["start"]["gold"], 1);
}

TEST_F(Worlds, MeasureRunsOfOtherTrainersByTheirNames) {
  write("trl.csv",
        "train_step,prompt,completion,accuracy_reward\n1,a,x,0.5\n1,b,x,0.25\n2,a,y,1\n2,b,y,1\n");
  const Outcome outcome =
      run("mismatch measure --json --map step=train_step --map proxy=accuracy_reward --start 1 " +
          path("trl.csv"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const Json path_json = Json::parse(outcome.out)["runs"][0]["trajectories"][0];
  EXPECT_EQ(path_json["points"][0]["proxy"], 0.625);
  EXPECT_TRUE(path_json["points"][0]["d"].is_null());
  EXPECT_NE(path_json["warnings"][0].get<std::string>().find("neither \"kl\""), std::string::npos);
  EXPECT_EQ(run("mismatch measure --map gain=x " + path("trl.csv")).code, 2);
}

TEST_F(Worlds, SayWhyNothingCanBeMeasured) {
  write("one.jsonl", R"({"step":3,"prompt":"a","completion":"b","proxy":1})"
                     "\n");
  const Outcome outcome = run("mismatch measure " + path("one.jsonl"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_TRUE(outcome.out.empty());
  for (const char* words : {"one.jsonl: nothing can be measured", "1 sample a prompt",
                            "there are no samples of step 0"}) {
    EXPECT_NE(outcome.error.find(words), std::string::npos) << words << "\n" << outcome.error;
  }
  EXPECT_EQ(run("mismatch measure " + path("none.jsonl")).code, 4);
  write("folder.txt", "");
  EXPECT_EQ(run("mismatch measure " + folder_.string()).code, 4);
}

}  // namespace
}  // namespace plumb
