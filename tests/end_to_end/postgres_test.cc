// Studies on PostgreSQL from outside the program: the same verbs, two servers at once.
#include "plumb/study/testing_postgres.h"
#include "tests/end_to_end/pairs.h"
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

using study::testing::PostgresServer;

class StudiesOnPostgres : public Program {
 protected:
  void SetUp() override {
    if (const std::string why = PostgresServer::why_missing(); !why.empty()) GTEST_SKIP() << why;
    write("t.jsonl", pairs_task(20));
    url_ = PostgresServer::running().make_schema();
  }

  // Whatever the program says, it never repeats the URL's password.
  Outcome on_postgres(const std::string& arguments) const {
    Outcome outcome = run(arguments + " --database '" + url_ + "'");
    EXPECT_EQ((outcome.out + outcome.error).find("not-to-be-shown"), std::string::npos)
        << outcome.error;
    return outcome;
  }

  std::string serve(const std::string& name) const {
    return fmt::format("'{}' serve --port 0 --database '{}' >{} 2>{} & {}=$!; ", PLUMB_PROGRAM,
                       url_, path(name + ".out"), path(name + ".err"), name);
  }

  std::string url_;
};

TEST_F(StudiesOnPostgres, GoTheSameWay) {
  const Outcome made = on_postgres("study new demo --overlap 2 --task " + path("t.jsonl"));
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_NE(made.error.find("20 items and 40 slots"), std::string::npos) << made.error;
  EXPECT_EQ(on_postgres("study new demo --task " + path("t.jsonl")).code, 6) << "there is one";
  const Outcome simulated = on_postgres("study simulate demo --annotators 3 --accuracy 0.7");
  ASSERT_EQ(simulated.code, 0) << simulated.error;
  const Json status = Json::parse(on_postgres("study status demo --json").out);
  EXPECT_EQ(status["tasks"][0]["answers"], 40);
  EXPECT_EQ(status["tasks"][0]["complete"], 20);
  const Outcome exported = on_postgres("study export demo");
  EXPECT_EQ(std::ranges::count(exported.out, '\n'), 41) << exported.error;
  write("rules.md", "# Rules\n");
  EXPECT_EQ(on_postgres("study guidelines demo " + path("rules.md")).code, 0);
  EXPECT_EQ(on_postgres("study freeze demo").out.size(), 65U);
  EXPECT_EQ(on_postgres("study simulate demo").code, 6) << "it is frozen";
  EXPECT_EQ(on_postgres("study status dema").code, 4);

  // Two servers at once, and a verb that writes beside them.
  const Outcome served = shell(
      serve("one") + serve("two") +
      fmt::format("for i in $(seq 400); do grep -q 'serving on' {0} && grep -q 'serving on' {1} && "
                  "break; sleep 0.05; done; plumb study invite demo --role viewer --database '{2}' "
                  "| wc -l; kill -TERM $one $two; wait $one; echo $?; wait $two; echo $?",
                  path("one.err"), path("two.err"), url_));
  EXPECT_EQ(served.out, "1\n143\n143\n")
      << *read_file(path("one.err")) << *read_file(path("two.err"));
  const std::string owners = *read_file(path("one.out")) + *read_file(path("two.out"));
  EXPECT_EQ(owners.find("has the password"), owners.rfind("has the password")) << owners;
  EXPECT_NE(owners.find("has the password"), std::string::npos);

  // The environment says it as well; a file that is named goes before it.
  EXPECT_EQ(
      Json::parse(shell("PLUMB_DATABASE='" + url_ + "' plumb study status --json").out)["studies"],
      Json::parse(R"(["demo"])"));
  EXPECT_EQ(
      shell("PLUMB_DATABASE='" + url_ + "' plumb study status --data " + path("none.db")).code, 4);
  expect_failure("study status --data x.db --database postgresql://h/d", 2, "--database");
  expect_failure("study status --database mysql://u:secret@h/d", 2, "postgresql://");
  expect_failure("study status --database postgresql://127.0.0.1:1/d", 8, "does not answer");
}

}  // namespace
}  // namespace plumb
