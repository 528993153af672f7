// What every backend promises of imports: all of a file or nothing, whatever happens meanwhile.
#include "plumb/study/exchange/import.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "plumb/base/random.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

constexpr int kItems = 150;

class Import : public ::testing::TestWithParam<testing::Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    place_ = GetParam().make();
  }

  std::unique_ptr<Store> open(Store::Mode mode = Store::Mode::kCreate) {
    auto store = place_->open(mode, system_clock_ms);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }

  static Study make(Store& store, const std::string& name, int overlap) {
    auto study = create_study(store, {.name = name,
                                      .tasks = {testing::some_task(tasks::Kind::kSts, kItems)},
                                      .overlap = overlap});
    EXPECT_TRUE(study) << study.error().message;
    return std::move(*study);
  }

  // The answers of these people to all items.
  std::filesystem::path file_of(const Study& study, const std::vector<std::string>& people) {
    std::string lines;
    EXPECT_TRUE(study.store().read_void([&](Connection& connection) {
      return connection.each("SELECT name FROM items WHERE task_id = ?1 ORDER BY id",
                             {study.tasks().front().id}, [&](const Row& row) {
                               for (const std::string& who : people) {
                                 lines += fmt::format(
                                     "{{\"rater\":\"{}\",\"item\":\"{}\",\"rating\":{}}}\n", who,
                                     row.text(0), lines.size() % 6);
                               }
                               return Result<void>();
                             });
    }));
    const auto path = folder_ / fmt::format("{}.jsonl", people.front());
    std::ofstream(path) << lines;
    return path;
  }

  static Result<ImportCounts> import(const Study& study, const std::filesystem::path& path) {
    return import_answers(study, study.tasks().front(), path, {});
  }

  static std::int64_t answers_of(Store& store, const Study& study) {
    return testing::count_of(
        store, fmt::format("SELECT COUNT(*) FROM answers JOIN slots ON slots.id = slot_id AND "
                           "slots.answer_id = answers.id AND slots.annotator_id = "
                           "answers.annotator_id AND state = 'submitted' WHERE task_id = {}",
                           study.tasks().front().id));
  }

  std::unique_ptr<testing::Place> place_;
  testing::Folder folder_;
};

TEST_P(Import, FillsSlotsAndLeasesLikeAnnotatorsDo) {
  const auto store = open();
  const Study study = make(*store, "demo", 3);
  const auto early = study.enroll("R1", tasks::RaterKind::kPerson)->id;
  const auto served = *study.next(early)->served;
  ASSERT_TRUE(study.skip(early, {.slot = served.slot, .key = "s", .reason = "unclear"}));
  const auto counts = import(study, file_of(study, {"R1", "ann"}));
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->answers, 2U * kItems);
  EXPECT_EQ(counts->annotators, 2U);
  EXPECT_EQ(answers_of(*store, study), 2 * kItems);
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM leases WHERE how = 'submitted'"),
            2 * kItems);
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM slots WHERE state = 'open'"), kItems);
  EXPECT_EQ(testing::count_of(*store, "SELECT MAX(revision) FROM answers"), 2)
      << "after what the annotator did to that slot before";
  EXPECT_EQ(study.next(early)->state, Next::State::kFinished);
  const auto again = import(study, file_of(study, {"ann"}));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("ann.jsonl:1: \"ann\" has answered item"), std::string::npos)
      << again.error().message;
}

TEST_P(Import, ThatDoesNotFitLeavesNothingBehind) {
  const auto store = open();
  const Study study = make(*store, "demo", 1);
  const auto path = file_of(study, {"ann"});
  std::ofstream(path, std::ios::app) << R"({"rater":"bob","item":"none","rating":1})"
                                     << "\n";
  EXPECT_EQ(import(study, path).error().kind, ErrorKind::kBadInput);
  const auto many = import(study, file_of(study, {"ann", "bob"}));
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message.find("ann.jsonl:2: item"), std::string::npos)
      << many.error().message;
  ASSERT_TRUE(study.freeze());
  EXPECT_EQ(import(study, file_of(study, {"ann"})).error().kind, ErrorKind::kNotAllowed);
  for (const char* table : {"answers", "annotators", "leases"}) {
    EXPECT_EQ(testing::count_of(*store, fmt::format("SELECT COUNT(*) FROM {}", table)), 0) << table;
  }
}

TEST_P(Import, GivesEveryAnnotatorTheSeatThatWasDrawn) {
  const auto store = open();
  const Study study = *create_study(*store, {.name = "demo",
                                             .tasks = {testing::some_task(tasks::Kind::kSts, 6)},
                                             .overlap = 2,
                                             .assignment = Assignment::kFixed,
                                             .seats = 3});
  ASSERT_TRUE(study.enroll("early", tasks::RaterKind::kPerson));
  const auto counts = import(study, file_of(study, {"ann", "bob"}));
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(study.annotator("ann")->seat, 2);
  EXPECT_EQ(study.annotator("bob")->seat, 3);
}

TEST_P(Import, TwoAtOnceAndAnAnnotatorTakeNothingFromEachOther) {
  const auto store = open();
  const Study study = make(*store, "demo", 3);
  const auto one = file_of(study, {"ann"}), two = file_of(study, {"bob"});
  std::vector<std::thread> threads;
  for (const auto& path : {one, two}) {
    threads.emplace_back([&study, path] {
      const auto counts = import(study, path);
      EXPECT_TRUE(counts) << counts.error().message;
    });
  }
  const auto annotator = study.enroll("R1", tasks::RaterKind::kPerson)->id;
  for (int i = 0; i < 20; ++i) {
    const auto served = study.next(annotator)->served;
    ASSERT_TRUE(served);
    ASSERT_TRUE(study.submit(annotator, {served->slot, fmt::format("{}", i), {{"rating", 1}}}));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers_of(*store, study), 2 * kItems + 20);
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM answers"), 2 * kItems + 20);
}

// A process that imports is killed, again and again: a file is there as a whole or not at all.
TEST_P(Import, ThatIsKilledLeavesAllOrNothing) {
  const int kills = testing::wants_long_tests() ? 100 : 12;
  Stream stream(31, "kills of an import", 0);
  int whole = 0, none = 0;
  for (int round = 0; round < kills; ++round) {
    const std::string name = fmt::format("study {}", round);
    std::filesystem::path path;
    {
      const auto store = open();
      path = file_of(make(*store, name, 2), {"ann", "bob"});
    }
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = place_->open(Store::Mode::kWrite, system_clock_ms);
      const auto study = store ? Study::open(**store, name) : tl::unexpected(store.error());
      _exit(study && import(*study, path) ? 0 : 1);
    }
    // Sooner or later than it takes, whatever the machine is doing: up to what one takes alone.
    std::this_thread::sleep_for(std::chrono::milliseconds(stream.below(12) * stream.below(12)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    const auto store = open(Store::Mode::kWrite);
    // After whatever the killed process had begun.
    ASSERT_TRUE(store->write([](Connection& connection) { return connection.settle(); }));
    const Study study = *Study::open(*store, name);
    const auto found = answers_of(*store, study);
    const auto taken = testing::count_of(
        *store, fmt::format("SELECT COUNT(*) FROM slots WHERE task_id = {} AND state <> 'open'",
                            study.tasks().front().id));
    EXPECT_TRUE(found == 0 || found == 2L * kItems) << found;
    EXPECT_EQ(taken, found);
    ++(found == 0 ? none : whole);
  }
  EXPECT_EQ(whole + none, kills);
  EXPECT_GT(none, 0) << "none was killed in time";
  RecordProperty("whole", whole);
  RecordProperty("none", none);
}

INSTANTIATE_TEST_SUITE_P(Backends, Import, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
