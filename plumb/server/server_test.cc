// The API over HTTP, as a browser and an attacker see it.
#include "plumb/server/server.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "plumb/server/page.h"
#include "plumb/server/testing.h"

namespace plumb::server {
namespace {

using study::Role;
using study::Study;
using testing::kPassword;
using testing::Reply;

class ServerTest : public testing::ServerFixture {};

// Who may call what: o owner, m manager, j adjudicator, a annotator, v viewer, * anybody. A route
// that is not here fails the test.
const std::map<std::string, std::string> kWho = {
    {"GET /api/openapi.json", "*"},
    {"POST /api/login", "*"},
    {"POST /api/logout", "omjav"},
    {"GET /api/me", "omjav"},
    {"PUT /api/me/password", "omjav"},
    {"GET /api/me/tokens", "omjav"},
    {"POST /api/me/tokens", "omjav"},
    {"POST /api/me/tokens/{token}/revoke", "omjav"},
    {"GET /api/accounts", "om"},
    {"POST /api/accounts/{account}/disable", "om"},
    {"POST /api/accounts/{account}/enable", "om"},
    {"PUT /api/accounts/{account}/role", "om"},
    {"GET /api/invitations", "om"},
    {"POST /api/invitations/revoke", "om"},
    {"POST /api/guidelines/preview", "om"},
    {"POST /api/invitations", "om"},
    {"POST /api/invitations/accept", "*"},
    {"GET /api/studies", "omjav"},
    {"GET /api/studies/{study}", "omjav"},
    {"GET /api/studies/{study}/guidelines", "omjav"},
    {"PUT /api/studies/{study}/guidelines", "om"},
    {"GET /api/studies/{study}/status", "omjv"},
    {"GET /api/studies/{study}/view", "omjv"},
    {"GET /api/studies/{study}/export", "om"},
    {"GET /api/studies/{study}/disputes", "omj"},
    {"GET /api/studies/{study}/disputes/{item}", "omj"},
    {"PUT /api/studies/{study}/disputes/{item}/decision", "omj"},
    {"GET /api/studies/{study}/models", "omjv"},
    {"POST /api/studies/{study}/models", "om"},
    {"POST /api/studies/{study}/models/remove", "om"},
    {"GET /api/studies/{study}/links", "omjv"},
    {"POST /api/studies/{study}/links", "om"},
    {"POST /api/studies/{study}/links/remove", "om"},
    {"GET /api/demo", "*"},
    {"POST /api/demo", "*"},
    {"GET /api/demo/standing", "a"},
    {"POST /api/studies/{study}/freeze", "om"},
    {"GET /api/studies/{study}/progress", "a"},
    {"POST /api/studies/{study}/next", "a"},
    {"POST /api/studies/{study}/undo", "a"},
    {"GET /api/studies/{study}/slots/{slot}", "a"},
    {"PUT /api/studies/{study}/slots/{slot}/answer", "a"},
    {"PUT /api/studies/{study}/slots/{slot}/draft", "a"},
    {"POST /api/studies/{study}/slots/{slot}/renew", "a"},
    {"POST /api/studies/{study}/slots/{slot}/skip", "a"},
};

TEST_F(ServerTest, EveryRouteIsForTheRolesOfItsRow) {
  const std::int64_t demo = study_id("demo");
  constexpr std::string_view kLetters = "omjav";
  ASSERT_EQ(routes().size(), kWho.size());
  // A study that has ended takes no annotator in.
  std::vector<Route> in_order(routes().begin(), routes().end());
  std::ranges::stable_partition(
      in_order, [](const Route& route) { return !route.pattern.ends_with("/freeze"); });
  for (const Route& route : in_order) {
    const auto row = kWho.find(fmt::format("{} {}", route.method, route.pattern));
    ASSERT_TRUE(row != kWho.end()) << "no row for " << route.method << " " << route.pattern;
    const std::string method(route.method), path = path_of(route, demo, 1);
    const bool open = row->second == "*";
    std::map<Role, std::string> sessions;
    for (const Role role : study::kRoles) sessions[role] = session_of(role);
    const int anonymous = call(method, path, "").status;
    EXPECT_EQ(anonymous == 401 && route.pattern != "/api/login", !open && true) << path;
    for (const Role role : study::kRoles) {
      const Reply reply = call(method, path, sessions[role]);
      const char letter = kLetters[static_cast<std::size_t>(role)];
      const bool allowed = open || row->second.find(letter) != std::string::npos;
      EXPECT_EQ(reply.error().starts_with("not for the role"), !allowed)
          << method << " " << path << " by " << role_name(role) << ": " << reply.status << " "
          << reply.error();
      EXPECT_TRUE(allowed || reply.status == 403);
    }
    if (route.pattern.find("{study}") != std::string_view::npos &&
        row->second.find('a') != std::string::npos) {
      EXPECT_EQ(call(method, path, session_of(Role::kAnnotator, "other")).status, 404) << path;
    }
  }
}

TEST_F(ServerTest, AnAnnotatorAnswersAndEverythingIsAcknowledged) {
  const std::string token = session_of(Role::kAnnotator, "other");
  const std::string base = fmt::format("/api/studies/{}", study_id("other"));
  const Reply next = call("POST", base + "/next", token);
  ASSERT_EQ(next.status, 200) << next.error();
  EXPECT_EQ(next["state"], "item");
  const std::string slot = fmt::format("{}/slots/{}", base, next["served"]["slot"].get<int>());
  EXPECT_EQ(call("PUT", slot + "/draft", token, {{"answer", {{"rating", 1}}}})["held"], true);
  EXPECT_EQ(call("POST", base + "/next", token)["served"]["draft"], (Json{{"rating", 1}}));
  const Json answer = {{"answer", {{"rating", 4}}}, {"timing", {{"active_ms", 1200}}}};
  const Reply saved = call("PUT", slot + "/answer", token, answer, {{"Idempotency-Key", "k1"}});
  ASSERT_EQ(saved.status, 200) << saved.error();
  EXPECT_EQ(saved["saved"], true);
  EXPECT_EQ(saved["again"], false);
  EXPECT_EQ(call("PUT", slot + "/answer", token, answer, {{"Idempotency-Key", "k1"}})["again"],
            true);
  const Reply stale = call("PUT", slot + "/answer", token, {{"answer", {{"rating", 3}}}},
                           {{"Idempotency-Key", "k2"}, {"If-Match", "7"}});
  EXPECT_EQ(stale.status, 409) << stale.error();
  EXPECT_EQ(call("PUT", slot + "/answer", token, {{"answer", {{"rating", 9}}}},
                 {{"Idempotency-Key", "k3"}})
                .status,
            422);
  EXPECT_EQ(call("PUT", slot + "/answer", token, answer).status, 422) << "no key";
  EXPECT_EQ(call("GET", slot, token)["answer"], (Json{{"rating", 4.0}}));
  const Reply back =
      call("POST", base + "/undo", token, Json::object(), {{"Idempotency-Key", "k4"}});
  EXPECT_EQ(back["served"]["draft"], (Json{{"rating", 4.0}}));
  EXPECT_EQ(
      call("POST", slot + "/skip", token, {{"reason", "unclear"}}, {{"Idempotency-Key", "k5"}})
          .status,
      200);
  const std::string manager = session_of(Role::kManager);
  const std::string own = call("GET", "/api/me", token)["account"].dump();
  const std::string others = call("GET", "/api/me", manager)["account"].dump();
  EXPECT_EQ(call("GET", slot, token, {}, {{"X-Plumb-Account", own}}).status, 200);
  EXPECT_EQ(call("PUT", slot + "/answer", token, answer,
                 {{"Idempotency-Key", "k6"}, {"X-Plumb-Account", others}})
                .status,
            401)
      << "written for somebody else";
  const Reply status = call("GET", base + "/status", manager);
  EXPECT_EQ(status["annotators"][0]["skipped"], 1) << status.body;
  EXPECT_EQ(call("GET", slot, session_of(Role::kAnnotator, "other")).status, 403)
      << "another's slot";
}

TEST_F(ServerTest, AnAnnotatorIsNotToldWhichItemsAreChecks) {
  const std::string token = session_of(Role::kAnnotator);
  const std::string base = fmt::format("/api/studies/{}", study_id("demo"));
  const std::set<std::string> shown = {"slot",     "task",     "kind",      "instruction",
                                       "item",     "training", "guideline", "lease_until_ms",
                                       "revision", "draft",    "answer"};
  for (int i = 0; i < 15; ++i) {
    const Json served = call("POST", base + "/next", token)["served"];
    for (const auto& [field, value] : served.items()) EXPECT_TRUE(shown.contains(field)) << field;
    EXPECT_EQ(served["training"], false);
    for (const auto& [field, value] : served["item"].items()) {
      EXPECT_TRUE(field == "id" || field == "text1" || field == "text2") << field;
    }
    const std::string slot = fmt::format("{}/slots/{}", base, served["slot"].get<int>());
    const Reply saved = call("PUT", slot + "/answer", token, {{"answer", {{"rating", 2}}}},
                             {{"Idempotency-Key", fmt::format("{}", i)}});
    EXPECT_FALSE(saved.body.contains("feedback"));
  }
  EXPECT_GT(study::testing::count_of(*store_, "SELECT COUNT(*) FROM slots WHERE purpose = 'gold'"),
            0);
}

TEST_F(ServerTest, RequestsOfOtherSitesAreRefused) {
  const std::string token = session_of(Role::kOwner);
  for (const Route& route : routes()) {
    const std::string method(route.method), path = path_of(route, study_id("demo"), 1);
    const std::string body = method == "GET" ? "" : "{}";
    std::vector<httplib::Headers> foreign = {
        own_headers(token, {{"Origin", "https://evil.example"}}),
        own_headers(token, {{"Origin", "null"}}), own_headers(token, {{"Host", "evil.example"}}),
        own_headers(token, {{"Host", fmt::format("evil.example:{}", server_->port())}})};
    if (method != "GET") {
      foreign.push_back({{"Cookie", "plumb=" + token}});
      foreign.push_back(own_headers(token, {{"Sec-Fetch-Site", "cross-site"}}));
      foreign.push_back(own_headers(token, {{"Sec-Fetch-Site", "same-site"}}));
    }
    for (const httplib::Headers& headers : foreign) {
      EXPECT_EQ(send(method, path, body, headers).status, 403) << method << " " << path;
    }
  }
  const std::string own = fmt::format("http://127.0.0.1:{}", server_->port());
  EXPECT_EQ(call("GET", "/api/me", token, Json::object(), {{"Origin", own}}).status, 200);
}

TEST_F(ServerTest, EveryReplyCarriesItsHeaders) {
  for (const char* path : {"/api/me", "/nothing", "/api/openapi.json"}) {
    const Reply reply = call("GET", path, "");
    const auto header = [&reply](const char* name) {
      const auto found = reply.headers.find(name);
      return found == reply.headers.end() ? std::string() : found->second;
    };
    EXPECT_TRUE(header("Content-Security-Policy").starts_with("default-src 'none'")) << path;
    EXPECT_EQ(header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header("Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(header("Cache-Control"), "no-store");
  }
}

TEST_F(ServerTest, ThePageIsSentFromMemoryUnderTheSameHeaders) {
  httplib::Client client("127.0.0.1", server_->port());
  const auto page = client.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page->get_header_value("Cache-Control"), "no-cache");
  EXPECT_TRUE(page->get_header_value("Content-Security-Policy").find("script-src 'self'") !=
              std::string::npos);
  EXPECT_EQ(page->body, page_file("/")->plain);
  const auto again = client.Get("/", {{"If-None-Match", page->get_header_value("ETag")}});
  EXPECT_EQ(again->status, 304);
  EXPECT_TRUE(again->body.empty());
  const std::size_t begin = page->body.find("/assets/");
  const std::string script = page->body.substr(begin, page->body.find('"', begin) - begin);
  const auto packed = client.Get(script, {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(packed->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(packed->body, page_file(script)->plain) << "the client unpacks it";
  EXPECT_TRUE(packed->get_header_value("Cache-Control").ends_with("immutable"));
  EXPECT_EQ(client.Get("/assets/../../etc/passwd")->status, 404);
  EXPECT_EQ(client.Get("/", {{"Host", "evil.example"}})->status, 403);
}

TEST_F(ServerTest, OwnProgressCountsTheOthersApart) {
  const std::string one = session_of(Role::kAnnotator, "other");
  const std::string two = session_of(Role::kAnnotator, "other");
  const std::string base = fmt::format("/api/studies/{}", study_id("other"));
  const auto answer = [&](const std::string& token, const std::string& key) {
    const auto slot = call("POST", base + "/next", token)["served"]["slot"].get<int>();
    const Reply saved = call("PUT", fmt::format("{}/slots/{}/answer", base, slot), token,
                             {{"answer", {{"rating", 2}}}}, {{"Idempotency-Key", key}});
    EXPECT_EQ(saved.status, 200) << saved.error();
    return slot;
  };
  const int first = answer(one, "a"), second = answer(one, "b");
  answer(two, "c");
  const Reply progress = call("GET", base + "/progress", one);
  EXPECT_EQ(progress["answered"], 2);
  EXPECT_EQ(progress["others"], 1);
  EXPECT_EQ(progress["slots"], 40);
  EXPECT_EQ(progress["recent"], (Json{first, second}));
  EXPECT_EQ(progress["state"], "open");
  EXPECT_EQ(call("POST", base + "/undo", one, Json::object(), {{"Idempotency-Key", "u"}}).status,
            200);
  EXPECT_EQ(call("GET", base + "/progress", one)["recent"], Json{first});
}

TEST_F(ServerTest, WhatCannotBeReadIsRefused) {
  const std::string token = session_of(Role::kOwner);
  EXPECT_EQ(send("POST", "/api/login", "{\"name\":", own_headers("")).status, 400);
  EXPECT_EQ(send("POST", "/api/login", "[1]", own_headers("")).status, 400);
  EXPECT_EQ(
      send("POST", "/api/login", "{\"a\":" + std::string(100'000, '['), own_headers("")).status,
      400);
  EXPECT_EQ(call("POST", "/api/login", "").status, 400);
  EXPECT_EQ(call("PUT", "/api/me", token).status, 405);
  EXPECT_EQ(call("GET", "/api/studies/99999999999999999999", token).status, 404);
  EXPECT_EQ(call("GET", "/api/studies/999", token).status, 404);
  EXPECT_EQ(call("GET", "/etc/passwd", token).status, 404);
  EXPECT_EQ(call("GET", "/api/me", token, Json::object(), {{"If-Match", "\"x\""}}).status, 400);
  const Reply large =
      send("POST", "/api/login", std::string((16U << 20U) + 1, ' '), own_headers(""));
  EXPECT_EQ(large.status, 413);
}

TEST_F(ServerTest, SessionsBeginWithAPasswordAndEnd) {
  session_of(Role::kViewer);
  const Json right = {{"name", last_name_}, {"password", kPassword}};
  const Reply in = call("POST", "/api/login", "", right);
  ASSERT_EQ(in.status, 200) << in.error();
  EXPECT_EQ(in["role"], "viewer");
  const std::string cookie = in.headers.find("Set-Cookie")->second;
  EXPECT_NE(cookie.find("; HttpOnly; SameSite=Lax; Path=/"), std::string::npos) << cookie;
  const std::string token = cookie.substr(6, cookie.find(';') - 6);
  EXPECT_EQ(call("GET", "/api/me", token)["name"], last_name_);
  EXPECT_EQ(study::testing::count_of(*store_, fmt::format("SELECT COUNT(*) FROM sessions WHERE "
                                                          "token_sha256 = '{}'",
                                                          token)),
            0)
      << "tokens are stored hashed";
  EXPECT_EQ(call("POST", "/api/logout", token).status, 200);
  EXPECT_EQ(call("GET", "/api/me", token).status, 401);
  const std::string idle = session_of(Role::kViewer), busy = session_of(Role::kViewer);
  for (int hours = 0; hours < 13 * 24; hours += 10) {
    now_ += 10LL * 3600 * 1000;
    EXPECT_EQ(call("GET", "/api/me", busy).status, 200) << hours;
  }
  EXPECT_EQ(call("GET", "/api/me", idle).status, 401);
  now_ += 40LL * 3600 * 1000;
  EXPECT_EQ(call("GET", "/api/me", busy).status, 401);
}

TEST_F(ServerTest, AnInvitationWorksOnceAndNotForEver) {
  const std::string manager = session_of(Role::kManager);
  const auto invite = [&] {
    const Reply reply = call("POST", "/api/invitations", manager,
                             {{"role", "annotator"}, {"study", study_id("demo")}});
    EXPECT_EQ(reply.status, 200) << reply.error();
    return reply["token"].get<std::string>();
  };
  const auto accept = [&](const std::string& token, const std::string& name) {
    return call("POST", "/api/invitations/accept", "",
                {{"token", token}, {"name", name}, {"password", kPassword}});
  };
  const std::string token = invite();
  const Reply accepted = accept(token, "ann");
  EXPECT_EQ(accepted.status, 200) << accepted.error();
  EXPECT_EQ(accepted["role"], "annotator");
  EXPECT_EQ(accept(token, "bob").status, 404);
  EXPECT_EQ(accept(invite(), "ann").status, 403) << "the name is taken";
  EXPECT_EQ(accept(*random_token(), "bob").status, 404);
  const std::string old = invite();
  now_ += study::kInvitationMs + 1;
  EXPECT_EQ(accept(old, "bob").status, 404);
  EXPECT_TRUE(Study::open(*store_, "demo")->annotator("R1")) << "people have pseudonyms";
}

TEST_F(ServerTest, ExportsAreStreamed) {
  const std::string token = session_of(Role::kManager);
  httplib::Client client("127.0.0.1", server_->port());
  const auto reply = client.Get(fmt::format("/api/studies/{}/export?format=csv", study_id("demo")),
                                own_headers(token));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_TRUE(reply->body.starts_with("task,item,rater,kind,"));
  EXPECT_NE(reply->get_header_value("Content-Disposition").find("attachment"), std::string::npos);
}

// A connection that asks for something and does not end its question.
int half_a_question(int port) {
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  constexpr std::string_view kHalf = "GET /api/openapi.json HTTP/1.1\r\n";
  EXPECT_EQ(::send(made, kHalf.data(), kHalf.size(), 0), static_cast<ssize_t>(kHalf.size()));
  return made;
}

TEST_F(ServerTest, ConnectionsThatDoNothingHoldNobodyUp) {
  std::vector<int> idle;
  for (int i = 0; i < 150; ++i) idle.push_back(half_a_question(server_->port()));
  httplib::Client client("127.0.0.1", server_->port());
  client.set_read_timeout(20, 0);  // an idle one is waited for 30 seconds
  const auto reply = client.Get("/api/openapi.json");
  EXPECT_TRUE(reply && reply->status == 200);
  for (const int one : idle) ::close(one);
}

TEST_F(ServerTest, ManyMayKnockAtOnce) {
  std::optional<unsigned> most;
  for (int socket = 3; socket < 1024; ++socket) {
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
      continue;
    }
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    if (ntohs(address.sin_port) != server_->port()) continue;
    tcp_info info{};
    size = sizeof(info);
    ASSERT_EQ(::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    most = info.tcpi_sacked;  // of a socket that listens: how many may wait
  }
  ASSERT_TRUE(most);
  EXPECT_GE(*most, 128U) << "the library's own is 5";
}

TEST_F(ServerTest, ManyWhoComeAtOnceAreAllAnswered) {
  std::atomic<int> answered{0};
  std::vector<std::thread> people;
  for (int i = 0; i < 200; ++i) {
    people.emplace_back([&] {
      httplib::Client client("127.0.0.1", server_->port());
      client.set_keep_alive(true);
      for (int again = 0; again < 3; ++again) {
        const auto reply = client.Get("/api/openapi.json");
        if (reply && reply->status == 200) ++answered;
      }
    });
  }
  for (std::thread& one : people) one.join();
  EXPECT_EQ(answered, 600);
}

TEST_F(ServerTest, AStopWaitsForNoIdleConnection) {
  httplib::Client client("127.0.0.1", server_->port());
  client.set_keep_alive(true);
  ASSERT_TRUE(client.Get("/api/openapi.json"));
  const int asking = half_a_question(server_->port());
  server_->stop();
  EXPECT_TRUE(server_->ends_within(std::chrono::seconds(20)));
  char byte = 0;
  EXPECT_LE(::recv(asking, &byte, 1, 0), 1) << "it hears the end, or that it asked badly";
  ::close(asking);
}

TEST(ServerStart, IsRefusedWhereItWouldBeOpenToAllOrThePortIsTaken) {
  const study::testing::Folder folder;
  auto store = *study::Store::open(folder / "s.db", {.mode = study::Store::Mode::kCreate});
  EXPECT_EQ(Server::start(*store, {.host = "0.0.0.0", .port = 0}).error().kind, ErrorKind::kUsage);
  const auto first = Server::start(*store, {.port = 0});
  ASSERT_TRUE(first);
  const auto second = Server::start(*store, {.port = (*first)->port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
}

}  // namespace
}  // namespace plumb::server
