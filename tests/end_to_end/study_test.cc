// Studies from outside the program: made, answered, watched, exported, measured.
#include "plumb/study/store.h"
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

class Studies : public Program {
 protected:
  void SetUp() override {
    std::string task = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs"})"
                       "\n";
    for (int i = 0; i < 30; ++i) {
      task += fmt::format(R"({{"id":"{}","text1":"a {}","text2":"b {}","rating":{}}})"
                          "\n",
                          i, i, i, i % 6);
    }
    write("t.jsonl", task);
  }

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

}  // namespace
}  // namespace plumb
