// Accounts over HTTP: who may no longer sign in, passwords, tokens of programs.
#include <gtest/gtest.h>

#include "plumb/server/testing.h"

namespace plumb::server {
namespace {

using study::Role;
using testing::kPassword;
using testing::Reply;

class PeopleApi : public testing::ServerFixture {
 protected:
  std::int64_t id_of(const std::string& name) { return (*accounts_.find(name))->id; }
  std::string account_path(const std::string& name, const char* what) {
    return fmt::format("/api/accounts/{}/{}", id_of(name), what);
  }
  Reply with_bearer(const std::string& method, const std::string& path, const std::string& secret,
                    const Json& body = Json::object()) {
    return send(method, path, method == "GET" ? "" : to_text(body),
                {{"Authorization", "Bearer " + secret}});
  }
  Reply sign_in(const std::string& name, const std::string& password) {
    return call("POST", "/api/login", "", {{"name", name}, {"password", password}});
  }
};

TEST_F(PeopleApi, ADisabledAccountIsOutAtOnceAndCanBeLetInAgain) {
  const std::string owner = session_of(Role::kOwner), annotator = session_of(Role::kAnnotator);
  const std::string name = last_name_;
  const Reply made =
      call("POST", "/api/me/tokens", annotator, {{"name", "script"}, {"role", "annotator"}});
  ASSERT_EQ(made.status, 200) << made.error();
  const auto secret = made["secret"].get<std::string>();
  EXPECT_EQ(with_bearer("GET", "/api/me", secret).status, 200);
  ASSERT_EQ(call("POST", account_path(name, "disable"), owner)["disabled"], true);
  EXPECT_EQ(call("GET", "/api/me", annotator).status, 401);
  EXPECT_EQ(with_bearer("GET", "/api/me", secret).status, 401);
  EXPECT_EQ(sign_in(name, kPassword).status, 401);
  const Json list = call("GET", "/api/accounts", owner)["accounts"];
  EXPECT_EQ(list.back()["name"], name);
  EXPECT_EQ(list.back()["disabled"], true);
  EXPECT_EQ(to_text(list).find("argon2"), std::string::npos) << "no hash leaves the server";
  ASSERT_EQ(call("POST", account_path(name, "enable"), owner)["disabled"], false);
  EXPECT_EQ(call("GET", "/api/me", annotator).status, 401) << "the session stays ended";
  EXPECT_EQ(with_bearer("GET", "/api/me", secret).status, 401) << "so does the token";
  EXPECT_EQ(sign_in(name, kPassword).status, 200);
}

TEST_F(PeopleApi, NobodyIsDisabledFromBelowNorByThemselves) {
  const std::string owner = session_of(Role::kOwner);
  const std::string owner_name = last_name_;
  const std::string manager = session_of(Role::kManager);
  const std::string manager_name = last_name_;
  session_of(Role::kManager);
  EXPECT_EQ(call("POST", account_path(owner_name, "disable"), manager).status, 403);
  EXPECT_EQ(call("POST", account_path(last_name_, "disable"), manager).status, 403);
  EXPECT_EQ(call("POST", account_path(owner_name, "disable"), owner).status, 403);
  EXPECT_EQ(call("POST", account_path(manager_name, "disable"), owner).status, 200);
  EXPECT_EQ(call("POST", "/api/accounts/999/disable", owner).status, 404);
  EXPECT_EQ(accounts_.set_disabled(id_of(owner_name), true).error().kind, ErrorKind::kNotAllowed)
      << "the last owner";
}

TEST_F(PeopleApi, AChangedPasswordEndsAllOtherSessions) {
  const std::string here = session_of(Role::kViewer);
  const std::string name = last_name_;
  const std::string there = *random_token();
  ASSERT_TRUE(accounts_.start_session(id_of(name), token_hash(there)));
  const auto change = [&](const std::string& token, const char* old_one, const char* new_one) {
    return call("PUT", "/api/me/password", token, {{"old", old_one}, {"new", new_one}});
  };
  EXPECT_EQ(change(here, "not the password", "another password").status, 403);
  EXPECT_EQ(change(here, kPassword, "short").status, 400);
  EXPECT_EQ(call("PUT", "/api/me/password", here, {{"old", kPassword}}).status, 400);
  const Reply changed = change(here, kPassword, "another password");
  ASSERT_EQ(changed.status, 200) << changed.error();
  EXPECT_EQ(call("GET", "/api/me", there).status, 401);
  EXPECT_EQ(call("GET", "/api/me", here).status, 401);
  const std::string cookie = changed.headers.find("Set-Cookie")->second;
  EXPECT_EQ(call("GET", "/api/me", cookie.substr(6, cookie.find(';') - 6)).status, 200);
  EXPECT_EQ(sign_in(name, kPassword).status, 401);
  EXPECT_EQ(sign_in(name, "another password").status, 200);
}

TEST_F(PeopleApi, GuessingTheOldPasswordTakesLonger) {
  const std::string here = session_of(Role::kViewer);
  const Json wrong = {{"old", "not the password"}, {"new", "another password"}};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call("PUT", "/api/me/password", here, wrong).status, 403);
  EXPECT_EQ(call("PUT", "/api/me/password", here, wrong).status, 429);
}

TEST_F(PeopleApi, ATokenActsInItsRoleUntilItEnds) {
  const std::string manager = session_of(Role::kManager);
  const std::string status = fmt::format("/api/studies/{}/status", study_id("demo"));
  const Reply made = call("POST", "/api/me/tokens", manager,
                          {{"name", "nightly"}, {"role", "viewer"}, {"days", 1}});
  ASSERT_EQ(made.status, 200) << made.error();
  const auto secret = made["secret"].get<std::string>();
  EXPECT_TRUE(secret.starts_with("plumb_"));
  EXPECT_EQ(
      study::testing::count_of(
          *store_, fmt::format("SELECT COUNT(*) FROM tokens WHERE token_sha256 = '{}'", secret)),
      0)
      << "stored hashed";
  EXPECT_EQ(with_bearer("GET", status, secret).status, 200);
  EXPECT_EQ(with_bearer("GET", "/api/me", secret)["role"], "viewer");
  const std::string freeze = fmt::format("/api/studies/{}/freeze", study_id("demo"));
  EXPECT_EQ(with_bearer("POST", freeze, secret).error(), "not for the role viewer");
  const Json list = call("GET", "/api/me/tokens", manager)["tokens"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_FALSE(list[0].contains("secret")) << "shown once";
  EXPECT_NE(list[0]["used"], nullptr);
  now_ += 25LL * 3600 * 1000;
  EXPECT_EQ(with_bearer("GET", status, secret).status, 401) << "too old";
}

TEST_F(PeopleApi, ARevokedTokenIsRefusedAndOthersTokensAreOutOfReach) {
  const std::string manager = session_of(Role::kManager), other = session_of(Role::kManager);
  const Reply made = call("POST", "/api/me/tokens", manager, {{"name", "a"}, {"role", "manager"}});
  const auto secret = made["secret"].get<std::string>();
  const std::string path = fmt::format("/api/me/tokens/{}/revoke", made["token"].get<int>());
  EXPECT_EQ(call("POST", path, other).status, 404);
  EXPECT_EQ(with_bearer("GET", "/api/me", secret).status, 200);
  EXPECT_EQ(call("POST", path, manager).status, 200);
  EXPECT_EQ(with_bearer("GET", "/api/me", secret).status, 401);
  EXPECT_EQ(with_bearer("GET", "/api/me", "plumb_" + *random_token()).status, 401);
}

TEST_F(PeopleApi, ATokenMakesNoTokensAndChangesNoPassword) {
  const std::string owner = session_of(Role::kOwner);
  const auto secret =
      call("POST", "/api/me/tokens", owner, {{"name", "a"}, {"role", "manager"}})["secret"]
          .get<std::string>();
  for (const Route& route : routes()) {
    if ((route.roles & kInPerson) == 0) continue;
    const Reply reply = with_bearer(std::string(route.method), path_of(route, 1, 1), secret);
    EXPECT_EQ(reply.status, 403) << route.pattern;
  }
}

TEST_F(PeopleApi, ATokensRoleIsNeverMoreThanItsAccounts) {
  const std::string owner = session_of(Role::kOwner), judge = session_of(Role::kAdjudicator);
  const std::string annotator = session_of(Role::kAnnotator);
  const auto status = [&](const std::string& token, const Json& body) {
    return call("POST", "/api/me/tokens", token, body).status;
  };
  EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "owner"}}), 403);
  EXPECT_EQ(status(judge, {{"name", "a"}, {"role", "manager"}}), 403);
  EXPECT_EQ(status(judge, {{"name", "a"}, {"role", "annotator"}}), 403);
  EXPECT_EQ(status(annotator, {{"name", "a"}, {"role", "viewer"}}), 403);
  EXPECT_EQ(status(judge, {{"name", "a"}, {"role", "viewer"}}), 200);
  EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "king"}}), 400);
  EXPECT_EQ(status(owner, {{"name", ""}, {"role", "viewer"}}), 400);
  EXPECT_EQ(status(owner, {{"name", "a\nb"}, {"role", "viewer"}}), 400);
  EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "viewer"}, {"days", 0}}), 400);
  EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "viewer"}, {"days", "x"}}), 400);
  EXPECT_EQ(status(owner, {{"role", "viewer"}}), 400);
  for (int i = 0; i < study::kMostTokens; ++i) {
    EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "viewer"}}), 200);
  }
  EXPECT_EQ(status(owner, {{"name", "a"}, {"role", "viewer"}}), 400) << "too many";
}

TEST_F(PeopleApi, ATokenWorksWithoutTheHeaderThatPagesSendButFromNoOtherSite) {
  const std::string owner = session_of(Role::kOwner);
  const auto secret =
      call("POST", "/api/me/tokens", owner, {{"name", "a"}, {"role", "manager"}})["secret"]
          .get<std::string>();
  const std::string path = fmt::format("/api/studies/{}/guidelines", study_id("demo"));
  EXPECT_EQ(with_bearer("PUT", path, secret, {{"markdown", "x"}}).status, 200);
  EXPECT_EQ(send("PUT", path, R"({"markdown":"y"})",
                 {{"Authorization", "Bearer " + secret}, {"Origin", "https://evil.example"}})
                .status,
            403);
  EXPECT_EQ(send("PUT", path, R"({"markdown":"y"})",
                 {{"Authorization", "Bearer x"}, {"Cookie", "plumb=" + owner}})
                .status,
            401)
      << "a made-up token does not open the way for a cookie";
}

TEST_F(PeopleApi, AnotherRoleEndsSessionsAndIsGivenFromAbove) {
  const std::string owner = session_of(Role::kOwner);
  const std::string owner_name = last_name_;
  const std::string manager = session_of(Role::kManager);
  const std::string manager_name = last_name_;
  const std::string viewer = session_of(Role::kViewer);
  const std::string viewer_name = last_name_;
  const auto change = [&](const std::string& who, const std::string& whom, const char* role) {
    return call("PUT", account_path(whom, "role"), who, {{"role", role}}).status;
  };
  EXPECT_EQ(change(manager, viewer_name, "manager"), 403) << "not above themselves";
  EXPECT_EQ(change(manager, owner_name, "viewer"), 403);
  EXPECT_EQ(change(manager, manager_name, "viewer"), 403);
  EXPECT_EQ(change(owner, owner_name, "viewer"), 403) << "nobody themselves";
  EXPECT_EQ(change(manager, viewer_name, "emperor"), 400);
  EXPECT_EQ(change(manager, viewer_name, "annotator"), 403) << "nobody judges their own answers";
  ASSERT_EQ(change(manager, viewer_name, "adjudicator"), 200);
  EXPECT_EQ(call("GET", "/api/me", viewer).status, 401) << "signs in anew";
  EXPECT_EQ(sign_in(viewer_name, kPassword)["role"], "adjudicator");
  EXPECT_EQ(change(owner, viewer_name, "manager"), 200);
  session_of(Role::kAnnotator);
  EXPECT_EQ(change(owner, last_name_, "viewer"), 403) << "annotators stay annotators";
  EXPECT_EQ(accounts_.set_role(id_of(owner_name), Role::kViewer).error().kind,
            ErrorKind::kNotAllowed)
      << "the last owner";
}

TEST_F(PeopleApi, AnInvitationThatWaitsCanBeTakenBack) {
  const std::string manager = session_of(Role::kManager);
  const std::string name = last_name_;
  const auto invite = [&](const Json& body) {
    return call("POST", "/api/invitations", manager, body)["token"].get<std::string>();
  };
  const auto accept = [&](const std::string& token, const char* who) {
    return call("POST", "/api/invitations/accept", "",
                {{"token", token}, {"name", who}, {"password", kPassword}})
        .status;
  };
  const std::string used = invite({{"role", "viewer"}});
  const std::string kept = invite({{"role", "annotator"}, {"study", study_id("demo")}});
  ASSERT_EQ(accept(used, "first"), 200);
  const Json list = call("GET", "/api/invitations", manager)["invitations"];
  ASSERT_EQ(list.size(), 1U) << "the used one is gone";
  EXPECT_EQ(list[0]["role"], "annotator");
  EXPECT_EQ(list[0]["study"], study_id("demo"));
  EXPECT_EQ(list[0]["invited_by"], name);
  EXPECT_EQ(to_text(list).find(kept), std::string::npos) << "no link leaves the server again";
  const Json which = {{"invitation", list[0]["invitation"]}};
  ASSERT_EQ(call("POST", "/api/invitations/revoke", manager, which).status, 200);
  EXPECT_EQ(accept(kept, "second"), 404);
  EXPECT_EQ(call("POST", "/api/invitations/revoke", manager, which).status, 404);
  EXPECT_EQ(
      call("POST", "/api/invitations/revoke", manager, {{"invitation", token_hash(used)}}).status,
      404)
      << "an account's invitation stays";
  invite({{"role", "viewer"}});
  now_ += study::kInvitationMs + 1;
  EXPECT_TRUE(call("GET", "/api/invitations", session_of(Role::kManager))["invitations"].empty());
}

TEST_F(PeopleApi, APreviewIsWhatGuidelinesWillLookLike) {
  const std::string manager = session_of(Role::kManager);
  const std::string path = fmt::format("/api/studies/{}/guidelines", study_id("demo"));
  const Json body = {{"markdown", "# Rules\n\nBe *kind* <b>x</b>"}};
  const Json preview = call("POST", "/api/guidelines/preview", manager, body)["blocks"];
  EXPECT_EQ(preview[0]["type"], "heading");
  ASSERT_EQ(call("PUT", path, manager, body).status, 200);
  EXPECT_EQ(call("GET", path, manager)["blocks"], preview);
  EXPECT_EQ(call("POST", "/api/guidelines/preview", manager,
                 {{"markdown", std::string((1 << 20) + 1, 'x')}})
                .status,
            422);
}

}  // namespace
}  // namespace plumb::server
