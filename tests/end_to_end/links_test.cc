// The three links, from outside the program.
#include <cmath>

#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Links : public Program {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  static double wobble(int a, int b, int c) { return std::sin(12.9 * a + 78.2 * b + 4.37 * c); }

  // The gold first follows the proxy, then falls; completions grow longer.
  void write_run(const std::string& name, bool gold, int seed = 0) const {
    std::string text;
    for (int step = 0; step <= 80; step += 10) {
      const double d = step / 20.0;
      for (int p = 0; p < 30; ++p) {
        for (int i = 0; i < 4; ++i) {
          const double quality = wobble(step + 1 + seed, p, i);
          Json line = {{"step", step},
                       {"prompt", fmt::format("p{}", p)},
                       {"completion", "text"},
                       {"tokens", 10 + step / 10 + (p * i) % 5},
                       {"proxy", quality + d + 0.3 * wobble(p, i, step)},
                       {"kl", d * d}};
          if (gold) line["gold"] = quality + d * (1 - 0.4 * d);
          text += line.dump() + "\n";
        }
      }
    }
    write(name, text);
  }
};

TEST_F(Links, AreMeasuredWithVerdictsAndASentence) {
  write_run("run.jsonl", true);
  const Json json =
      Json::parse(run("mismatch links --json --resamples 200 " + path("run.jsonl")).out);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "plumb.links/1");
  EXPECT_EQ(json["runs"][0]["verdicts"]["A"], "inverted");
  EXPECT_EQ(json["runs"][0]["verdicts"]["B"], "aligned");
  EXPECT_TRUE(json["sentence"].get<std::string>().starts_with(
      "Reward model and policy (A) are inverted, reward model and evaluation (B) are aligned"));
  const Json& row = json["links"][0];
  EXPECT_EQ(row["link"], "A");
  EXPECT_EQ(row["measure"], "gold per proxy, later half");
  EXPECT_LT(row["ci"][1], 0);
  EXPECT_EQ(row["verdict"], "inverted");
  EXPECT_GT(row["detectable"], 0);
  EXPECT_EQ(json["swap"].size(), 5U);
  EXPECT_EQ(json["swap"][4]["stage"], "total");
}

TEST_F(Links, WithoutGoldSayWhatIsMissingAndMeasureTheRest) {
  write_run("run.jsonl", false);
  const Outcome outcome = run("mismatch links --resamples 100 " + path("run.jsonl"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  for (const char* words : {"no sample has a \"gold\"", "score per token",
                            "score it with --gold-by", "insufficient evidence"}) {
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
  }
}

TEST_F(Links, AreTheSameBytesWithAnyNumberOfThreads) {
  write_run("run.jsonl", true);
  const std::string command = "mismatch links --csv --resamples 100 --seed 3 " + path("run.jsonl");
  const std::string one = run(command + " --threads 1").out;
  EXPECT_EQ(one, run(command + " --threads 4").out);
  EXPECT_TRUE(one.starts_with("link,run,measure,estimate,ci_low,ci_high,verdict,detectable"));
}

TEST_F(Links, OfSeedsArePooled) {
  write_run("a.jsonl", true);
  write_run("b.jsonl", true, 1);
  const Json json = Json::parse(run("mismatch links --json --seeds --resamples 100 " +
                                    path("a.jsonl") + " " + path("b.jsonl"))
                                    .out);
  EXPECT_EQ(json["runs"].size(), 3U);
  EXPECT_EQ(json["runs"][0]["seeds"], 2);
  EXPECT_EQ(json["links"][0]["run"], "all seeds");
  EXPECT_TRUE(json["runs"][1]["verdicts"].is_null());
}

TEST_F(Links, NameTheRunsOfASweepWithTheDotsOfTheirValues) {
  for (const char* name : {"beta0.05.jsonl", "beta0.5.jsonl", "plain.v2.jsonl"})
    write_run(name, true);
  ASSERT_EQ(shell("gzip " + path("plain.v2.jsonl")).code, 0);
  const Outcome outcome = run("mismatch links --json --resamples 100 " + path("beta0.05.jsonl") +
                              " " + path("beta0.5.jsonl") + " " + path("plain.v2.jsonl.gz"));
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["runs"][0]["name"], "beta0.05");
  EXPECT_EQ(json["runs"][1]["name"], "beta0.5");
  EXPECT_EQ(json["runs"][2]["name"], "plain.v2");
}

TEST_F(Links, RefuseWhatTheyCannotRead) {
  write_run("run.jsonl", true);
  write("evals.jsonl", "{\"step\":0,\"eval\":\"a\",\"score\":\"high\"}\n");
  const std::string links = "mismatch links " + path("run.jsonl");
  expect_failure(links + " --evals " + path("evals.jsonl"), 3,
                 "evals.jsonl:1: \"score\" is not a number");
  expect_failure(links + " --reward implicit", 2, "give --beta");
  expect_failure(links + " --population " + path("none.jsonl"), 4, "none.jsonl");
  expect_failure(links + " " + path("run.jsonl") + " --gold-run " + path("run.jsonl"), 2,
                 "--gold-run and --relabelled go with one run");
}

TEST_F(Links, MakeAPageOfTheirOwn) {
  write_run("run.jsonl", true);
  const Outcome outcome =
      run("report links --resamples 100 " + path("run.jsonl") + " -o " + path("links.html"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const std::string page = *read_file(path("links.html"));
  EXPECT_NE(page.find("plumb.links-report/1"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
}

}  // namespace
}  // namespace plumb
