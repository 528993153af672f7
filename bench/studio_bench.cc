// The studio under load. Each form prints one JSON object.
//
//   bench_studio make DATABASE ITEMS ANSWERS ANNOTATORS TOKENS   a study of ITEMS x 3 with ANSWERS
//                                                                answers, and a session for
//                                                                everyone
//   bench_studio again DATABASE ITEMS NAME                       another study of the same items
//   bench_studio load PORT TOKENS SECONDS THINK_MS               annotators who ask, think, answer
//   bench_studio get PORT TOKENS TIMES PATH                      what the researcher asks
//   bench_studio fsync FOLDER                                    the disk alone
//
// DATABASE: a file, or postgresql://...
#include <fcntl.h>
#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/random.h"
#include "plumb/server/secrets.h"
#include "plumb/study/accounts.h"
#include "plumb/study/create.h"

namespace {

using plumb::Json;
using plumb::Result;
using plumb::Stream;
using namespace plumb::study;
using Milliseconds = std::chrono::duration<double, std::milli>;
using Steady = std::chrono::steady_clock;

// What fails here ends the bench.
template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}
void must(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

double ms_since(Steady::time_point start) { return Milliseconds(Steady::now() - start).count(); }

Json figures(std::vector<double> values) {
  if (values.empty()) return {{"n", 0}};
  std::ranges::sort(values);
  const auto at = [&values](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {{"n", values.size()}, {"median_ms", at(0.5)}, {"p95_ms", at(0.95)}, {"most_ms", at(1)}};
}

plumb::tasks::Task pairs(std::size_t items) {
  plumb::tasks::Task task;
  task.kind = plumb::tasks::Kind::kSts;
  task.name = "pairs";
  task.scale = plumb::tasks::Scale{0, 5};
  Stream stream(1, "studio bench", 0);
  const char* words[] = {"river", "stone", "a", "walks", "over", "green", "quietly", "the"};
  const auto text = [&] {
    std::string sentence;
    for (int w = 0; w < 12; ++w) sentence += fmt::format("{} ", words[stream.below(8)]);
    return sentence;
  };
  for (std::size_t i = 0; i < items; ++i) {
    plumb::tasks::Item item;
    item.id = fmt::format("{}", i);
    item.texts = {text(), text()};
    task.items.push_back(std::move(item));
  }
  return task;
}

std::unique_ptr<Store> open_store(const std::string& database) {
  const bool is_url = database.starts_with("postgresql://");
  return must(is_url ? Store::open_postgres(database, {.mode = Store::Mode::kCreate})
                     : Store::open(database, {.mode = Store::Mode::kCreate}));
}

// The first items are answered by three annotators each; in one transaction, not as annotators do.
void answer(Store& store, std::int64_t answers, std::int64_t annotators) {
  const std::vector<plumb::study::Value> values = {answers / 3, annotators};
  const std::string who = "(SELECT MIN(id) FROM annotators) + (item_id + 11 * k) % ?2";
  const std::string first = "item_id < (SELECT MIN(id) FROM items) + ?1";
  must(store.write([&](Connection& c) -> Result<void> {
    for (const std::string& sql :
         {"INSERT INTO answers(slot_id, annotator_id, revision, request_key, request_sha256, "
          "action, body, guideline, created_ms, active_ms, idle_ms) SELECT id, " +
              who +
              ", 1, 'made ' || id, '', 'answer', '{\"rating\":' || (id * 7919 % 6) || '.0}', "
              "1, 1700000000000, 4000 + id % 1000, 0 FROM slots WHERE " +
              first,
          "UPDATE slots SET state = 'submitted', annotator_id = " + who +
              ", answer_id = (SELECT id FROM answers WHERE slot_id = slots.id) WHERE " + first,
          "INSERT INTO leases(slot_id, annotator_id, guideline, granted_ms, ended_ms, how) "
          "SELECT id, " +
              who + ", 1, 1, 2, 'submitted' FROM slots WHERE " + first}) {
      auto done = c.execute(sql, values);
      if (!done) return tl::unexpected(done.error());
    }
    return c.note_growth();
  }));
}

std::string session_of(const Accounts& accounts, const Account& account) {
  const std::string token = must(plumb::server::random_token());
  must(accounts.start_session(account.id, plumb::server::token_hash(token)));
  return token;
}

// The first token is the owner's.
void make(const std::string& database, std::size_t items, std::int64_t answers, int annotators,
          const char* tokens) {
  const auto store = open_store(database);
  const auto start = Steady::now();
  const Study study = must(create_study(
      *store, {.name = "bench", .tasks = {pairs(items)}, .overlap = 3, .lease_ms = 1'800'000}));
  const double seconds = ms_since(start) / 1000;
  const Accounts accounts(*store);
  std::ofstream file(tokens);
  file << session_of(accounts, must(accounts.create("owner", Role::kOwner, "-"))) << "\n";
  for (int a = 0; a < annotators; ++a) {
    const std::string invitation = must(plumb::server::random_token());
    const std::string hash = plumb::server::token_hash(invitation);
    must(accounts.invite(hash, Role::kAnnotator, study.info().id, std::nullopt));
    file << session_of(accounts, must(accounts.accept(hash, fmt::format("a{}", a), "-"))) << "\n";
  }
  if (answers > 0) answer(*store, answers, annotators);
  fmt::print("{}\n", Json{{"create_seconds", seconds}}.dump());
}

void make_again(const std::string& database, std::size_t items, const std::string& name) {
  const auto store = open_store(database);
  must(create_study(*store, {.name = name, .tasks = {pairs(items)}, .overlap = 3}));
  fmt::print("{}\n", Json{{"study", name}}.dump());
}

std::vector<std::string> lines_of(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

httplib::Client client_of(int port, const std::string& token) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_read_timeout(60, 0);
  client.set_default_headers({{"X-Plumb", "1"}, {"Cookie", "plumb=" + token}});
  return client;
}

struct Times {
  std::vector<double> next, saved;
  int failed = 0;
};

// Asks, thinks, answers, until the time is over.
Times annotate(int port, const std::string& token, int number, Steady::time_point end,
               double think_ms) {
  auto client = client_of(port, token);
  Stream stream(1, "thinking", static_cast<std::uint64_t>(number));
  Times times;
  for (int i = 0; Steady::now() < end; ++i) {
    const auto asked = Steady::now();
    const auto next = client.Post("/api/studies/1/next", "{}", "application/json");
    if (!next || next->status != 200) return ++times.failed, times;
    times.next.push_back(ms_since(asked));
    const Json item = Json::parse(next->body);
    if (item["state"] != "item") return times;
    std::this_thread::sleep_for(Milliseconds(think_ms * 2 * stream.uniform()));
    const auto slot = item["served"]["slot"].get<std::int64_t>();
    const auto sent = Steady::now();
    const auto saved = client.Put(
        fmt::format("/api/studies/1/slots/{}/answer", slot),
        {{"Idempotency-Key", fmt::format("{}.{}.{}", number, slot, i)}},
        fmt::format(R"({{"answer":{{"rating":{}}},"timing":{{"active_ms":4000}}}})", i % 6),
        "application/json");
    if (!saved || saved->status != 200) return ++times.failed, times;
    times.saved.push_back(ms_since(sent));
  }
  return times;
}

void load(int port, const char* file, double seconds, double think_ms) {
  const auto tokens = lines_of(file);
  const auto end = Steady::now() + std::chrono::duration_cast<Steady::duration>(
                                       std::chrono::duration<double>(seconds));
  std::vector<Times> times(tokens.size() - 1);
  std::vector<std::thread> threads;
  for (std::size_t a = 0; a < times.size(); ++a) {
    threads.emplace_back(
        [&, a] { times[a] = annotate(port, tokens[a + 1], static_cast<int>(a), end, think_ms); });
  }
  for (std::thread& thread : threads) thread.join();
  Times all;
  for (const Times& one : times) {
    all.next.insert(all.next.end(), one.next.begin(), one.next.end());
    all.saved.insert(all.saved.end(), one.saved.begin(), one.saved.end());
    all.failed += one.failed;
  }
  const double each_second = static_cast<double>(all.saved.size()) / seconds;
  fmt::print("{}\n", Json{{"next", figures(all.next)},
                          {"saved", figures(all.saved)},
                          {"failed", all.failed},
                          {"answers_per_second", each_second}}
                         .dump());
}

void get(int port, const char* file, int times, const std::string& path) {
  auto client = client_of(port, lines_of(file).front());
  std::vector<double> took;
  for (int i = 0; i < times; ++i) {
    const auto start = Steady::now();
    const auto got = client.Get(path);
    if (!got || got->status != 200)
      must(Result<void>(plumb::fail(plumb::ErrorKind::kInternal, "no answer to " + path)));
    took.push_back(ms_since(start));
  }
  fmt::print("{}\n", figures(took).dump());
}

// Writes of 4 KiB over what is there, as a write-ahead log that is used again; each waited for.
void sync_alone(const std::string& folder) {
  constexpr int kPages = 200;
  const std::string path = folder + "/fsync.bin", page(4096, 'x');
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  std::vector<double> took;
  for (int i = 0; i < 2 * kPages; ++i) {
    const auto start = Steady::now();
    if (::pwrite(file, page.data(), page.size(), 4096 * (i % kPages)) < 0) std::exit(1);
    if (i < kPages - 1) continue;
    if (::fdatasync(file) != 0) std::exit(1);
    if (i >= kPages) took.push_back(ms_since(start));
  }
  ::close(file);
  std::remove(path.c_str());
  fmt::print("{}\n", figures(took).dump());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "";
  if (form == "make" && argc == 7) {
    make(argv[2], std::stoul(argv[3]), std::stol(argv[4]), std::stoi(argv[5]), argv[6]);
  } else if (form == "again" && argc == 5) {
    make_again(argv[2], std::stoul(argv[3]), argv[4]);
  } else if (form == "load" && argc == 6) {
    load(std::stoi(argv[2]), argv[3], std::stod(argv[4]), std::stod(argv[5]));
  } else if (form == "get" && argc == 6) {
    get(std::stoi(argv[2]), argv[3], std::stoi(argv[4]), argv[5]);
  } else if (form == "fsync" && argc == 3) {
    sync_alone(argv[2]);
  } else {
    fmt::print(stderr, "usage: bench_studio make|load|get|fsync ...\n");
    return 2;
  }
}
