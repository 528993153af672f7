// A server with two studies, as a browser or a program sees it; for tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "plumb/server/api.h"
#include "plumb/server/server.h"
#include "plumb/study/create.h"
#include "plumb/study/testing.h"

namespace plumb::server::testing {

using study::Accounts;
using study::Role;
using study::Study;

inline constexpr PasswordCost kCheap{1, std::size_t{8} << 10};
inline constexpr const char* kPassword = "correct horse battery";

struct Reply {
  int status = 0;
  Json body;
  httplib::Headers headers;

  std::string error() const { return body.is_object() ? body.value("error", "") : ""; }
  Json operator[](const char* field) const {
    return body.is_object() && body.contains(field) ? body[field] : Json();
  }
};

class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture()
      : store_(*study::Store::open(
            folder_ / "studio.db",
            {.mode = study::Store::Mode::kCreate, .clock = [this] { return now_.load(); }})),
        accounts_(*store_) {
    for (const char* name : {"demo", "other"}) {
      auto task = study::testing::some_task(tasks::Kind::kSts, 20);
      auto gold = task;
      for (auto& item : gold.items) item.id = "known " + item.id;
      study::StudyPlan plan{.name = name, .tasks = {task}, .overlap = 2};
      if (plan.name == "demo") {
        plan.gold = {gold};
        plan.gold_rate = 0.3;
      }
      const auto made = create_study(*store_, plan);
      EXPECT_TRUE(made) << made.error().message;
    }
    start({});
  }

  // Anew, with these options beside those of every test.
  void start(ServerOptions options) {
    options.port = 0;
    options.cost = kCheap;
    options.clock = [this] { return now_.load(); };
    server_.reset();
    auto server = Server::start(*store_, options);
    EXPECT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  std::int64_t study_id(const std::string& name) { return Study::open(*store_, name)->info().id; }

  // An account of the role with a session; an annotator of the study "demo".
  std::string session_of(Role role, const std::string& study = "demo") {
    const std::string token = *random_token(), invitation = *random_token();
    const std::string name = fmt::format("{} {}", role_name(role), ++made_);
    const std::string hash = *hash_password(kPassword, kCheap);
    auto account = [&]() -> Result<study::Account> {
      if (role != Role::kAnnotator) return accounts_.create(name, role, hash);
      EXPECT_TRUE(accounts_.invite(token_hash(invitation), role, study_id(study), std::nullopt));
      return accounts_.accept(token_hash(invitation), name, hash);
    }();
    EXPECT_TRUE(account) << account.error().message;
    EXPECT_TRUE(accounts_.start_session(account->id, token_hash(token)));
    last_name_ = name;
    return token;
  }

  static httplib::Headers own_headers(const std::string& token, httplib::Headers more = {}) {
    more.emplace("X-Plumb", "1");
    if (!token.empty()) more.emplace("Cookie", "plumb=" + token);
    return more;
  }

  Reply send(const std::string& method, const std::string& path, const std::string& body,
             const httplib::Headers& headers) {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_tcp_nodelay(true);
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.headers = headers;
    request.body = body;
    if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
    const auto result = client.send(request);
    if (!result) return {};
    return {result->status, Json::parse(result->body, nullptr, false), result->headers};
  }

  Reply call(const std::string& method, const std::string& path, const std::string& token,
             const Json& body = Json::object(), const httplib::Headers& more = {}) {
    return send(method, path, method == "GET" ? "" : to_text(body), own_headers(token, more));
  }

  static std::string path_of(const Route& route, std::int64_t study, std::int64_t slot) {
    std::string path(route.pattern);
    for (const auto& [name, id] :
         {std::pair("{study}", study), std::pair("{slot}", slot), std::pair("{item}", slot),
          std::pair("{account}", std::int64_t{999}), std::pair("{token}", std::int64_t{999})}) {
      const std::size_t at = path.find(name);
      if (at != std::string::npos) path.replace(at, std::string(name).size(), std::to_string(id));
    }
    return path;
  }

  study::testing::Folder folder_;
  std::atomic<std::int64_t> now_ = 1'700'000'000'000;
  std::unique_ptr<study::Store> store_;
  Accounts accounts_;
  std::unique_ptr<Server> server_;
  std::string last_name_;
  int made_ = 0;
};

}  // namespace plumb::server::testing
