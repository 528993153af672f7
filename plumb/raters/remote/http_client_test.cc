#include "plumb/raters/remote/http_client.h"

#include <gtest/gtest.h>

#include <latch>

#include "plumb/base/parallel.h"
#include "plumb/raters/remote/remote_spec.h"
#include "plumb/raters/remote/testing_server.h"

namespace plumb::raters {
namespace {

using testing::Answered;
using testing::Asked;
using testing::FakeTime;
using testing::LocalServer;
using testing::RawServer;

constexpr const char* kKey = "sk-secret-0123456789";

struct Fixture {
  FakeTime time;
  HttpOptions options;

  explicit Fixture(int tries = 4) {
    options.tries = tries;
    options.api_key = kKey;
    options.clock = time.clock();
    options.first_pause_seconds = 1;
  }

  Result<HttpReply> post(const HttpAddress& address, const Json& body = {{"a", 1}}) {
    return HttpClient::make(address, options).value()->post("/embeddings", body, 0, {});
  }
};

std::string head_of(std::size_t length) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", length);
}

TEST(HttpClient, PostsJsonWithTheKeyInItsHeaderAlone) {
  LocalServer server([](const Asked& asked, std::size_t) {
    return Answered{.body = to_text(Json{{"got", asked.body}})};
  });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_TRUE(reply->accepted());
  EXPECT_EQ(reply->body["got"]["a"], 1);
  ASSERT_EQ(server.requests(), 1u);
  EXPECT_EQ(server.asked()[0].path, "/v1/embeddings");
  EXPECT_EQ(server.asked()[0].authorization, fmt::format("Bearer {}", kKey));
}

TEST(HttpClient, WithoutAKeySendsNoAuthorization) {
  LocalServer server([](const Asked&, std::size_t) { return Answered{}; });
  Fixture fixture;
  fixture.options.api_key = "";
  ASSERT_TRUE(fixture.post(server.address()));
  EXPECT_EQ(server.asked()[0].authorization, "");
}

TEST(HttpClient, TriesAgainAfterServerErrorsWithPausesThatDouble) {
  LocalServer server([](const Asked&, std::size_t number) {
    return number < 3 ? Answered{.status = 500, .body = "{\"error\":\"busy\"}"} : Answered{};
  });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(server.requests(), 4u);
  ASSERT_EQ(fixture.time.slept.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const double full = static_cast<double>(1 << i);
    EXPECT_GE(fixture.time.slept[i], full / 2);
    EXPECT_LE(fixture.time.slept[i], full);
  }
}

TEST(HttpClient, TheJitterIsThatOfTheSeed) {
  LocalServer server([](const Asked&, std::size_t) { return Answered{.status = 503}; });
  Fixture first, again, other;
  other.options.seed = 1;
  for (Fixture* fixture : {&first, &again, &other}) EXPECT_FALSE(fixture->post(server.address()));
  EXPECT_EQ(first.time.slept, again.time.slept);
  EXPECT_NE(first.time.slept, other.time.slept);
}

TEST(HttpClient, AnErrorThatStaysNamesAddressStatusWordsAndTries) {
  LocalServer server([](const Asked&, std::size_t) {
    return Answered{.status = 500, .body = R"({"error":{"message":"out of memory\nsorry"}})"};
  });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(reply.error().message,
            fmt::format("{}/embeddings: status 500, \"out of memory sorry\" (tried 4 times)",
                        server.address().text()));
  EXPECT_EQ(server.requests(), 4u);
}

TEST(HttpClient, HonoursRetryAfter) {
  LocalServer server([](const Asked&, std::size_t number) {
    return number == 0 ? Answered{.status = 429, .headers = {{"Retry-After", "17"}}} : Answered{};
  });
  Fixture fixture;
  ASSERT_TRUE(fixture.post(server.address()));
  double slept = 0;
  for (const double seconds : fixture.time.slept) slept += seconds;
  EXPECT_GE(slept, 17);
}

TEST(HttpClient, ReadsRetryAfterAsSecondsOrDate) {
  EXPECT_EQ(retry_after_seconds("2.5", 0), 2.5);
  EXPECT_EQ(retry_after_seconds("Sun, 06 Nov 1994 08:49:37 GMT", 784111770), 7);  // RFC 9110's date
  EXPECT_EQ(retry_after_seconds("Sun, 06 Nov 1994 08:49:37 GMT", 784111999), 0);
  for (const char* nonsense : {"", "-3", "soon", "nan", "3 s", "Sun, 06 Nov 1994"}) {
    EXPECT_EQ(retry_after_seconds(nonsense, 0), 0) << nonsense;
  }
}

TEST(HttpClient, DoesNotWaitForAServerThatAsksForAnHour) {
  LocalServer server([](const Asked&, std::size_t) {
    return Answered{.status = 429, .headers = {{"Retry-After", "3600"}}};
  });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBusy);
  EXPECT_NE(reply.error().message.find("wait 3600 s"), std::string::npos);
  EXPECT_TRUE(fixture.time.slept.empty());
}

TEST(HttpClient, GivesUpAtOnceWhereTryingAgainCannotHelp) {
  const std::pair<int, ErrorKind> cases[] = {{401, ErrorKind::kNotAllowed},
                                             {403, ErrorKind::kNotAllowed},
                                             {404, ErrorKind::kNotFound},
                                             {405, ErrorKind::kBadInput}};
  for (const auto& [status, kind] : cases) {
    LocalServer server([code = status](const Asked&, std::size_t) { return Answered{code}; });
    Fixture fixture;
    const auto reply = fixture.post(server.address());
    ASSERT_FALSE(reply) << status;
    EXPECT_EQ(reply.error().kind, kind) << status;
    EXPECT_EQ(server.requests(), 1u) << status;
  }
}

TEST(HttpClient, HandsBackWhatTheServerWillNeverTake) {
  const std::pair<int, std::string> cases[] = {
      {400, "this is wrong"}, {413, "no"}, {422, "batch"}, {500, "input is too large to process"}};
  for (const auto& [status, words] : cases) {
    LocalServer server([code = status, said = words](const Asked&, std::size_t) {
      return Answered{code, to_text(Json{{"message", said}})};
    });
    Fixture fixture;
    const auto reply = fixture.post(server.address());
    ASSERT_TRUE(reply) << status;
    EXPECT_FALSE(reply->accepted());
    EXPECT_EQ(reply->problem, words);
    EXPECT_EQ(server.requests(), 1u) << status;
  }
}

TEST(HttpClient, ARedirectIsAnErrorAndIsNotFollowed) {
  LocalServer server([](const Asked&, std::size_t) {
    return Answered{.status = 307, .headers = {{"Location", "/elsewhere"}}};
  });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(reply.error().message.find("redirect to \"/elsewhere\""), std::string::npos);
  EXPECT_EQ(server.requests(), 1u);
}

TEST(HttpClient, AnAnswerThatIsNoJsonIsTriedAgainThenShown) {
  LocalServer server([](const Asked&, std::size_t) { return Answered{.body = "<html>hello"}; });
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(reply.error().message.find("not JSON but \"<html>hello\" (tried 4 times)"),
            std::string::npos);
}

TEST(HttpClient, AMillionBracketsAreNoJson) {
  LocalServer server(
      [](const Asked&, std::size_t) { return Answered{.body = std::string(1'000'000, '[')}; });
  Fixture fixture(1);
  EXPECT_FALSE(fixture.post(server.address()));
}

TEST(HttpClient, AnAnswerBeyondTheLimitIsRefusedWithoutAnotherTry) {
  LocalServer server([](const Asked&, std::size_t) {
    return Answered{.body = '"' + std::string(100'000, 'x') + '"'};
  });
  Fixture fixture;
  fixture.options.connection.most_response_bytes = 50'000;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(reply.error().message.find("more than 50000 bytes"), std::string::npos);
  EXPECT_EQ(server.requests(), 1u);
}

TEST(HttpClient, AConnectionThatBreaksInTheMiddleIsTriedAgain) {
  RawServer server({head_of(10) + "{\"a\"", "", "HTTP/1.1 20", head_of(7) + "{\"a\":3}"});
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body["a"], 3);
  EXPECT_EQ(server.connections(), 4);
}

TEST(HttpClient, AConnectionThatAlwaysBreaksIsAnError) {
  RawServer server({head_of(10) + "{\"a\""});
  Fixture fixture;
  const auto reply = fixture.post(server.address());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBusy);
  EXPECT_NE(reply.error().message.find("connection broke"), std::string::npos);
}

TEST(HttpClient, AServerThatHangsUpDuringAnUploadDoesNotEndTheProgram) {
  LocalServer ignored([](const Asked&, std::size_t) { return Answered{}; });  // sets SIGPIPE back
  RawServer server({""});
  Fixture fixture(2);
  EXPECT_FALSE(fixture.post(server.address(), {{"text", std::string(20'000'000, 'x')}}));
}

TEST(HttpClient, AnEndlessStatusLineOrHeaderIsRefused) {
  const std::string line(1'000'000, 'x');
  for (const std::string& script :
       {"HTTP/1.1 200 " + line.substr(0, 100'000) + "\r\n\r\n", line,
        "HTTP/1.1 200 OK\r\nName: " + line + "\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 " + line + "\r\n\r\n"}) {
    RawServer server({script});
    Fixture fixture(1);
    const auto reply = fixture.post(server.address());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind, ErrorKind::kBadInput) << reply.error().message;
  }
}

TEST(HttpClient, AServerThatNeverAnswersTimesOut) {
  std::latch done(1);
  LocalServer server([&](const Asked&, std::size_t) {
    done.wait();
    return Answered{};
  });
  Fixture fixture(1);
  fixture.options.connection.request_timeout_seconds = 0.1;
  const auto reply = fixture.post(server.address());
  done.count_down();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBusy);
  EXPECT_NE(reply.error().message.find("within 0.1 s"), std::string::npos) << reply.error().message;
}

TEST(HttpClient, ASlowAnswerIsWaitedFor) {
  LocalServer server([](const Asked&, std::size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return Answered{};
  });
  Fixture fixture(1);
  EXPECT_TRUE(fixture.post(server.address()));
}

TEST(HttpClient, NobodyListeningIsNotFound) {
  Fixture fixture;
  const auto reply =
      fixture.post({.host = "127.0.0.1", .port = testing::closed_port(), .path = "/v1"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(reply.error().message.find("is the server running there?"), std::string::npos);
  EXPECT_EQ(fixture.time.slept.size(), 3u);
}

TEST(HttpClient, AStoppedRequestIsNotSent) {
  LocalServer server([](const Asked&, std::size_t) { return Answered{}; });
  Fixture fixture;
  std::stop_source stop;
  stop.request_stop();
  const auto client = HttpClient::make(server.address(), fixture.options).value();
  EXPECT_FALSE(client->post("/embeddings", Json::object(), 0, stop.get_token()));
  EXPECT_EQ(server.requests(), 0u);
}

TEST(HttpClient, TheSystemClockWakesAStoppedSleeper) {
  std::stop_source stop;
  stop.request_stop();
  system_clock().sleep(1e6, stop.get_token());  // would never end
}

TEST(HttpClient, ServesManyThreadsAtOnce) {
  LocalServer server(
      [](const Asked& asked, std::size_t) { return Answered{.body = to_text(asked.body)}; });
  Fixture fixture;
  const auto client = HttpClient::make(server.address(), fixture.options).value();
  std::vector<int> got(60);
  parallel_for(got.size(), 1, 4, [&](std::size_t begin, std::size_t) {
    const auto reply = client->post("/x", {{"n", begin}}, begin, {});
    if (reply) got[begin] = reply->body["n"].get<int>();
  });
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i));
  EXPECT_LE(server.most_at_once(), 4);
}

TEST(HttpClient, BlotsOutAKeyThatTheServerRepeats) {
  const std::pair<int, std::string> cases[] = {
      {401, fmt::format(R"({{"error":{{"message":"bad key {}"}}}})", kKey)},
      {400, fmt::format("bad key {}", kKey)},
      {200, fmt::format("no JSON but {}", kKey)},
      {500, std::string(195, 'x') + kKey},  // cut in the middle of the key
      {302, ""}};
  for (const auto& [status, body] : cases) {
    LocalServer server([code = status, said = body](const Asked&, std::size_t) {
      return Answered{code, said, {{"Location", fmt::format("/?key={}", kKey)}}};
    });
    Fixture fixture(1);
    const auto reply = fixture.post(server.address());
    const std::string words = reply ? reply->problem : reply.error().message;
    EXPECT_EQ(words.find("sk-s"), std::string::npos) << words;
    EXPECT_NE(words.find("[key]"), std::string::npos) << words;
  }
}

TEST(HttpClient, RefusesAKeyThatWouldSplitAHeaderWithoutShowingIt) {
  for (const std::string key : {"sk-abc\r\nX: y", "sk-abc ",
                                "sk-\xc3\xa4"
                                "bc"}) {
    const auto client = HttpClient::make({.host = "127.0.0.1"}, {.api_key = key});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(client.error().message.find("sk-"), std::string::npos);
  }
}

TEST(HttpAddress, IsReadAndWrittenBack) {
  for (const char* text : {"http://localhost:8080/v1", "https://example.org:443/api/v1",
                           "http://[::1]:80/v1", "http://10.0.0.1:11434"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(parse_address("https://example.org/v1/")->text(), "https://example.org:443/v1");
  EXPECT_EQ(parse_address("http://example.org")->port, 80);
}

TEST(HttpAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"ftp://example.org", "example.org/v1", "http://", "http://:80/v1", "http://a:0/v1",
        "http://a:65536", "http://a:x", "http://a:", "http://[::1/v1", "http://a b/v1",
        "http://a/v1?key=1", "http://a/v 1", "http://a\r\nb/v1", "http://a/\r\nv1"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::kUsage);
  }
}

TEST(HttpAddress, RefusesANameAndPasswordWithoutRepeatingThem) {
  const auto address = parse_address("http://me:hunter2@example.org/v1");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().message.find("hunter2"), std::string::npos);
}

TEST(RemoteSpec, TakesTheModelFromTheAddressOrFromTheOption) {
  const auto spec = parse_remote_spec("http://localhost:8080/v1#BAAI/bge-m3");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->model, "BAAI/bge-m3");
  EXPECT_EQ(spec->address.text(), "http://localhost:8080/v1");
  EXPECT_EQ(parse_remote_spec("http://localhost:8080", "m")->address.path, "/v1");
  EXPECT_EQ(parse_remote_spec("http://localhost:8080#m", "m")->model, "m");
  EXPECT_TRUE(is_remote("https://x") && is_remote("http://x") && !is_remote("models/x"));
}

TEST(RemoteSpec, SaysWhatIsMissing) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://localhost:8080/v1", "Add its name"},
      {"http://localhost:8080/v1#", "Add its name"},
      {"http://localhost:8080/v1/embeddings#m", "without \"/embeddings\""},
      {"http://localhost:8080/v1/chat/completions#m", "without \"/chat/completions\""}};
  for (const auto& [text, words] : cases) {
    const auto spec = parse_remote_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().kind, ErrorKind::kUsage);
    EXPECT_NE(spec.error().message.find(words), std::string::npos) << spec.error().message;
  }
  EXPECT_FALSE(parse_remote_spec("http://localhost#a", "b"));
}

}  // namespace
}  // namespace plumb::raters
