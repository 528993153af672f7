// People and models on single answers, from outside the program.
#include "plumb/base/hash.h"
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Items : public Program {
 protected:
  void SetUp() override {
    std::string task = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs"})"
                       "\n";
    std::string people, model;
    for (int i = 0; i < 30; ++i) {
      const double gold = i % 6;
      task += fmt::format(R"({{"id":"{}","text1":"a","text2":"b","rating":{}}})"
                          "\n",
                          i, gold);
      for (const char* name : {"ann", "bob"}) {
        const double rating = std::min(5.0, gold + (name[0] == 'a' ? i % 2 : i % 3));
        people += fmt::format(R"({{"rater":"{}","item":"{}","rating":{}}})"
                              "\n",
                              name, i, rating);
      }
      model += fmt::format(R"({{"rater":"m","kind":"model","item":"{}","rating":{}}})"
                           "\n",
                           i, i % 5);
    }
    write("t.jsonl", task);
    write("people.jsonl", people);
    write("model.jsonl", model);
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  std::string files() const {
    return fmt::format("{} --humans {} --answers {}", path("t.jsonl"), path("people.jsonl"),
                       path("model.jsonl"));
  }
};

TEST_F(Items, StandInOneTableWithIntervalsAndAVerdict) {
  const Outcome outcome = run("gap " + files());
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  for (const char* words :
       {"pairs (sts), Spearman's rho", "human ahead", "consensus", "ann", "bob", "baseline/random",
        "one of the two sides is constant", "Krippendorff's alpha, interval", "Spearman-Brown"}) {
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
  }
}

TEST_F(Items, ComeAsJsonWithTheHashOfTheItems) {
  const Json json = Json::parse(run("gap " + files() + " --json").out);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "plumb.item-gap/1");
  EXPECT_EQ(json["items"].get<std::string>().size(), 64U);
  EXPECT_EQ(json["rows"][0]["name"], "human");
  const Json score = Json::parse(
      run(fmt::format("score {} --answers {} --json", path("t.jsonl"), path("model.jsonl"))).out);
  EXPECT_EQ(score["schema"], "plumb.score/1");
  EXPECT_EQ(score["rows"][0]["name"], "m");
}

TEST_F(Items, GiveTheSameBytesWithAnyNumberOfThreads) {
  const std::string one = run("gap " + files() + " --json --threads 1").out;
  EXPECT_EQ(one, run("gap " + files() + " --json --threads 2").out);
  EXPECT_NE(one, run("gap " + files() + " --json --seed 7").out);
}

// The page's own command, of its provenance.
std::string command_in(const std::string& page) {
  const std::string key = R"("command":"plumb )";
  const std::size_t begin = page.find(key) + key.size();
  return page.substr(begin, page.find('"', begin) - begin);
}

TEST_F(Items, HaveAPageThatItsOwnCommandMakesAgain) {
  for (const std::string& given :
       {files() + " --resamples 300 --models bm25 --human published --title 'A title'",
        std::string("hume --models '*e5*' --human individual --resamples 300 --seed 7")}) {
    const Outcome made =
        run(fmt::format("report gap {} --threads 1 -o {}", given, path("one.html")));
    ASSERT_EQ(made.code, 0) << made.error;
    const std::string page = *read_file(path("one.html"));
    const std::string command = command_in(page);
    EXPECT_EQ(command.find("--threads"), std::string::npos) << command;
    ASSERT_EQ(run(command + " -o " + path("two.html")).code, 0) << command;
    EXPECT_EQ(*read_file(path("two.html")), page) << command;
  }
}

TEST_F(Items, HaveAPageThatNamesTheAnswersByHash) {
  ASSERT_EQ(run(fmt::format("report gap {} --resamples 300 -o {}", files(), path("a.html"))).code,
            0);
  const std::string page = *read_file(path("a.html"));
  for (const char* name : {"people.jsonl", "model.jsonl"}) {
    const std::string line =
        fmt::format(R"({{"name":"{}","sha256":"{}"}})", path(name), sha256(*read_file(path(name))));
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
}

// Of two models the intervals of differences are at 1 - 0.05 / 2.
TEST_F(Items, SayTheLevelOfTheirDifferences) {
  const std::string two = files() + " --models bm25 --resamples 300";
  EXPECT_NEAR(Json::parse(run("gap " + two + " --json").out)["gap_level"].get<double>(), 0.975,
              1e-12);
  const std::string text = run("gap " + two).out;
  EXPECT_NE(text.find("97.5 % interval"), std::string::npos) << text;
  EXPECT_NE(text.find("Bonferroni, 2 models"), std::string::npos) << text;
  const std::string plain = run("gap " + two + " --uncorrected").out;
  EXPECT_EQ(plain.find("97.5 %"), std::string::npos) << plain;
  EXPECT_EQ(plain.find("Bonferroni"), std::string::npos) << plain;
}

TEST_F(Items, RefuseARuleOfPublishedScores) {
  expect_failure("gap " + files() + " --human worse", 2, "--human worse chooses between published");
  expect_failure("report gap " + files() + " --human better -o " + path("x.html"), 2,
                 "it is individual or published");
  EXPECT_EQ(run("gap " + files() + " --human individual --resamples 300").code, 0);
  const std::string help = run("gap --help").out;
  EXPECT_NE(help.find("2000 with --humans"), std::string::npos) << help;
}

TEST_F(Items, AreWrittenOneByOne) {
  const Outcome outcome = run("gap " + files() + " --metric spearman --items " + path("items"));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const std::string lines = *read_file(path("items"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 30);
  EXPECT_EQ(Json::parse(lines.substr(0, lines.find('\n')))["item"], "0");
}

TEST_F(Items, AgreeOrNot) {
  const Outcome outcome = run("agree " + path("people.jsonl") + " --value rating --level interval");
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_NE(outcome.out.find("60 answers of 2 raters to 30 items"), std::string::npos)
      << outcome.out;
  const Json json =
      Json::parse(run("agree " + path("people.jsonl") + " --value rating --json").out);
  EXPECT_EQ(json["schema"], "plumb.agree/1");
  EXPECT_EQ(json["rows"][0]["id"], "percent_agreement");
  expect_failure("agree " + path("people.jsonl"), 3, "there is no column \"value\"");
  expect_failure("agree " + path("people.jsonl") + " --value rating --level nominl", 2,
                 "did you mean 'nominal'?");
}

TEST_F(Items, AreImportedShownAndScored) {
  write("pairs.csv", "left,right,score\na,b,1\nc,d,5\ne,f,3\n");
  const Outcome made = run(fmt::format(
      "task import sts {} --map text1=left --map text2=right --map rating=score --scale 0:5 -o {}",
      path("pairs.csv"), path("made.jsonl")));
  EXPECT_EQ(made.code, 0) << made.error;
  EXPECT_EQ(made.out, "");
  EXPECT_NE(made.error.find("3 items"), std::string::npos);
  const Json shown = Json::parse(run("task show " + path("made.jsonl") + " --json").out);
  EXPECT_EQ(shown["schema"], "plumb.task-show/1");
  EXPECT_EQ(shown["items"], 3);
  EXPECT_EQ(run("score " + path("made.jsonl")).code, 0);
  const Json list = Json::parse(run("task list --json").out);
  EXPECT_EQ(list["tasks"].size(), 16U);
  expect_failure("task import sts " + path("pairs.csv") + " --scale 5 -o " + path("x"), 2,
                 "'5' is not LOW:HIGH");
  expect_failure("task import stss " + path("pairs.csv") + " -o " + path("x"), 2,
                 "no kind of task 'stss'");
}

TEST_F(Items, AreCheckedBeforeAnyoneAnswers) {
  const Outcome found = run("task lint " + path("t.jsonl"));
  EXPECT_EQ(found.code, 0) << found.error;
  EXPECT_NE(found.out.find("contradiction"), std::string::npos) << found.out;
  const Json json = Json::parse(run("task lint " + path("t.jsonl") + " --json").out);
  EXPECT_EQ(json["schema"], "plumb.task-lint/1");
  EXPECT_EQ(json["findings"][0]["items"].size(), 30U);
  const Outcome gate = run("task lint " + path("t.jsonl") + " --fail-on error");
  EXPECT_EQ(gate.code, 7);
  EXPECT_NE(gate.error.find("findings of severity error"), std::string::npos) << gate.error;
}

TEST_F(Items, AreSampledAndPlanned) {
  const Outcome made = run("task sample " + path("t.jsonl") + " -n 10 -o " + path("small.jsonl"));
  EXPECT_EQ(made.code, 0) << made.error;
  EXPECT_NE(made.error.find("10 of 30 items"), std::string::npos) << made.error;
  EXPECT_EQ(Json::parse(run("task show " + path("small.jsonl") + " --json").out)["items"], 10);
  const std::string plan = "task sample " + path("t.jsonl") + " --plan -n 20,30 --raters 1,2";
  const Json json = Json::parse(run(plan + " --studies 100 --json").out);
  EXPECT_EQ(json["schema"], "plumb.task-plan/1");
  EXPECT_EQ(json["rows"].size(), 4U);
  EXPECT_NE(run(plan + " --studies 100").out.find("detectable gap"), std::string::npos);
  expect_failure("task sample " + path("t.jsonl") + " -n 31", 2, "cannot draw 31 of the 30 items");
  expect_failure("task sample " + path("t.jsonl") + " -n 10,20", 2, "a sample has one size");
  expect_failure("task sample " + path("t.jsonl") + " -n 10 --raters 2", 2, "requires --plan");
  expect_failure(plan + " --human 0", 2, "outside what raters of this task can earn");
}

class Models : public Program {
 protected:
  void SetUp() override {
    std::string task =
        R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs","language":"en"})"
        "\n";
    const char* words[] = {"green", "apple", "river", "stone", "cloud", "house"};
    for (std::size_t i = 0; i < 24; ++i) {
      std::string first, second;
      for (std::size_t w = 0; w < 5; ++w) {
        first += fmt::format("{} ", words[(i + w) % 6]);
        second += fmt::format("{} ", w < i % 6 ? words[(i + w) % 6] : "nothing");
      }
      task += fmt::format(R"({{"id":"{}","text1":"{}","text2":"{}","rating":{}}})"
                          "\n",
                          i, first, second, i % 6);
    }
    write("t.jsonl", task);
    setenv("XDG_CACHE_HOME", path("cache").c_str(), 1);
  }
  Json scores(const std::string& arguments) const {
    const Outcome outcome = run("score " + path("t.jsonl") + " --json " + arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    return Json::parse(outcome.out)["rows"];
  }
};

TEST_F(Models, AnswerBesideTheTrivialRaters) {
  const Json rows = scores("--model bm25 tfidf char-ngrams");
  for (std::size_t r = 0; r < 3; ++r) EXPECT_GT(rows[r]["score"], 0.9) << rows[r];
  EXPECT_EQ(rows[3]["name"], "baseline/random");
  EXPECT_EQ(rows, scores("--model bm25 tfidf char-ngrams --threads 1"));
}

TEST_F(Models, AreFoundAgainInAFileOfTheirVectors) {
  for (const char* file : {"v.npy", "v.safetensors"}) {
    const Outcome made =
        run(fmt::format("embed {} --model tfidf -o {}", path("t.jsonl"), path(file)));
    EXPECT_EQ(made.code, 0) << made.error;
    EXPECT_EQ(made.out, "");
    EXPECT_NEAR(scores("--model " + path(file))[0]["score"].get<double>(),
                scores("--model tfidf")[0]["score"].get<double>(), 1e-12);
  }
}

TEST_F(Models, StandBesidePeople) {
  std::string people;
  for (int i = 0; i < 24; ++i) {
    people += fmt::format(R"({{"rater":"ann","item":"{}","rating":{}}})"
                          "\n",
                          i, (i * 7) % 6);
  }
  write("people.jsonl", people);
  const Outcome outcome = run(fmt::format("gap {} --humans {} --models bm25 tfidf --mteb {} --json",
                                          path("t.jsonl"), path("people.jsonl"), path("mteb")));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["rows"][0]["name"], "human");
  EXPECT_TRUE(json["diagnostics"]["good_models"].size() == 2) << json["diagnostics"];
  const Outcome board = run("leaderboard " + path("mteb") + " --json");
  EXPECT_EQ(board.code, 0) << board.error;
  EXPECT_NE(board.out.find("baseline/Human"), std::string::npos);
}

TEST_F(Models, AreRefusedWithWhatToDo) {
  const std::string score = "score " + path("t.jsonl") + " --model ";
  expect_failure(score + "bm24", 4, "did you mean bm25?");
  expect_failure(score + "bm25 bm25", 2, "two raters are called \"bm25\"");
  expect_failure(score + path("none.npy"), 4, "none.npy");
  expect_failure(score + "http://127.0.0.1:1/v1", 2, "#");
  expect_failure("gap hume --models bm25 tfidf", 2, "of published results one glob");
  write("short.npy", "\x93NUMPY");
  expect_failure(score + path("short.npy"), 3, "short.npy");
}

TEST_F(Items, AreRefusedWithFileAndLine) {
  write("off.jsonl", R"({"rater":"r","item":"1","rating":9})");
  expect_failure("score " + path("t.jsonl") + " --answers " + path("off.jsonl"), 3,
                 "off.jsonl:1: \"rating\" is 9, off the scale from 0 to 5");
  write("other.jsonl", R"({"schema":"plumb.answers/1","task":"x","items":"abc"})");
  expect_failure("score " + path("t.jsonl") + " --answers " + path("other.jsonl"), 3,
                 "other.jsonl:1: the answers belong to other items");
  expect_failure("gap " + path("t.jsonl") + " --humans " + path("model.jsonl"), 3,
                 "\"m\" is of kind \"model\", not a person");
  expect_failure("score " + path("none.jsonl"), 4, "none.jsonl");
  expect_failure("gap " + path("t.jsonl") + " --answers " + path("model.jsonl"), 2,
                 "--answers requires --humans");
  expect_failure("gap " + files() + " --metric accuracy", 2, "no metric 'accuracy' for sts tasks");
  EXPECT_EQ(shell("gzip -k " + path("t.jsonl") + " && head -c 120 " + path("t.jsonl.gz") + " > " +
                  path("cut.gz"))
                .code,
            0);
  expect_failure("score " + path("cut.gz"), 3, "the gzip file is cut short");
  EXPECT_EQ(run("score " + path("t.jsonl.gz") + " --answers " + path("model.jsonl")).code, 0);
}

}  // namespace
}  // namespace plumb
