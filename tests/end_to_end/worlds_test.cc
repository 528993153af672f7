// Planted worlds and the measurement of a mismatch in them, from outside the program.
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

}  // namespace
}  // namespace plumb
