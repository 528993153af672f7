// Annotators' clients log what is acknowledged while the program that serves them is killed, again
// and again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>

#include "plumb/base/files.h"
#include "plumb/study/testing.h"

namespace plumb::study {

bool testing::wants_long_tests() { return std::getenv("PLUMB_LONG_TESTS") != nullptr; }

namespace {

using testing::Folder;

constexpr int kClients = 4;

// When a client notes an acknowledgement. Too early is what a careless server does.
enum class Note { kWhenAcknowledged, kTooEarly };

void append(int file, const std::string& line) {
  if (::write(file, line.data(), line.size()) < 0) _exit(3);
}

// Answers until the end: "S key body" before each request, "A key body" after its acknowledgement.
void answer_on(const Study& study, int client, int round, int file, Note note) {
  const auto annotator = study.enroll(fmt::format("R{}", client), tasks::RaterKind::kPerson);
  if (!annotator) _exit(4);
  for (int i = 0;; ++i) {
    const auto next = study.next(annotator->id);
    if (!next) _exit(5);
    if (!next->served) return;
    const std::string key = fmt::format("{}.{}.{}", client, round, i);
    const int rating = (client + round + i) % 6;
    const std::string entry = fmt::format("{} {{\"rating\":{}.0}}\n", key, rating);
    append(file, "S " + entry);
    if (note == Note::kTooEarly) append(file, "A " + entry);
    if (!study.submit(annotator->id, {next->served->slot, key, {{"rating", rating}}})) _exit(6);
    if (note == Note::kWhenAcknowledged) append(file, "A " + entry);
  }
}

// The process that is killed. Never returns.
[[noreturn]] void serve_until_killed(const Folder& folder, int round, Note note) {
  auto store = Store::open(folder / "studio.db", {.mode = Store::Mode::kWrite});
  if (!store) _exit(1);
  const auto study = Study::open(**store, "demo");
  if (!study) _exit(2);
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    const int file = ::open((folder / fmt::format("log {}", client)).c_str(),
                            O_WRONLY | O_CREAT | O_APPEND, 0644);
    clients.emplace_back([&, client, file] { answer_on(*study, client, round, file, note); });
  }
  for (std::thread& client : clients) client.join();
  _exit(0);
}

// Starts the process, kills it after a while, and says whether it was still at work.
bool kill_one(const Folder& folder, int round, Note note, Stream& stream) {
  const pid_t child = ::fork();
  if (child == 0) serve_until_killed(folder, round, note);
  std::this_thread::sleep_for(std::chrono::milliseconds(20 + stream.below(130)));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the process ended by itself: " << WEXITSTATUS(status);
  return WIFSIGNALED(status);
}

struct Log {
  std::map<std::string, std::string> sent, acknowledged;  // key: body
};

Log read_logs(const Folder& folder) {
  Log log;
  for (int client = 0; client < kClients; ++client) {
    const auto text = read_file(folder / fmt::format("log {}", client));
    std::istringstream lines(text.value_or(""));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t end = line.find(' ', 2);
      auto& part = line[0] == 'S' ? log.sent : log.acknowledged;
      part[line.substr(2, end - 2)] = line.substr(end + 1);
    }
  }
  return log;
}

// Acknowledged answers that the database lacks or holds otherwise. Everything else is expected.
std::size_t lost_answers(const Folder& folder, const Log& log) {
  auto store = Store::open(folder / "studio.db", {.mode = Store::Mode::kRead});
  EXPECT_TRUE(store) << store.error().message;
  std::map<std::string, std::string> found;
  const auto read = (*store)->read_void([&](Connection& c) {
    return c.each("SELECT request_key, body FROM answers", {}, [&](const Row& row) {
      EXPECT_TRUE(found.emplace(row.text(0), row.text(1)).second) << row.text(0) << " is doubled";
      return Result<void>();
    });
  });
  EXPECT_TRUE(read);
  std::size_t lost = 0;
  for (const auto& [key, body] : log.acknowledged) {
    lost += found.contains(key) && found[key] == body ? 0 : 1;
  }
  for (const auto& [key, body] : found) {
    const auto sent = log.sent.find(key);
    EXPECT_TRUE(sent != log.sent.end() && sent->second == body) << key << " was never sent";
  }
  EXPECT_EQ(testing::count_of(**store, "SELECT COUNT(*) FROM slots WHERE state = 'submitted'"),
            static_cast<std::int64_t>(found.size()));
  return lost;
}

void make_study(const Folder& folder, std::size_t items) {
  auto store = Store::open(folder / "studio.db", {.mode = Store::Mode::kCreate});
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE(create_study(**store, {.name = "demo",
                                     .tasks = {testing::some_task(tasks::Kind::kSts, items)},
                                     .overlap = 3,
                                     .lease_ms = 1000}));
}

TEST(Kill, TakesNoAcknowledgedAnswerAndDoublesNone) {
  const Folder folder;
  const int kills = testing::wants_long_tests() ? 1000 : 50;
  make_study(folder, static_cast<std::size_t>(kills) * 100);
  Stream stream(11, "kills", 0);
  for (int round = 0; round < kills; ++round) {
    ASSERT_TRUE(kill_one(folder, round, Note::kWhenAcknowledged, stream));
    if (round % 10 == 9) {
      ASSERT_EQ(lost_answers(folder, read_logs(folder)), 0U);
    }
  }
  const Log log = read_logs(folder);
  EXPECT_GE(log.acknowledged.size(), static_cast<std::size_t>(kills));
  RecordProperty("acknowledged", static_cast<int>(log.acknowledged.size()));
}

TEST(Kill, CatchesAServerThatAcknowledgesTooEarly) {
  const Folder folder;
  make_study(folder, 2000);
  Stream stream(12, "kills", 0);
  std::size_t lost = 0;
  for (int round = 0; round < 20 && lost == 0; ++round) {
    ASSERT_TRUE(kill_one(folder, round, Note::kTooEarly, stream));
    lost = lost_answers(folder, read_logs(folder));
  }
  EXPECT_GT(lost, 0U) << "the control must lose something, or the test shows nothing";
}

}  // namespace
}  // namespace plumb::study
