// Who guesses passwords.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "plumb/server/testing.h"

namespace plumb::server {
namespace {

using study::Role;
using testing::kPassword;
using testing::Reply;

class Guesses : public testing::ServerFixture {};

TEST_F(Guesses, TakeLonger) {
  session_of(Role::kViewer);
  const Json wrong = {{"name", last_name_}, {"password", "not the password"}};
  const Json unknown = {{"name", "nobody"}, {"password", "not the password"}};
  EXPECT_EQ(call("POST", "/api/login", "", unknown).error(),
            call("POST", "/api/login", "", wrong).error());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call("POST", "/api/login", "", wrong).status, 401);
  const Json right = {{"name", last_name_}, {"password", kPassword}};
  const Reply refused = call("POST", "/api/login", "", right);
  EXPECT_EQ(refused.status, 429) << "five failures of one address";
  EXPECT_EQ(refused.headers.find("Retry-After")->second, "60");
  now_ += 60'000;
  EXPECT_EQ(call("POST", "/api/login", "", right).status, 200);
}

TEST_F(Guesses, BehindAProxyAreCountedByTheAddressThatTheProxySaw) {
  session_of(Role::kViewer);
  const Json wrong = {{"name", "nobody"}, {"password", "not the password"}};
  const Json right = {{"name", last_name_}, {"password", kPassword}};
  const auto sign_in = [&](const Json& body, const std::string& forwarded) {
    return call("POST", "/api/login", "", body, {{"X-Forwarded-For", forwarded}}).status;
  };
  start({.public_url = "https://studio.example.org"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(sign_in(wrong, fmt::format("198.51.100.{}, 203.0.113.7", i)), 401)
        << "whatever the client says before it";
  }
  EXPECT_EQ(sign_in(right, "203.0.113.7"), 429);
  EXPECT_EQ(sign_in(right, "203.0.113.8, 203.0.113.7 "), 429);
  EXPECT_EQ(call("POST", "/api/login", "", right,
                 {{"X-Forwarded-For", "203.0.113.8"}, {"X-Forwarded-For", "203.0.113.7"}})
                .status,
            429);
  EXPECT_EQ(sign_in(right, "203.0.113.7, 203.0.113.8"), 200) << "somebody else";
  start({});
  for (int i = 0; i < 5; ++i) sign_in(wrong, fmt::format("203.0.113.{}", i));
  EXPECT_EQ(sign_in(right, "203.0.113.8"), 429) << "without a proxy anybody can write the header";
}

TEST_F(Guesses, ThatWaitForTheirTurnAreCountedBeforeTheyAreTried) {
  session_of(Role::kViewer);
  LoginLimiter limiter([this] { return now_.load(); });
  Views views(*store_);
  Context context{*store_, limiter, views, testing::kCheap};
  const auto tried_of = [&](const char* path, const Json& body) {
    Request request;
    request.body = body;
    request.address = "203.0.113.7";
    request.account = *accounts_.find(last_name_);
    const auto route = match(body.contains("old") ? "PUT" : "POST", path);
    std::atomic<int> tried{0};
    std::vector<std::thread> guesses;
    context.hashing.acquire();
    context.hashing.acquire();
    for (int i = 0; i < 20; ++i) {
      guesses.emplace_back([&] {
        const auto reply = route->route->handler(context, request);
        tried += reply && reply->status == 429 ? 0 : 1;
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // all have come
    context.hashing.release(2);
    for (std::thread& guess : guesses) guess.join();
    now_ += 3'600'000;
    return tried.load();
  };
  constexpr int kMost = 6;  // five failures, and one more beside the fifth
  const Json sign_in = {{"name", last_name_}, {"password", "not the password"}};
  EXPECT_LE(tried_of("/api/login", sign_in), kMost);
  const Json change = {{"old", "not the password"}, {"new", "another password"}};
  EXPECT_LE(tried_of("/api/me/password", change), kMost);
  const Json accept = {{"token", "none"}, {"name", "new"}, {"password", kPassword}};
  EXPECT_LE(tried_of("/api/invitations/accept", accept), kMost);
}

}  // namespace
}  // namespace plumb::server
