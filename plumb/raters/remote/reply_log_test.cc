#include "plumb/raters/remote/reply_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/raters/remote/http_client.h"

namespace plumb::raters {
namespace {

class ReplyLogTest : public ::testing::Test {
 protected:
  ReplyLogTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("plumb-reply-log-{}-{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())),
        path_(folder_ / "below" / "replies.jsonl") {
    std::filesystem::remove_all(folder_);
  }
  ~ReplyLogTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<ReplyLog> open() const {
    auto log = ReplyLog::open(path_);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }

  // A log of three records.
  void write_three() const {
    const auto log = open();
    for (const char* key : {"a", "b", "c"}) {
      ASSERT_TRUE(log->add(key, {{"content", key}}, {{"more", "\n\"words\""}}));
    }
  }

  std::filesystem::path folder_, path_;
};

TEST_F(ReplyLogTest, KeepsReplies) {
  write_three();
  const auto log = open();
  EXPECT_EQ((*log->find("b"))["content"], "b");
  EXPECT_FALSE(log->find("d"));
  EXPECT_EQ(log->damaged(), 0u);
}

TEST_F(ReplyLogTest, IsMadeOfJsonLinesThatHoldTheContext) {
  write_three();
  std::ifstream file(path_);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json["record"]["more"], "\n\"words\"");
    ++lines;
  }
  EXPECT_EQ(lines, 3);
}

TEST_F(ReplyLogTest, TheFirstReplyOfAKeyStands) {
  const auto log = open();
  EXPECT_EQ(*log->add("a", 1, Json::object()), 1);
  EXPECT_EQ(*log->add("a", 2, Json::object()), 1);
  EXPECT_EQ(*open()->find("a"), 1);
}

TEST_F(ReplyLogTest, NoticesAnyFlippedByteAndLosesThatRecordAlone) {
  write_three();
  const std::string whole = *read_file(path_);
  const std::size_t begin = whole.find('\n') + 1, end = whole.find('\n', begin);
  for (std::size_t at = begin; at < end; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_TRUE(write_file_atomic(path_, damaged));
    const auto log = open();
    EXPECT_GE(log->damaged(), 1u) << at;
    EXPECT_FALSE(log->find("b")) << at;
    EXPECT_TRUE(log->find("a") && log->find("c")) << at;
  }
}

TEST_F(ReplyLogTest, GoesOnAfterARecordThatWasCutShortAtAnyByte) {
  write_three();
  const std::string whole = *read_file(path_);
  const std::size_t begin = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t end = begin; end < whole.size(); ++end) {
    ASSERT_TRUE(write_file_atomic(path_, whole.substr(0, end)));
    {
      const auto log = open();
      const bool only_the_line_break_is_missing = end + 1 == whole.size();
      EXPECT_EQ(log->find("c").has_value(), only_the_line_break_is_missing) << end;
      ASSERT_TRUE(log->add("d", "new", Json::object()));
    }
    const auto again = open();
    EXPECT_TRUE(again->find("a") && again->find("b") && again->find("d")) << end;
    EXPECT_EQ(again->damaged(), end > begin && end + 1 < whole.size() ? 1u : 0u) << end;
  }
}

TEST_F(ReplyLogTest, TwoProcessesShareAFile) {
  const auto mine = open(), theirs = open();
  EXPECT_EQ(*mine->add("a", "mine", Json::object()), "mine");
  EXPECT_EQ(*theirs->add("a", "theirs", Json::object()), "mine");
  EXPECT_EQ(*theirs->add("b", "theirs", Json::object()), "theirs");
  EXPECT_EQ(*mine->add("b", "mine", Json::object()), "theirs");
  EXPECT_EQ(open()->damaged(), 0u);
}

TEST_F(ReplyLogTest, ManyWritersLoseNothing) {
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 4; ++writer) {
      writers.emplace_back([this, writer] {
        const auto log = open();
        for (int i = 0; i < 50; ++i) {
          EXPECT_TRUE(log->add(fmt::format("{} {}", writer, i), i, Json::object()));
        }
      });
    }
  }
  const auto log = open();
  EXPECT_EQ(log->damaged(), 0u);
  for (int writer = 0; writer < 4; ++writer) {
    for (int i = 0; i < 50; ++i) EXPECT_EQ(log->find(fmt::format("{} {}", writer, i)), Json(i));
  }
}

TEST_F(ReplyLogTest, ADeepDocumentWithARightChecksumIsDamageToo) {
  write_three();
  const std::string record = std::string(100'000, '[');
  std::ofstream(path_, std::ios::app)
      << fmt::format("{{\"sha256\":\"{}\",\"record\":{}}}\n", sha256(record), record);
  EXPECT_EQ(open()->damaged(), 1u);
}

TEST_F(ReplyLogTest, KeepsWhatIsAsDeepAsAServerMaySend) {
  const Json deep = parse_shallow(std::string(64, '[') + std::string(64, ']'));
  ASSERT_FALSE(deep.is_discarded());
  ASSERT_TRUE(open()->add("a", "reply", {{"response", deep}}));
  EXPECT_TRUE(open()->find("a"));
}

TEST_F(ReplyLogTest, AFolderInItsPlaceIsAnError) {
  std::filesystem::create_directories(path_);
  EXPECT_FALSE(ReplyLog::open(path_));
}

}  // namespace
}  // namespace plumb::raters
