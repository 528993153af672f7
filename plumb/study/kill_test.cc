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
using testing::Place;

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
[[noreturn]] void serve_until_killed(Place& place, const Folder& folder, int round, Note note) {
  auto store = place.open(Store::Mode::kWrite, system_clock_ms);
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

// The size of all clients' logs.
std::uintmax_t logged(const Folder& folder) {
  std::uintmax_t bytes = 0;
  for (int client = 0; client < kClients; ++client) {
    std::error_code none;
    const auto size = std::filesystem::file_size(folder / fmt::format("log {}", client), none);
    bytes += none ? 0 : size;
  }
  return bytes;
}

// Starts the process, kills it after a while, and says whether it was still at work. Most are
// killed among answers, some while they start.
bool kill_one(Place& place, const Folder& folder, int round, Note note, Stream& stream) {
  const std::uintmax_t before = logged(folder);
  const std::uintmax_t at_least = round % 5 == 4 ? 0 : 100;  // bytes: a few answers
  const pid_t child = ::fork();
  if (child == 0) serve_until_killed(place, folder, round, note);
  int status = 0;
  while (logged(folder) < before + at_least && ::waitpid(child, &status, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(stream.below(130)));
  ::kill(child, SIGKILL);
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
std::size_t lost_answers(Place& place, const Log& log) {
  auto store = place.open(Store::Mode::kWrite, system_clock_ms);
  EXPECT_TRUE(store) << store.error().message;
  std::map<std::string, std::string> found;
  // As a transaction that writes: what the killed process had begun has ended before.
  const auto read = (*store)->write([&](Connection& c) {
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

void make_study(Place& place, std::size_t items) {
  auto store = place.open(Store::Mode::kCreate, system_clock_ms);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE(create_study(**store, {.name = "demo",
                                     .tasks = {testing::some_task(tasks::Kind::kSts, items)},
                                     .overlap = 3,
                                     .lease_ms = 1000}));
}

class Kill : public ::testing::TestWithParam<testing::Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    place_ = GetParam().make();
  }

  std::unique_ptr<Place> place_;
  Folder logs_;
};

TEST_P(Kill, TakesNoAcknowledgedAnswerAndDoublesNone) {
  const int kills = testing::wants_long_tests() ? 1000 : 50;
  make_study(*place_, static_cast<std::size_t>(kills) * 100);
  Stream stream(11, "kills", 0);
  for (int round = 0; round < kills; ++round) {
    ASSERT_TRUE(kill_one(*place_, logs_, round, Note::kWhenAcknowledged, stream));
    if (round % 10 == 9) {
      ASSERT_EQ(lost_answers(*place_, read_logs(logs_)), 0U);
    }
  }
  const Log log = read_logs(logs_);
  EXPECT_GE(log.acknowledged.size(), static_cast<std::size_t>(kills));
  RecordProperty("acknowledged", static_cast<int>(log.acknowledged.size()));
}

TEST_P(Kill, CatchesAServerThatAcknowledgesTooEarly) {
  make_study(*place_, 2000);
  Stream stream(12, "kills", 0);
  std::size_t lost = 0;
  for (int round = 0; round < 20 && lost == 0; ++round) {
    ASSERT_TRUE(kill_one(*place_, logs_, round, Note::kTooEarly, stream));
    lost = lost_answers(*place_, read_logs(logs_));
  }
  EXPECT_GT(lost, 0U) << "the control must lose something, or the test shows nothing";
}

INSTANTIATE_TEST_SUITE_P(Backends, Kill, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
