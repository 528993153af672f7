// The program from outside: what a user types, what comes back on stdout and stderr, and the exit
// code.
#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

TEST_F(Program, HelpOfEveryVerbStartsWithAnExample) {
  for (const char* verb :
       {"", "leaderboard", "gap", "gap import", "report", "report gap", "doctor", "completion"}) {
    const Outcome help = run(std::string(verb) + " --help");
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(help.out.starts_with("Example:\n  ")) << verb << help.out;
  }
}

TEST_F(Program, SaysItsVersionAndWhatItIsMadeOf) {
  EXPECT_TRUE(run("--version").out.starts_with("plumb 0."));
  const Json doctor = Json::parse(run("doctor --json").out);
  EXPECT_EQ(doctor.begin().key(), "schema");
  for (const char* key :
       {"version", "compiler", "processor_features", "libraries", "disk_free_bytes"}) {
    EXPECT_TRUE(doctor.contains(key)) << key;
  }
}

TEST_F(Program, RebuildsTheHeadlineOfHume) {
  const Outcome outcome = run("leaderboard hume --json");
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  const Json board = Json::parse(outcome.out);
  EXPECT_EQ(board.begin().key(), "schema");
  EXPECT_EQ(board["schema"], "plumb.leaderboard/1");
  EXPECT_EQ(board["ranked"], 14);
  const Json& best = board["rows"][0];
  const Json& human = board["rows"][3];
  EXPECT_NEAR(best["score"].get<double>(), 80.14, 0.005);
  EXPECT_NEAR(human["score"].get<double>(), 77.64, 0.005);
  EXPECT_EQ(human["kind"], "human");
  EXPECT_EQ(human["rank"], 4);
  EXPECT_EQ(human["rank_ci"], (Json{1, 7}));
  EXPECT_EQ(human["coverage"], (Json{26, 26}));
  EXPECT_EQ(human["partial"], false);
}

TEST_F(Program, GivesEveryResultInEveryForm) {
  for (const char* verb : {"leaderboard hume", "gap hume", "gap hume --audit"}) {
    const std::string command = std::string(verb) + " --resamples 200";
    const Json json = Json::parse(run(command + " --json").out);
    const std::string schema = json["schema"];
    EXPECT_TRUE(schema.starts_with("plumb.")) << verb;
    const std::size_t rows = json.contains("rows") ? json["rows"].size() : json["subsets"].size();
    const std::string csv = run(command + " --csv").out;
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(csv, '\n')), rows + 1) << verb;
    EXPECT_NE(run(command + " --markdown").out.find("| --- |"), std::string::npos) << verb;
    const std::string text = run(command).out;
    EXPECT_EQ(text.find('\033'), std::string::npos) << "colour in a pipe";
    for (const std::string& output : {json.dump(), csv, text}) {
      for (const char* word : {" nan", ",nan", ":nan", "[nan", " inf", ",inf"}) {
        EXPECT_EQ(output.find(word), std::string::npos) << verb;
      }
    }
    EXPECT_EQ(run(command + " -o " + path("file")).out, "");
    EXPECT_EQ(*read_file(path("file")), text) << verb;
  }
}

TEST_F(Program, GivesTheSameBytesWithAnyNumberOfThreads) {
  const std::string command =
      "leaderboard hume --aggregate bradley-terry --resamples 500 --json --threads ";
  EXPECT_EQ(run(command + "1").out, run(command + "2").out);
  EXPECT_NE(run(command + "1").out, run(command + "1 --seed 1").out);
}

TEST_F(Program, WritesOneSelfContainedPage) {
  const Outcome outcome = run("report gap hume --resamples 200 -o " + path("gap.html"));
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(outcome.out, "");
  const std::string page = *read_file(path("gap.html"));
  EXPECT_EQ(page.find("__PLUMB_DATA__"), std::string::npos);
  EXPECT_NE(page.find("plumb.gap-report/1"), std::string::npos);
}

TEST_F(Program, ImportsATreeThatReadsBackTheSame) {
  write("tree/results/org__a/1/T.json", result("T", "en", 0.5));
  write("tree/results/org__b/1/T.json", result("T", "en", 0.75));
  const std::string table = path("t.jsonl");
  const Outcome imported =
      run("gap import " + path("tree") + " -o " + table + " --name mine --licence CC0");
  ASSERT_EQ(imported.code, 0) << imported.error;
  const Json from_tree = Json::parse(run("leaderboard " + path("tree") + " --json").out);
  const Json from_table = Json::parse(run("leaderboard " + table + " --json").out);
  EXPECT_EQ(from_tree["rows"], from_table["rows"]);
  EXPECT_EQ(from_tree["inputs"][0]["sha256"], from_table["inputs"][0]["sha256"]);
  EXPECT_EQ(from_table["inputs"][0]["licence"], "CC0");
}

TEST_F(Program, ShowsAModelThatIsDroppedIntoATree) {
  write("tree/org__a/1/T.json", result("T", "default", 0.5));
  EXPECT_EQ(Json::parse(run("leaderboard " + path("tree") + " --json").out)["rows"].size(), 1u);
  write("tree/org__b/1/T.json", result("T", "default", 0.75));
  const Json board = Json::parse(run("leaderboard " + path("tree") + " --json").out);
  ASSERT_EQ(board["rows"].size(), 2u);
  EXPECT_EQ(board["rows"][0]["name"], "org/b");
}

TEST_F(Program, NamesTheNearestWordOnAWrongOne) {
  expect_failure("leaderboard hume --agregate task", 2, "did you mean '--aggregate'");
  expect_failure("leaderbord hume", 2, "did you mean 'leaderboard'");
  expect_failure("leaderboard hume --aggregate median", 2, "median");
  expect_failure("leaderboard hume --json --csv", 2, "");
  expect_failure("leaderboard hume --resamples many", 2, "--resamples");
  expect_failure("leaderboard", 2, "SOURCE");
  expect_failure("gap", 2, "SOURCE");
  expect_failure("", 2, "--help");
}

TEST_F(Program, NamesTheFileOfBadInput) {
  const std::string good = result("T", "default", 0.5);
  const auto expect_bad = [&](const std::string& text, const std::string& words) {
    write("tree/m/1/T.json", text);
    expect_failure("leaderboard " + path("tree"), 3, words);
    expect_failure("leaderboard " + path("tree"), 3, path("tree/m/1/T.json"));
  };
  expect_bad(good.substr(0, good.size() / 2), "not valid JSON");
  expect_bad("{\"a\": 1}", "not an MTEB result");
  expect_bad(result("T", "default", 45.8), "outside [0, 1]");
  expect_bad(result("T", "klingon", 0.5), "unknown subset 'klingon'");
  write("tree/m/1/T.json", good);
  write("tree/m/1/Copy.json", good);
  expect_failure("leaderboard " + path("tree"), 3, "two files for one cell");
  write("table.jsonl", "{\"schema\":\"plumb.figures/1\"}\n{\"model\":");
  expect_failure("gap " + path("table.jsonl"), 3, "table.jsonl:2:");
}

TEST_F(Program, SaysWhatIsNotThere) {
  expect_failure("leaderboard /no/such/place", 4, "/no/such/place");
  fs::create_directories(folder_ / "empty");
  expect_failure("leaderboard " + path("empty"), 4, "no result files");
  expect_failure("leaderboard hume --models 'x*'", 4, "x*");
  expect_failure("gap hume --against nobody", 4, "nobody");
  expect_failure("leaderboard hume --revision baseline/Human=never", 4, "never");
}

// The superuser may read everything, so as such this test is somebody else.
TEST_F(Program, SaysWhatItMayNotRead) {
  write("tree/m/1/T.json", result("T", "default", 0.5));
  fs::permissions(folder_ / "tree" / "m", fs::perms::none);
  const std::string other =
      ::geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  const Outcome outcome = shell(fmt::format("cp '{}' '{}'; {}'{}' leaderboard '{}'", PLUMB_PROGRAM,
                                            path("program"), other, path("program"), path("tree")));
  fs::permissions(folder_ / "tree" / "m", fs::perms::owner_all);
  EXPECT_EQ(outcome.code, 6) << outcome.error;
  EXPECT_NE(outcome.error.find(path("tree/m") + ": cannot list"), std::string::npos)
      << outcome.error;
}

TEST_F(Program, LeavesNothingHalfWritten) {
  write("kept.json", "old");
  write("tree/m/1/T.json", "{");
  EXPECT_EQ(run("gap import " + path("tree") + " -o " + path("kept.json")).code, 3);
  EXPECT_EQ(*read_file(path("kept.json")), "old");
  expect_failure("leaderboard hume -o " + path("no/such/folder/file"), 4, "no/such/folder/file");
}

TEST_F(Program, SaysThatTheDiskIsFull) {
  const Outcome outcome = shell("plumb leaderboard hume > /dev/full");
  EXPECT_EQ(outcome.code, 8);
  EXPECT_NE(outcome.error.find("stdout"), std::string::npos);
}

TEST_F(Program, CompletesVerbsAndOptions) {
  const std::string complete =
      R"(bash -c 'source <("$0" completion bash); COMP_WORDS=(plumb {}); )"
      R"(COMP_CWORD={}; _plumb; echo "${{COMPREPLY[@]}}"' ')" PLUMB_PROGRAM "'";
  EXPECT_EQ(shell(fmt::format(fmt::runtime(complete), "lea", 1)).out, "leaderboard\n");
  EXPECT_EQ(shell(fmt::format(fmt::runtime(complete), "gap --audi", 2)).out, "--audit\n");
  EXPECT_EQ(shell(fmt::format(fmt::runtime(complete), "gap import --ori", 3)).out, "--origin\n");
  for (const char* shell_name : {"zsh", "fish"}) {
    EXPECT_NE(run(std::string("completion ") + shell_name).out.find("leaderboard"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace plumb
