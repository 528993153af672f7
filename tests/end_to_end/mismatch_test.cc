// Preference data and over-optimisation curves, from outside the program.
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Mismatch : public Program {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
};

TEST_F(Mismatch, AuditsPreferencesWithIntervals) {
  write("pairs.jsonl", R"({"prompt":"Sky?","chosen":"I'm sorry, no.","rejected":"Blue."})"
                       "\n"
                       R"({"prompt":"Sea?","chosen":"Wet.","rejected":""})"
                       "\n");
  const Outcome outcome = run("reward audit " + path("pairs.jsonl"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  for (const char* words : {"longer last turn chosen", "100.00", "a completion holds no text",
                            "pairs.jsonl:2", "the order that annotators saw is not in it"}) {
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
  }
  const Json json = Json::parse(run("reward audit --json " + path("pairs.jsonl")).out);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "plumb.reward-audit/1");
  EXPECT_EQ(json["pairs"], 2);
  EXPECT_EQ(json["longer_chosen"], 1);
  EXPECT_EQ(json["longer_chosen_ci"].size(), 2U);
  EXPECT_EQ(json["refusal_openers_chosen"], 0.5);
  EXPECT_EQ(json["equal_length"], 0);
}

TEST_F(Mismatch, RefusesABrokenPreferenceWithFileAndLine) {
  write("bad.jsonl", R"({"prompt":"p","chosen":"a"})"
                     "\n");
  const Outcome outcome = run("reward audit " + path("bad.jsonl"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_TRUE(outcome.out.empty());
  EXPECT_NE(outcome.error.find("bad.jsonl:1: \"rejected\" is missing"), std::string::npos);
}

class Curves : public Mismatch {
 protected:
  void SetUp() override {
    std::string points = "prompt,d,gold\n";
    for (int p = 0; p < 40; ++p) {
      for (int d = 0; d <= 10; ++d) {
        const double own = 1 + 0.01 * (p % 7), wobble = 0.05 * ((p * 11 + d * 7) % 5 - 2);
        points += fmt::format("p{},{},{}\n", p, d, d == 0 ? 0 : d * (own - 0.1 * d) + wobble);
      }
    }
    write("points.csv", points);
  }
};

TEST_F(Curves, HaveTheirCeilingFitted) {
  const Json json = Json::parse(run("mismatch fit --json " + path("points.csv")).out);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "plumb.mismatch-fit/1");
  const Json& curve = json["curves"][0];
  EXPECT_EQ(curve["name"], "gold");
  EXPECT_EQ(curve["form"], "bon");
  EXPECT_EQ(curve["detected"], true);
  EXPECT_EQ(curve["verdict"], "inverted");
  EXPECT_NEAR(curve["d_star"], 5.15, 0.1);
  EXPECT_LT(curve["d_star_ci"][0], curve["d_star"]);
  EXPECT_GT(curve["d_star_ci"][1], curve["d_star"]);
  EXPECT_EQ(json["points"].size(), 10U);
}

// The same curves of three prompts: the figures stay, the verdict and the ceiling go.
TEST_F(Curves, OfFewPromptsHaveFiguresAndNoVerdict) {
  std::string points = "prompt,d,gold\n";
  for (int p = 0; p < 3; ++p) {
    for (int d = 1; d <= 10; ++d) points += fmt::format("p{},{},{}\n", p, d, d * (1 - 0.1 * d));
  }
  write("few.csv", points);
  const std::string command = "mismatch fit --form bon " + path("few.csv");
  const std::string few =
      "3 prompts are too few for a verdict or a ceiling; 8 or more are needed, 20 or more are "
      "better.";
  const Json curve = Json::parse(run(command + " --json").out)["curves"][0];
  EXPECT_EQ(curve["verdict"], "insufficient evidence");
  EXPECT_EQ(curve["detected"], false);
  EXPECT_EQ(curve["note"], few);
  EXPECT_NEAR(curve["d_star"], 5, 1e-9);
  EXPECT_NEAR(curve["r_star"], 2.5, 1e-9);
  EXPECT_LT(curve["slope_end_ci"][1], 0);
  const std::string table = run(command + " --csv").out;
  EXPECT_TRUE(table.find(",insufficient evidence,,0,\"" + few) != std::string::npos) << table;
  std::string text = run(command).out;
  std::ranges::replace(text, '\n', ' ');
  for (const std::string& said :
       {few, std::string("the fit is highest at d = 5.00"), std::string("no ceiling is claimed")}) {
    EXPECT_NE(text.find(said), std::string::npos) << said << "\n" << text;
  }
  EXPECT_EQ(text.find("the ceiling is at"), std::string::npos) << text;
}

TEST_F(Curves, AreTheSameBytesWithAnyNumberOfThreads) {
  const std::string command = "mismatch fit --json --seed 3 " + path("points.csv");
  EXPECT_EQ(run(command + " --threads 1").out, run(command + " --threads 4").out);
  EXPECT_NE(run(command).out, run("mismatch fit --json --seed 4 " + path("points.csv")).out);
}

TEST_F(Curves, ThatDoNotTurnHaveNoFigureForTheirCeiling) {
  write("rising.csv", "d,gold\n1,1\n2,2.1\n3,2.9\n4,4.1\n5,5\n6,6.1\n");
  const Json json = Json::parse(run("mismatch fit --form rl --json " + path("rising.csv")).out);
  EXPECT_TRUE(json["curves"][0]["d_star"].is_null());
  EXPECT_EQ(json["curves"][0]["detected"], false);
  const Outcome outcome = run("mismatch fit " + path("rising.csv"));
  EXPECT_NE(outcome.out.find("no turn-over below d"), std::string::npos) << outcome.out;
}

TEST_F(Curves, AreRefusedWhereAColumnIsMissing) {
  const Outcome outcome = run("mismatch fit --y silver " + path("points.csv"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.error.find("there is no column \"silver\"; there are prompt, d, gold"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb
