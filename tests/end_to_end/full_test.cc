// plumb mismatch full as a user runs it: killed now and again, taken up, and shown as a page.
#include "killed.h"
#include "program.h"

namespace plumb {
namespace {

class FullCommand : public Program {
 protected:
  FullCommand() {
    EXPECT_EQ(run(fmt::format("lm stories -n 1500 -o '{}'", path("stories"))).code, 0);
    const Outcome trained = run(fmt::format(
        "lm train '{0}/stories.txt' --tokenizer '{0}' --run '{1}' --width 32 --layers 3 --heads 4 "
        "--key-heads 2 --hidden 64 --context 96 --steps 120 --rate 6e-3 --warmup 10",
        path("stories"), path("lm")));
    EXPECT_EQ(trained.code, 0) << trained.error;
    for (const char* where : {"a", "b"}) fs::create_directories(path(where));
  }
  std::string arguments(const std::string& more) const {
    return fmt::format(
        "mismatch full --model '{}' --run run --scale 0.01 --gold world:story --methods rloo,dpo "
        "--evals cloze --rounds 2 --max-tokens 24 {}",
        path("lm/model"), more);
  }
  // In a folder of its own, so that the run has the same name in both.
  std::string full(const std::string& where, const std::string& more) const {
    return fmt::format("cd '{}' && plumb {}", path(where), arguments(more));
  }
  std::vector<std::string> differing(const fs::path& a, const fs::path& b) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(a)) {
      const auto name = fs::relative(entry.path(), a);
      if (!entry.is_regular_file() || name == "times.json") continue;
      const auto first = read_file(entry.path()), second = read_file(b / name);
      if (!first || !second || *first != *second) names.push_back(name.string());
    }
    return names;
  }
};

TEST_F(FullCommand, EndsWithTheSameBytesAfterKillsAndMakesAPage) {
  const Outcome whole = shell(full("a", "--json --threads 2"));
  ASSERT_EQ(whole.code, 0) << whole.error;
  const Json report = Json::parse(whole.out);
  EXPECT_EQ(report["schema"], "plumb.mismatch-full/1");
  EXPECT_EQ(report["population"]["models"], 24);
  EXPECT_EQ(report["rounds"]["rounds"].size(), 2U);
  EXPECT_EQ(report["swaps"].size(), 1U);
  EXPECT_EQ(report["times"].size(), 6U);
  EXPECT_NE(whole.error.find("3 of 6: population"), std::string::npos) << whole.error;
  // Killed in every part, each time as soon as something is there on which the rest of it builds; a
  // mark that was already there says nothing of this process.
  const fs::path b = path("b/run");
  int landed = 0;
  for (const char* mark :
       {"chain/proxies/layers-2/events.jsonl", "chain/policies/rloo/checkpoints/3/config.json",
        "chain/policies/dpo/evals/0.json",
        "population/records/layers-1-data-1-noise-0.1-seed-0.json",
        "remedies/policies/ensemble-worst/events.jsonl", "remedies/draws/value-guided.jsonl",
        "loop/rounds/2/samples.jsonl"}) {
    ASSERT_TRUE(fs::exists(path("a/run") + "/" + mark)) << mark;
    if (fs::exists(b / mark)) continue;
    const auto marked = [&] { return fs::exists(b / mark); };
    landed += killed_when(path("b"), arguments("--threads 1"), marked) ? 1 : 0;
    ASSERT_FALSE(fs::exists(b / "report.json")) << mark;
  }
  EXPECT_GE(landed, 4);
  const Outcome killed = shell(full("b", "--threads 1"));
  ASSERT_EQ(killed.code, 0) << killed.error;
  EXPECT_EQ(differing(path("a/run"), path("b/run")), std::vector<std::string>());
  for (const char* words : {"Swap tests", "foretells the gold", "Remedies", "processors used",
                            "Reward model and policy (A) are"}) {
    EXPECT_NE(killed.out.find(words), std::string::npos) << words << "\n" << killed.out;
  }
  const Outcome page =
      run(fmt::format("report full '{}' -o '{}'", path("a/run"), path("full.html")));
  ASSERT_EQ(page.code, 0) << page.error;
  EXPECT_NE(read_file(path("full.html"))->find("plumb.full-report/1"), std::string::npos);
}

TEST_F(FullCommand, RefusesWhatItCannotMeasure) {
  const std::string model =
      fmt::format("mismatch full --model '{}' --run '{}' ", path("lm/model"), path("run"));
  expect_failure(model + "--gold world:joy", 3, "no planted gold is named \"joy\"");
  expect_failure(model + "--methods dpo", 2, "rloo, grpo or ppo");
  write("run/manifest.json", R"({"schema": "plumb.full-run/1"})");
  expect_failure(model + "--gold world:story --scale 0.5", 5, "the folder holds another");
  expect_failure("mismatch full --run other", 2, "--model");
  expect_failure("mismatch full --model nowhere --run " + path("other"), 4, "nowhere");
  expect_failure(fmt::format("report full '{}' -o x.html", path("none")), 4,
                 "plumb mismatch full --model MODEL --run");
  write("run2/report.json", "{}");
  expect_failure(fmt::format("report full '{}' -o x.html", path("run2")), 3,
                 "not of the schema plumb.full-report/1");
  write("run2/report.json", R"({"schema": "plumb.full-report/1", "title": "t"})");
  expect_failure(fmt::format("report full '{}' -o x.html", path("run2")), 3, "has no \"version\"");
}

}  // namespace
}  // namespace plumb
