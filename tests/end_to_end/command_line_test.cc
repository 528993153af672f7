// The corners of the command line: values that are wrong, streams that are closed, names that are
// hostile, terminals that are narrow.
#include <iterator>
#include <sstream>

#include "tests/end_to_end/program.h"

namespace plumb {
namespace {

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

// What a terminal of 80 columns would show.
std::string in_terminal(const std::string& arguments) {
  return fmt::format("script -qec \"stty cols 80; '{}' {}\" /dev/null < /dev/null | tr -d '\\r'",
                     PLUMB_PROGRAM, arguments);
}

TEST_F(Program, ExplainsAWrongValueInPlainWords) {
  expect_failure("leaderboard hume --resamples abc", 2, "'abc' is not a whole number from 100");
  expect_failure("leaderboard hume --resamples 3", 2, "'3' is not a whole number from 100");
  expect_failure("leaderboard hume --level 2", 2, "'2' is not a number from 0.5 to 0.999");
  expect_failure("leaderboard hume --level nan", 2, "'nan' is not a number");
  expect_failure("leaderboard hume --seed -1", 2, "--seed: '-1'");
  expect_failure("leaderboard hume --threads 1.5", 2, "--threads: '1.5'");
  expect_failure("leaderboard hume --human indivdual", 2, "did you mean 'individual'?");
  expect_failure("leaderboard hume --unknown-subsets drop", 2, "refuse, keep, skip");
  expect_failure("leaderboard hume --language", 2, "--language needs a value");
  expect_failure("leaderboard hume -o ''", 2, "--output: the value is empty");
  expect_failure("leaderboard ''", 2, "SOURCE: the value is empty");
  expect_failure("leaderboard hume --task-type Ranking", 2, "Reranking");
  expect_failure("leaderboard hume --language klingon", 2, "klingon");
  expect_failure("completion tcsh", 2, "bash, zsh, fish");
  expect_failure("leaderboard hume -o a -o b", 2, "--output was given twice");
  expect_failure("leaderboard hume --seed 1 --seed 2 --seed 3", 2, "--seed was given 3 times");
}

TEST_F(Program, NamesTheWordThatItDoesNotKnow) {
  expect_failure("leaderboard hume more", 2, "unknown argument 'more'");
  expect_failure("report gpa hume", 2, "unknown verb 'gpa'");
  expect_failure("--verison", 2, "did you mean '--version'?");
  expect_failure("doctor --jsn", 2, "did you mean '--json'?");
  expect_failure("report", 2, "a verb is missing");
}

TEST_F(Program, RefusesOptionsThatWouldHaveNoEffect) {
  expect_failure("leaderboard hume --json --markdown", 2, "--json cannot be used with --markdown");
  expect_failure("gap hume --csv --markdown", 2, "cannot be used with");
  for (const char* option : {"--human better", "--language en", "--task-type STS", "--against mean",
                             "--uncorrected", "--revision a=b"}) {
    expect_failure(std::string("gap hume --audit ") + option, 2, "cannot be used with --audit");
  }
}

TEST_F(Program, KeepsEveryHelpWithinEightyColumns) {
  for (const char* verb :
       {"", "leaderboard", "gap", "gap import", "report", "report gap", "doctor", "completion"}) {
    EXPECT_LE(longest_line(run(std::string(verb) + " --help").out), 80u) << verb;
  }
}

TEST_F(Program, FitsItsTablesToATerminal) {
  for (const char* verb : {"leaderboard hume", "gap hume", "gap hume --audit"}) {
    const std::string text = shell("NO_COLOR=1; export NO_COLOR; " + in_terminal(verb)).out;
    EXPECT_NE(text.find("Left out to fit 80 columns"), std::string::npos) << text;
    EXPECT_LE(longest_line(text), 80u) << verb;
  }
}

TEST_F(Program, IsBoldOnATerminalAloneAndNotWithNoColor) {
  EXPECT_NE(shell("unset NO_COLOR; " + in_terminal("doctor")).out.find("\033[1m"),
            std::string::npos);
  EXPECT_EQ(shell("NO_COLOR=1; export NO_COLOR; " + in_terminal("doctor")).out.find('\033'),
            std::string::npos);
  EXPECT_EQ(shell("unset NO_COLOR; plumb doctor").out.find('\033'), std::string::npos);
}

TEST_F(Program, ShowsTheEscapesOfAHostileNameInsteadOfSendingThem) {
  write("tree/m/1/T.json", result("T", "default", 0.5));
  write("tree/m/1/model_meta.json", R"({"name": "org/\u001b[2Jm\nrank", "revision": "1"})");
  for (const char* form : {"", " --markdown"}) {
    const Outcome outcome = run("leaderboard " + path("tree") + form);
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_EQ(outcome.out.find('\033'), std::string::npos);
    EXPECT_NE(outcome.out.find("\\x1b[2Jm\\nrank"), std::string::npos) << outcome.out;
  }
}

TEST_F(Program, KeepsAnErrorOnOneLineWhateverTheFileIsCalled) {
  expect_failure("leaderboard \"$(printf 'no\\nsuch\\033[2J')\"", 4, "no\\nsuch\\x1b[2J");
}

TEST_F(Program, SaysThatStdoutCannotBeWritten) {
  for (const char* arguments : {"--help", "--version", "doctor", "completion bash", "gap hume"}) {
    for (const char* closed : {" > /dev/full", " >&-"}) {
      const Outcome outcome = shell(fmt::format("plumb {}{}", arguments, closed));
      EXPECT_EQ(outcome.code, 8) << arguments << closed;
      EXPECT_TRUE(outcome.error.starts_with("plumb: stdout: cannot write")) << outcome.error;
    }
  }
}

TEST_F(Program, KeepsWhatItSaysOutOfTheFileThatItWritesWhenStderrIsClosed) {
  write("tree/m/1/T.json", result("T", "default", 0.5));
  run("gap import " + path("tree") + " -o " + path("a"));
  shell("plumb gap import " + path("tree") + " -o " + path("b") + " 2>&-");
  EXPECT_EQ(*read_file(path("a")), *read_file(path("b")));
}

TEST_F(Program, WritesIntoAPipeThatIsNamedAsOutputAndLeavesItThere) {
  const Outcome outcome =
      shell(fmt::format("mkfifo '{0}'; cat '{0}' & plumb doctor --json -o '{0}'; code=$?; wait; "
                        "test -p '{0}' && exit $code",
                        path("pipe")));
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_TRUE(outcome.out.starts_with("{\n  \"schema\"")) << outcome.out;
}

TEST_F(Program, KeepsTheOldFileWhereItMayNotWriteANewOne) {
  write("tree/kept.json", "old");
  fs::permissions(folder_ / "tree", fs::perms::owner_read | fs::perms::owner_exec |
                                        fs::perms::others_read | fs::perms::others_exec);
  const std::string other =
      ::geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  const Outcome outcome =
      shell(fmt::format("cp '{0}' '{1}'; {2}'{1}' leaderboard hume -o '{3}'", PLUMB_PROGRAM,
                        path("program"), other, path("tree/kept.json")));
  fs::permissions(folder_ / "tree", fs::perms::owner_all);
  EXPECT_EQ(outcome.code, 6) << outcome.error;
  EXPECT_NE(outcome.error.find("kept.json: cannot write"), std::string::npos) << outcome.error;
  EXPECT_EQ(*read_file(path("tree/kept.json")), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "tree"), {}), 1);
}

TEST_F(Program, ChangesNothingButIntervalsWithTheSeed) {
  const auto without_intervals = [this](const std::string& seed) {
    Json board = Json::parse(run("leaderboard hume --resamples 500 --json --seed " + seed).out);
    board.erase("resampling");
    for (Json& row : board["rows"]) {
      for (const char* key : {"ci", "rank_ci", "tie_group"}) row.erase(key);
      if (row.contains("difference")) row["difference"].erase("ci");
    }
    return board;
  };
  EXPECT_EQ(without_intervals("1"), without_intervals("2"));
}

TEST_F(Program, GivesTheSameBytesInEveryFormWithAnyNumberOfThreads) {
  for (const char* form : {"gap hume", "gap hume --audit --json", "leaderboard hume --csv",
                           "leaderboard hume --markdown"}) {
    const std::string command = fmt::format("{} --resamples 500 --threads ", form);
    const std::string once = run(command + "1").out;
    EXPECT_NE(once, "");
    EXPECT_EQ(once, run(command + "1").out) << form;
    EXPECT_EQ(once, run(command + "2").out) << form;
  }
  for (const char* threads : {"1", "2"}) {
    run(fmt::format("report gap hume --resamples 500 --threads {0} -o {1}{0}", threads,
                    path("page")));
  }
  EXPECT_EQ(*read_file(path("page1")), *read_file(path("page2")));
}

TEST_F(Program, ImportsATableIntoTheSameTableUnlessToldOtherwise) {
  ASSERT_EQ(run("gap import hume -o " + path("a")).code, 0);
  ASSERT_EQ(run("gap import " + path("a") + " -o " + path("b")).code, 0);
  EXPECT_EQ(*read_file(path("a")), *read_file(path("b")));
  const Json original = Json::parse(run("leaderboard hume --json").out);
  EXPECT_EQ(Json::parse(run("leaderboard " + path("a") + " --models paper --json").out), original);
}

TEST_F(Program, ReadsATreeWithoutPeopleOrSeveralRevisions) {
  write("tree/org__a/1/T.json", result("T", "default", 0.5));
  write("tree/org__a/2/T.json", result("T", "default", 0.75));
  const Json board = Json::parse(run("leaderboard " + path("tree") + " --json").out);
  ASSERT_EQ(board["rows"].size(), 2u);
  EXPECT_EQ(board["rows"][0]["revision"], "2");
  EXPECT_EQ(run("leaderboard " + path("tree")).code, 0);
  expect_failure("gap " + path("tree"), 4, "");
  expect_failure("gap --audit " + path("tree"), 4, "");
  expect_failure("report gap " + path("tree") + " -o " + path("page.html"), 4, "");
  EXPECT_FALSE(fs::exists(path("page.html")));
}

TEST_F(Program, CompletesEveryOptionThatHelpNames) {
  EXPECT_EQ(shell("plumb completion bash | bash -n").code, 0);
  const std::string script = run("completion bash").out;
  for (const char* option : {"--json", "--csv", "--markdown", "--output", "--aggregate"}) {
    EXPECT_NE(script.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace plumb
