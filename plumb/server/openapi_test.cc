#include <gtest/gtest.h>

#include "plumb/base/files.h"
#include "plumb/server/testing.h"

namespace plumb::server {
namespace {

using study::Role;
using testing::Reply;

class OpenApi : public testing::ServerFixture {};

TEST_F(OpenApi, NamesEveryRoute) {
  const Json described = call("GET", "/api/openapi.json", "").body;
  EXPECT_EQ(described["openapi"], "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : described["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, routes().size());
  const auto kept = read_file("docs/openapi.json");
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(Json::parse(*kept)["paths"], described["paths"])
      << "docs/openapi.json is behind: curl the server's /api/openapi.json into it";
}

// What the description calls required is what is asked for first where nothing is sent.
TEST_F(OpenApi, RequiresWhatIsAskedFor) {
  std::size_t asked = 0;
  for (const Route& route : routes()) {
    if (route.takes.body.empty()) continue;
    const Json path = openapi()["paths"][std::string(route.pattern)];
    const Json& operation = path[route.method == "PUT" ? "put" : "post"];
    const Json schema = operation["requestBody"]["content"]["application/json"]["schema"];
    const bool looks_first = route.pattern.find("{account}") != std::string_view::npos;
    if (schema["required"].empty() || route.takes.keyed || looks_first) continue;
    const std::string first = schema["required"][0];
    if (schema["properties"][first]["type"] != "string") continue;
    const Role role = (route.roles & bit(Role::kOwner)) != 0 ? Role::kOwner : Role::kAnnotator;
    const std::string token = route.roles == kOpen ? "" : session_of(role);
    const Reply reply = call(std::string(route.method), path_of(route, study_id("demo"), 1), token);
    EXPECT_EQ(reply.status, 400) << route.pattern << " " << reply.error();
    EXPECT_NE(reply.error().find(fmt::format("\"{}\"", first)), std::string::npos)
        << route.pattern << " " << reply.error();
    ++asked;
  }
  EXPECT_GE(asked, 10U);
}

}  // namespace
}  // namespace plumb::server
