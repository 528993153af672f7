// Studies from outside the program: made, answered, watched, exported, measured.
#include "plumb/study/store.h"
#include "tests/end_to_end/pairs.h"
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Studies : public Program {
 protected:
  void SetUp() override { write("t.jsonl", pairs_task(30)); }

  std::string data() const { return " --data " + path("studio.db"); }

  void make(const std::string& name, const std::string& more = "") const {
    const Outcome made =
        run(fmt::format("study new {} --task {} {}", name, path("t.jsonl"), more) + data());
    ASSERT_EQ(made.code, 0) << made.error;
    EXPECT_EQ(made.out, "");
  }
};

TEST_F(Studies, GoFromATaskToAGap) {
  make("pilot", "--overlap 3 --repeat-rate 0.1");
  const Outcome simulated =
      run("study simulate pilot --annotators 4 --accuracy 0.7 --json" + data());
  ASSERT_EQ(simulated.code, 0) << simulated.error;
  const Json report = Json::parse(simulated.out);
  EXPECT_EQ(report["schema"], "plumb.study-simulate/1");
  EXPECT_GE(report["answers"], 90);
  const Json status = Json::parse(run("study status pilot --json" + data()).out);
  EXPECT_EQ(status["schema"], "plumb.study-status/1");
  EXPECT_EQ(status["tasks"][0]["answers"], 90);
  EXPECT_EQ(status["tasks"][0]["complete"], 30);
  EXPECT_GT(status["tasks"][0]["agreement"]["rows"][0]["value"], 0.2);
  EXPECT_EQ(status["annotators"].size(), 4U);
  EXPECT_EQ(status["annotators"][0]["kind"], "simulated");
  // The same as a table of one value a column: of tasks, annotators and agreement.
  std::string csv = run("study status pilot --csv" + data()).out;
  std::erase(csv, '\r');
  EXPECT_TRUE(csv.starts_with("part,name,kind,measure,value,ci_low,ci_high,n,reason\n")) << csv;
  EXPECT_EQ(csv.find('['), std::string::npos) << csv;
  const Json& agreement = status["tasks"][0]["agreement"]["rows"][0];
  const Json& first = status["annotators"][0];
  for (const std::string& line :
       {fmt::format("task,{0},{1},answers,90,,,,\n", status["tasks"][0]["task"].get<std::string>(),
                    status["tasks"][0]["kind"].get<std::string>()),
        fmt::format("annotator,{},simulated,answers,{},,,,\n",
                    first["annotator"].get<std::string>(), first["answers"].get<int>()),
        fmt::format(",{},{},{},{},{},\n", agreement["id"].get<std::string>(),
                    agreement["value"].get<double>(), agreement["ci"][0].get<double>(),
                    agreement["ci"][1].get<double>(), agreement["n"].get<int>())}) {
    EXPECT_NE(csv.find(line), std::string::npos) << line << csv;
  }
  const Outcome exported = run("study export pilot -o " + path("a.jsonl") + data());
  ASSERT_EQ(exported.code, 0) << exported.error;
  EXPECT_NE(exported.error.find("90 answers"), std::string::npos) << exported.error;
  EXPECT_EQ(run("study export pilot" + data()).out, *read_file(path("a.jsonl")));
  const Json scores = Json::parse(
      run(fmt::format("score {} --answers {} --json", path("t.jsonl"), path("a.jsonl"))).out);
  EXPECT_EQ(scores["rows"][0]["kind"], "simulated");
  expect_failure(fmt::format("gap {} --humans {}", path("t.jsonl"), path("a.jsonl")), 3,
                 "of kind \"simulated\", not a person");
}

TEST_F(Studies, OfPeopleAreImportedAndMeasuredAgainstModels) {
  make("demo", "--overlap 2");
  std::string people;
  for (int i = 0; i < 30; ++i) {
    for (const char* name : {"ann", "bob"}) {
      people += fmt::format(R"({{"rater":"{}","item":"{}","rating":{}}})"
                            "\n",
                            name, i, std::min(5, i % 6 + (name[0] == 'a' ? i % 2 : 0)));
    }
  }
  write("people.jsonl", people);
  const Outcome imported = run("study import demo " + path("people.jsonl") + data());
  ASSERT_EQ(imported.code, 0) << imported.error;
  EXPECT_NE(imported.error.find("60 answers of 2 annotators"), std::string::npos) << imported.error;
  ASSERT_EQ(run("study export demo -o " + path("out.jsonl") + data()).code, 0);
  const std::string gap = "gap " + path("t.jsonl") + " --models bm25 --json --humans ";
  const Outcome of_export = run(gap + path("out.jsonl")), of_file = run(gap + path("people.jsonl"));
  EXPECT_EQ(of_export.code, 0) << of_export.error;
  EXPECT_EQ(Json::parse(of_export.out)["rows"], Json::parse(of_file.out)["rows"]);
  expect_failure("study simulate demo" + data(), 6, "never share a study");
}

TEST_F(Studies, AreListedFrozenAndTold) {
  make("one");
  make("two");
  EXPECT_EQ(Json::parse(run("study status --json" + data()).out)["studies"],
            Json::parse(R"(["one","two"])"));
  write("rules.md", "# Rules\n");
  EXPECT_EQ(run("study guidelines one " + path("rules.md") + data()).code, 0);
  EXPECT_EQ(run("study guidelines one" + data()).out, "# Rules\n");
  const Outcome frozen = run("study freeze one" + data());
  EXPECT_EQ(frozen.code, 0);
  EXPECT_EQ(frozen.out.size(), 65U);
  expect_failure("study simulate one" + data(), 6, "is frozen");
  EXPECT_EQ(run("study freeze one --reopen" + data()).code, 0);
  EXPECT_EQ(run("study simulate one --answers 5" + data()).code, 0);
  EXPECT_EQ(run("study status one" + data()).code, 0);
  EXPECT_EQ(run("study export one --format csv --history" + data()).code, 0);
}

TEST_F(Studies, AreRefusedWithWhatToDo) {
  make("demo");
  expect_failure("study new demo --task " + path("t.jsonl") + data(), 6, "already");
  expect_failure("study status dema" + data(), 4, "did you mean \"demo\"?");
  expect_failure("study status demo --data " + path("none.db"), 4, "there is no such file");
  expect_failure("study new x --task " + path("t.jsonl") + " --assign fixed" + data(), 2,
                 "how many annotators");
  expect_failure("study export demo --format preferences" + data(), 2, "is a sts task");
  write("bad.jsonl", R"({"rater":"r","item":"1","rating":9})");
  expect_failure("study import demo " + path("bad.jsonl") + data(), 3,
                 "bad.jsonl:1: \"rating\" is 9, off the scale");
  const auto held = study::Store::open(path("studio.db"), {.mode = study::Store::Mode::kWrite});
  ASSERT_TRUE(held);
  expect_failure("study freeze demo" + data(), 5, "is writing to it");
  EXPECT_EQ(run("study status demo" + data()).code, 0) << "reading is allowed";
}

TEST_F(Studies, OfSeveralTasksAreExportedAtOnce) {
  write("labels.jsonl",
        R"({"schema":"plumb.task/1","kind":"classification","labels":["x","y"],"name":"a/b"})"
        "\n"
        R"({"id":"1","text":"one","label":"x"})"
        "\n"
        R"({"id":"2","text":"two","label":"y"})"
        "\n");
  std::string other = *read_file(path("labels.jsonl"));
  other.replace(other.find("a/b"), 3, "a_b");
  write("others.jsonl", other);
  make("all", path("labels.jsonl") + " " + path("others.jsonl"));
  ASSERT_EQ(run("study simulate all --annotators 2" + data()).code, 0);
  expect_failure("study export all" + data(), 2, "has 3 tasks: -o FOLDER");
  const Outcome folder = run("study export all -o " + path("out") + data());
  ASSERT_EQ(folder.code, 0) << folder.error;
  EXPECT_NE(folder.error.find("34 lines of 3 tasks"), std::string::npos) << folder.error;
  ASSERT_EQ(run("study export all -o " + path("out.tar") + data()).code, 0);
  for (const char* task : {"pairs", "a_b", "a_b-2"}) {
    const std::string name = fmt::format("{}.answers.jsonl", task);
    const auto text = read_file(path("out/" + name));
    ASSERT_TRUE(text) << name;
    EXPECT_EQ(shell("tar -xOf " + path("out.tar") + " " + name).out, *text) << name;
  }
  EXPECT_EQ(run("study export all --task pairs" + data()).out,
            *read_file(path("out/pairs.answers.jsonl")));
  EXPECT_EQ(run("study export all --task a_b" + data()).out,
            *read_file(path("out/a_b-2.answers.jsonl")));
  EXPECT_EQ(run("study export all --format gold -o " + path("gold") + data()).code, 0);
  EXPECT_TRUE(read_file(path("gold/pairs.gold.task.jsonl")));
  expect_failure("study export all --format preferences" + data(), 2, "several tasks");
}

TEST_F(Studies, AreServedUntilASignalAsksForAnEnd) {
  make("demo");
  const Outcome links = run("study invite demo --count 2" + data());
  EXPECT_EQ(links.code, 0) << links.error;
  EXPECT_EQ(std::ranges::count(links.out, '\n'), 2) << links.out;
  const std::string serve = fmt::format(
      "'{}' serve --port 0 {} >{} 2>{} & server=$!; for i in $(seq 200); do grep -q 'serving on "
      "http://127.0.0.1:' {} && break; sleep 0.05; done; plumb study freeze demo {}; echo busy $?; "
      "kill -TERM $server; wait $server; echo ended $?",
      PLUMB_PROGRAM, data(), path("out"), path("err"), path("err"), data());
  const Outcome served = shell(serve);
  EXPECT_EQ(served.out, "busy 5\nended 143\n") << *read_file(path("err"));
  EXPECT_NE(read_file(path("out"))->find("The account \"owner\" has the password "),
            std::string::npos);
  EXPECT_EQ(run("study freeze demo" + data()).code, 0) << "the lock went with the server";
  expect_failure("serve --host 0.0.0.0" + data(), 2, "--public-url");
}

// Starts the server, runs the commands with $url and $password set, and stops it.
std::string with_server(const std::string& options, const std::string& output,
                        const std::string& commands) {
  return fmt::format(
      "'{0}' serve --port 0 {1} >{2}.out 2>{2}.err & server=$!; for i in $(seq 400); do grep -q "
      "'serving on' {2}.err && break; sleep 0.05; done; "
      "url=$(sed -n 's/.*serving on \\(http[^;]*\\);.*/\\1/p' {2}.err); "
      "password=$(sed -n 's/.*has the password //p' {2}.out); {3}; code=$?; kill -TERM $server; "
      "wait $server; exit $code",
      PLUMB_PROGRAM, options, output, commands);
}

TEST_F(Studies, OfThreePeopleAndAnAdjudicatorOverHttpGiveTheNumbersOfTheirRawAnswers) {
  std::string task = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs"})"
                     "\n";
  const std::vector<std::string> words = {"river", "stone", "bread", "winter", "music"};
  for (int i = 0; i < 40; ++i) {
    // The second text shares as many words with the first as the rating says, but for some.
    std::string second;
    for (int w = 0; w < 5; ++w) {
      const bool shared = w < (i * 7 + i / 9) % 6;
      second += (shared ? words[static_cast<std::size_t>(w)] : fmt::format("other{}", i)) + " ";
    }
    task += fmt::format(R"({{"id":"i{}","text1":"{}","text2":"{}","rating":{}}})"
                        "\n",
                        i, fmt::join(words, " "), second, i % 4 == 3 ? i % 6 : (i * 7) % 6);
  }
  write("pairs.task.jsonl", task);
  ASSERT_EQ(run("study new three --overlap 3 --task " + path("pairs.task.jsonl") + data()).code, 0);
  const Outcome done = shell(with_server(
      data(), path("server"),
      fmt::format("'{}' '{}' \"$url\" \"$password\" three {} {} '{}'", PLUMB_PYTHON, PLUMB_STUDIO,
                  path("pairs.task.jsonl"), folder_.string(), PLUMB_PROGRAM)));
  EXPECT_EQ(done.code, 0) << done.out << done.error;
  EXPECT_NE(done.out.find("numbers are the same"), std::string::npos) << done.out;
  const std::string mteb = path("mteb");
  ASSERT_EQ(run("study export three --format mteb -o " + mteb + data()).code, 0);
  EXPECT_TRUE(fs::exists(fs::path(mteb) / "baseline__Human" / "annotator_R2" / "pairs.json"));
  EXPECT_TRUE(fs::exists(fs::path(mteb) / "adjudicated"));
  const Outcome gold = run("study export three --format gold" + data());
  EXPECT_NE(gold.out.find("\"adjudicator\":\"J1\""), std::string::npos) << gold.error;
  EXPECT_EQ(run("study export three --format adjudicated" + data()).code, 0);
  expect_failure("study export three --format mteb" + data(), 2, "-o FOLDER");
}

TEST_F(Studies, AreShownToAVisitorWhoSeesTheirScoreAmongTheModels) {
  const Outcome done = shell(with_server(
      "--demo", path("demo"),
      fmt::format("'{}' $(dirname '{}')/demo.py \"$url\" data/demo/sentences-en.task.jsonl",
                  PLUMB_PYTHON, PLUMB_STUDIO)));
  EXPECT_EQ(done.code, 0) << done.out << done.error << *read_file(path("demo.err"));
  const std::string told = *read_file(path("demo.err"));
  const std::string file = told.substr(0, told.find(": serving"));
  EXPECT_FALSE(fs::exists(fs::path(file).parent_path())) << file << " was temporary";
  expect_failure("serve --demo --public-url https://x.example --port 0", 2, "this machine alone");
}

TEST_F(Studies, OfADemonstrationLeaveNothingAlsoWhereAReaderOutlivesTheServer) {
  const fs::path folder = path("tmp");
  fs::create_directory(folder);
  const Outcome done =
      shell(fmt::format("'{}' $(dirname '{}')/slow_reader.py '{}' {}", PLUMB_PYTHON, PLUMB_STUDIO,
                        PLUMB_PROGRAM, folder.string()));
  EXPECT_EQ(done.out, "ended by SIGTERM\n") << done.error;
  EXPECT_TRUE(fs::is_empty(folder)) << fs::directory_iterator(folder)->path();
}

TEST_F(Studies, StandBesideModelsThatAreAttached) {
  make("demo");
  const std::string models = "study models demo ";
  EXPECT_EQ(run(models + "--built-in" + data()).code, 0);
  const Json listed = Json::parse(run(models + "--json" + data()).out);
  EXPECT_EQ(listed["schema"], "plumb.study-models/1");
  EXPECT_EQ(listed["models"].size(), 3U + 10 + 1) << "three, ten random runs, a constant";
  EXPECT_EQ(run(models + "--remove bm25" + data()).code, 0);
  expect_failure(models + "--remove bm52" + data(), 4, "has no answers of \"bm52\"");
  EXPECT_EQ(run(models + "--model bm25" + data()).code, 0);
  write("llm.jsonl", R"({"rater":"gpt","kind":"llm","item":"1","rating":3})");
  EXPECT_EQ(run(models + "--answers " + path("llm.jsonl") + data()).code, 0);
  write("ann.jsonl", R"({"rater":"ann","item":"1","rating":3})");
  expect_failure(models + "--answers " + path("ann.jsonl") + data(), 3, "of kind \"person\"");
  write("bad.jsonl", R"({"rater":"gpt","kind":"llm","item":"1","rating":30})");
  expect_failure(models + "--answers " + path("bad.jsonl") + data(), 3, "bad.jsonl:1: ");
  write("other.task.jsonl", R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5]})"
                            "\n"
                            R"({"id":"x","text1":"a","text2":"b"})");
  expect_failure(models + "--built-in --items " + path("other.task.jsonl") + data(), 3,
                 "other items than those of");
}

}  // namespace
}  // namespace plumb
