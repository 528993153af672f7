// A demonstration: anybody on this machine answers, and sees where they stand.
#include <gtest/gtest.h>

#include "plumb/server/testing.h"
#include "plumb/study/review/models.h"

namespace plumb::server {
namespace {

using study::Role;
using study::Study;
using testing::Reply;

class DemoApi : public testing::ServerFixture {
 protected:
  std::string token_of(const Reply& reply) {
    const auto found = reply.headers.find("Set-Cookie");
    if (found == reply.headers.end()) return "";
    return found->second.substr(6, found->second.find(';') - 6);
  }

  void answer(const std::string& token, int count) {
    const std::string base = fmt::format("/api/studies/{}", study_id("other"));
    for (int i = 0; i < count; ++i) {
      const Json served = call("POST", base + "/next", token)["served"];
      ASSERT_TRUE(served.is_object());
      const int rating = served["item"]["id"].get<std::string>().back() % 5;
      const Reply saved =
          call("PUT", fmt::format("{}/slots/{}/answer", base, served["slot"].get<int>()), token,
               {{"answer", {{"rating", rating}}}},
               {{"Idempotency-Key", fmt::format("{}", served["slot"].get<int>())}});
      ASSERT_EQ(saved.status, 200) << saved.error();
    }
  }
};

TEST_F(DemoApi, IsNotThereUnlessTheServerWasStartedForIt) {
  EXPECT_EQ(call("GET", "/api/demo", "")["demo"], false);
  EXPECT_EQ(call("POST", "/api/demo", "").status, 404);
  for (const Role role : study::kRoles) {
    const int status = call("GET", "/api/demo/standing", session_of(role)).status;
    EXPECT_EQ(status, role == Role::kAnnotator ? 404 : 403);
  }
}

TEST_F(DemoApi, GivesAVisitorASessionOfTheirOwnAndKeepsIt) {
  start({.demo = study_id("other")});
  EXPECT_EQ(call("GET", "/api/demo", "")["study"], study_id("other"));
  const Reply first = call("POST", "/api/demo", "");
  ASSERT_EQ(first.status, 200) << first.error();
  EXPECT_EQ(first["role"], "annotator");
  const std::string cookie = first.headers.find("Set-Cookie")->second;
  EXPECT_NE(cookie.find("; HttpOnly; SameSite=Lax; Path=/"), std::string::npos) << cookie;
  const std::string token = token_of(first);
  EXPECT_EQ(call("POST", "/api/demo", token)["name"], first["name"]) << "no second account";
  EXPECT_EQ(call("POST", fmt::format("/api/studies/{}/next", study_id("demo")), token).status, 404)
      << "other studies stay closed";
  EXPECT_EQ(call("POST", "/api/login", "", {{"name", first["name"]}, {"password", ""}}).status, 401)
      << "nobody signs in as a visitor";
  EXPECT_NE(call("POST", "/api/demo", "")["name"], first["name"]);
  EXPECT_EQ(call("POST", "/api/demo", "").status, 403) << "there are two slots an item";
  EXPECT_EQ(send("POST", "/api/demo", "{}", {}).status, 403) << "not from a form";
}

TEST_F(DemoApi, ShowsAVisitorsScoreAmongTheModelsAfterTwentyAnswers) {
  const Study other = *Study::open(*store_, "other");
  const tasks::Task task = study::load_sheets(other, other.tasks()[0])->task;
  tasks::AnswerSheet model{.rater = "oracle", .kind = tasks::RaterKind::kModel};
  for (const tasks::Item& item : task.items) model.answers.emplace_back(item.gold);
  ASSERT_TRUE(study::attach_models(other, other.tasks()[0], task, {&model, 1}, "plumb"));
  start({.demo = other.info().id});
  const std::string token = token_of(call("POST", "/api/demo", ""));
  const std::string neighbour = token_of(call("POST", "/api/demo", ""));
  answer(neighbour, 5);
  answer(token, 19);
  const Reply early = call("GET", "/api/demo/standing", token);
  EXPECT_EQ(early["ready"], false);
  EXPECT_EQ(early["answers"], 19);
  EXPECT_FALSE(early.body.contains("tasks"));
  answer(token, 1);
  const Reply standing = call("GET", "/api/demo/standing", token);
  ASSERT_EQ(standing["ready"], true) << standing.body;
  const Json gap = standing["tasks"][0];
  EXPECT_EQ(gap["schema"], "plumb.item-gap/1");
  const Json human = gap["rows"][0];
  EXPECT_EQ(human["kind"], "human");
  EXPECT_EQ(human["n"], 20);
  EXPECT_TRUE(human["ci"].is_array()) << human;
  EXPECT_EQ(human["sheets"], 1) << "the neighbour's answers are not among them";
  EXPECT_EQ(to_text(standing.body).find("R2"), std::string::npos);
  const auto oracle =
      std::ranges::find_if(gap["rows"], [](const Json& row) { return row["kind"] == "model"; });
  ASSERT_TRUE(oracle != gap["rows"].end());
  EXPECT_EQ((*oracle)["name"], "oracle");
  EXPECT_DOUBLE_EQ((*oracle)["score"].get<double>(), 1);
}

TEST_F(DemoApi, IsForThisMachineAlone) {
  const auto refused = Server::start(
      *store_, {.port = 0, .public_url = "https://studio.example.org", .demo = study_id("other")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace plumb::server
