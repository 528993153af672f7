#include "plumb/raters/remote/remote_embedder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sodium.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/raters/embedding_rater.h"
#include "plumb/raters/remote/embeddings_reply.h"
#include "plumb/raters/remote/testing_server.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using testing::Answered;
using testing::Asked;
using testing::FakeTime;
using testing::LocalServer;

constexpr const char* kKey = "sk-secret-0123456789";

// A vector that only this text has.
std::vector<float> vector_of(const std::string& text) {
  Stream stream(1, text, 0);
  std::vector<float> vector(4);
  for (float& value : vector) value = static_cast<float>(stream.uniform() - 0.5);
  return vector;
}

std::string base64_of(const std::vector<float>& vector) {
  std::vector<unsigned char> bytes(4 * vector.size());
  std::memcpy(bytes.data(), vector.data(), bytes.size());  // the tests run where floats are LE
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

Json row_of(std::size_t index, const std::string& text, bool base64 = false) {
  Json row = {{"object", "embedding"}, {"index", index}};
  if (base64) {
    row["embedding"] = base64_of(vector_of(text));
  } else {
    row["embedding"] = vector_of(text);
  }
  return row;
}

// The rows of all inputs, the last first.
Json rows_of(const Asked& asked) {
  Json data = Json::array();
  const auto inputs = asked.body["input"].get<std::vector<std::string>>();
  for (std::size_t i = inputs.size(); i-- > 0;) {
    data.push_back(row_of(i, inputs[i], asked.body["encoding_format"] == "base64"));
  }
  return data;
}

Answered with_data(const Json& data) { return {.body = to_text(Json{{"data", data}})}; }
Answered embeds(const Asked& asked, std::size_t /*number*/) { return with_data(rows_of(asked)); }

class RemoteEmbedderTest : public ::testing::Test {
 protected:
  RemoteEmbedderTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("plumb-remote-{}-{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    options_.cache = folder_ / "vectors.cache";
    options_.batch_texts = 4;
    options_.http.api_key = kKey;
    options_.http.tries = 3;
    options_.http.clock = time_.clock();
    for (int i = 0; i < 30; ++i) texts_.push_back(fmt::format("text number {}", i));
  }
  ~RemoteEmbedderTest() override { std::filesystem::remove_all(folder_); }

  Result<Vectors> embed(const LocalServer& server, const EmbedOptions& how = {}) const {
    auto model = make_remote_embedder(server.spec(), options_);
    if (!model) return tl::unexpected(model.error());
    return (*model)->embed(std::vector<std::string_view>(texts_.begin(), texts_.end()), how);
  }

  void expect_right(const Result<Vectors>& vectors, const std::string& prompt = "") const {
    ASSERT_TRUE(vectors) << vectors.error().message;
    ASSERT_EQ(vectors->rows(), texts_.size());
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const auto row = vectors->dense_row(i);
      EXPECT_EQ(std::vector(row.begin(), row.end()), vector_of(prompt + texts_[i])) << i;
    }
  }

  std::string error_of(const LocalServer& server) const {
    const auto vectors = embed(server);
    EXPECT_FALSE(vectors);
    return vectors ? "" : vectors.error().message;
  }

  FakeTime time_;
  std::filesystem::path folder_;
  RemoteEmbedderOptions options_;
  std::vector<std::string> texts_;
};

TEST_F(RemoteEmbedderTest, RestoresTheOrderOfTheTexts) {
  for (const bool base64 : {false, true}) {
    LocalServer server(embeds);
    options_.base64 = base64;
    options_.cache = "";
    expect_right(embed(server));
    EXPECT_EQ(server.requests(), 8u);
    EXPECT_EQ(server.asked()[0].body["model"], "some-model");
    EXPECT_EQ(server.asked()[0].path, "/v1/embeddings");
  }
}

TEST_F(RemoteEmbedderTest, ReadsBase64ThatItDidNotAskFor) {
  LocalServer server([](const Asked& asked, std::size_t) {
    Json data = Json::array();
    for (const auto& input : asked.body["input"]) {
      data.push_back(row_of(data.size(), input.get<std::string>(), true));
    }
    return with_data(data);
  });
  expect_right(embed(server));
}

TEST_F(RemoteEmbedderTest, TakesTheOrderOfTheRowsWhereNoneHasAnIndex) {
  LocalServer server([](const Asked& asked, std::size_t) {
    Json data = Json::array();
    for (const auto& input : asked.body["input"]) {
      data.push_back({{"embedding", vector_of(input.get<std::string>())}});
    }
    return with_data(data);
  });
  expect_right(embed(server));
}

TEST_F(RemoteEmbedderTest, PutsThePromptOfTheRoleBeforeEveryTextAndRecordsIt) {
  LocalServer server(embeds);
  options_.query_prompt = "Instruct: {instruction}\nQuery: ";
  options_.document_prompt = "passage: ";
  const auto model = make_remote_embedder(server.spec(), options_).value();
  const std::vector<std::string_view> texts(texts_.begin(), texts_.end());
  expect_right(model->embed(texts, {.role = TextRole::kQuery, .instruction = "Find it"}),
               "Instruct: Find it\nQuery: ");
  expect_right(model->embed(texts, {.role = TextRole::kDocument}), "passage: ");
  expect_right(model->embed(texts, {}));
  const Json from = model->provenance();
  EXPECT_EQ(from["prompts"]["query"], "Instruct: Find it\nQuery: ");
  EXPECT_EQ(from["prompts"]["document"], "passage: ");
  EXPECT_EQ(from["prompts"]["text"], "");
  EXPECT_EQ(from["model"], "some-model");
  EXPECT_EQ(from["dimension"], 4);
}

TEST_F(RemoteEmbedderTest, AsksForATextOnce) {
  LocalServer server(embeds);
  texts_ = {"a", "b", "a", "a", "b"};
  expect_right(embed(server));
  ASSERT_EQ(server.requests(), 1u);
  EXPECT_EQ(server.asked()[0].body["input"].size(), 2u);
}

TEST_F(RemoteEmbedderTest, AsksForNothingThatTheCacheHas) {
  LocalServer server(embeds);
  expect_right(embed(server));
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), 8u);
  texts_.push_back("a new text");
  expect_right(embed(server));
  ASSERT_EQ(server.requests(), 9u);
  EXPECT_EQ(server.asked()[8].body["input"], Json::array({"a new text"}));
}

TEST_F(RemoteEmbedderTest, TheCacheTellsPromptsModelsAndDimensionsApartButNotServers) {
  LocalServer first(embeds), second(embeds);
  expect_right(embed(first));
  expect_right(embed(second));
  EXPECT_EQ(second.requests(), 0u);
  options_.text_prompt = "query: ";
  expect_right(embed(second), "query: ");
  EXPECT_EQ(second.requests(), 8u);
  options_.text_prompt = "";
  options_.dimensions = 4;
  expect_right(embed(second));
  EXPECT_EQ(second.requests(), 16u);
  EXPECT_EQ(second.asked()[15].body["dimensions"], 4);
  RemoteSpec other = second.spec();
  other.model = "another-model";
  const auto model = make_remote_embedder(other, options_).value();
  EXPECT_TRUE(model->embed(std::vector<std::string_view>{"text number 0"}, {}));
  EXPECT_EQ(second.requests(), 17u);
}

TEST_F(RemoteEmbedderTest, ResumesAfterAnAbortAndAsksOnlyForWhatIsMissing) {
  bool ill = true;
  LocalServer server([&](const Asked& asked, std::size_t number) -> Answered {
    if (ill && number == 3) return {.status = 401, .body = "no"};
    return embeds(asked, number);
  });
  options_.concurrency = 1;
  EXPECT_NE(error_of(server).find("status 401"), std::string::npos);
  EXPECT_EQ(server.requests(), 4u);
  ill = false;
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), 4u + 5u);  // 18 texts by 4
  std::multiset<std::string> asked_for;
  const auto asked = server.asked();
  for (std::size_t i = 4; i < 9; ++i) {
    for (const auto& input : asked[i].body["input"]) asked_for.insert(input);
  }
  EXPECT_EQ(asked_for.size(), 18u);
  EXPECT_EQ(asked_for.count("text number 0"), 0u);
}

TEST_F(RemoteEmbedderTest, RefetchesWhatIsDamagedInTheCache) {
  LocalServer server(embeds);
  expect_right(embed(server));
  std::string bytes = *read_file(options_.cache);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 8);
  ASSERT_TRUE(write_file_atomic(options_.cache, bytes));
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), 9u);
  EXPECT_EQ(server.asked()[8].body["input"].size(), 1u);
}

TEST_F(RemoteEmbedderTest, RefetchesWhatIsCutOffTheCache) {
  LocalServer server(embeds);
  expect_right(embed(server));
  const std::string bytes = *read_file(options_.cache);
  ASSERT_TRUE(write_file_atomic(options_.cache, bytes.substr(0, bytes.size() - 5)));
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), 9u);
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), 9u);
}

TEST_F(RemoteEmbedderTest, TwoProcessesShareTheCache) {
  LocalServer server(embeds);
  const std::vector<std::string_view> texts(texts_.begin(), texts_.end());
  const auto mine = make_remote_embedder(server.spec(), options_).value();
  const auto theirs = make_remote_embedder(server.spec(), options_).value();
  {
    std::jthread other([&] { expect_right(theirs->embed(texts, {})); });
    expect_right(mine->embed(texts, {}));
  }
  const std::size_t before = server.requests();
  expect_right(embed(server));
  EXPECT_EQ(server.requests(), before);
}

TEST_F(RemoteEmbedderTest, HalvesBatchesThatTheServerFindsTooLarge) {
  for (const int status : {413, 400, 422, 500}) {
    std::filesystem::remove(options_.cache);
    LocalServer server([&](const Asked& asked, std::size_t number) -> Answered {
      if (asked.body["input"].size() > 2) return {status, R"({"error":"batch size too large"})"};
      return embeds(asked, number);
    });
    options_.concurrency = 1;
    options_.batch_texts = 8;
    expect_right(embed(server));
    // 8 and 4 and 4 are too large; then 30 texts by 2.
    EXPECT_EQ(server.requests(), 3u + 15u) << status;
  }
}

TEST_F(RemoteEmbedderTest, NamesTheTextThatTheServerDoesNotTake) {
  texts_[13] = "a text of great length";
  LocalServer server([&](const Asked& asked, std::size_t number) -> Answered {
    for (const auto& input : asked.body["input"]) {
      if (input == texts_[13]) return {413, R"({"error":{"message":"must have 8 tokens"}})"};
    }
    return embeds(asked, number);
  });
  const std::string error = error_of(server);
  EXPECT_TRUE(error.starts_with("text 14 (\"a text of great length\"): ")) << error;
  EXPECT_NE(error.find("must have 8 tokens"), std::string::npos);
}

TEST_F(RemoteEmbedderTest, LimitsTheBytesOfABatch) {
  LocalServer server(embeds);
  options_.batch_texts = 100;
  options_.batch_bytes = 60;
  texts_[3] = std::string(500, 'x');
  expect_right(embed(server));
  for (const Asked& asked : server.asked()) {
    std::size_t bytes = 0;
    for (const auto& input : asked.body["input"]) bytes += input.get<std::string>().size();
    EXPECT_TRUE(bytes <= 60 || asked.body["input"].size() == 1) << bytes;
  }
}

TEST_F(RemoteEmbedderTest, NamesTheTextWhoseRowIsWrong) {
  struct Case {
    std::function<void(Json& data)> spoil;  // data: rows 3, 2, 1, 0
    const char* words;
  };
  const std::vector<Case> cases = {
      {[](Json& data) { data.erase(1); },
       "text 3 (\"text number 2\"): the answer lacks its row (3"},
      {[](Json& data) { data[1]["index"] = 3; }, "text 4 (\"text number 3\"): the answer has two"},
      {[](Json& data) { data[1]["index"] = 4; }, "row 2 of the answer belongs to none of the 4"},
      {[](Json& data) { data[1]["index"] = -1; }, "row 2 of the answer belongs to none"},
      {[](Json& data) { data[1].erase("index"); }, "row 2 of the answer belongs to none"},
      {[](Json& data) { data[1] = 7; }, "row 2 of the answer belongs to none"},
      {[](Json& data) { data.push_back(row_of(0, "x")); },
       "text 1 (\"text number 0\"): the answer "},
      {[](Json& data) { data[1]["embedding"].push_back(0.5); },
       "text 3 (\"text number 2\"): its "
       "embedding has 5 numbers, not 4"},
      {[](Json& data) { data[1]["embedding"] = Json::array(); }, "embedding is empty"},
      {[](Json& data) { data[1]["embedding"] = ""; }, "embedding is empty"},
      {[](Json& data) { data[1]["embedding"][2] = nullptr; }, "neither numbers nor base64"},
      {[](Json& data) { data[1]["embedding"][2] = "0.5"; }, "neither numbers nor base64"},
      {[](Json& data) { data[1]["embedding"][2] = 1e39; },
       "text 3 (\"text number 2\"): number 3 of its embedding is not finite"},
      {[](Json& data) {
         data[1]["embedding"] = base64_of({1, 2, std::nanf(""), 4});
       },
       "text 3 (\"text number 2\"): number 3 of its embedding is not finite"},
      {[](Json& data) { data[1]["embedding"] = "AAAA"; }, "neither numbers nor base64"},
      {[](Json& data) { data[1]["embedding"] = "!"; }, "neither numbers nor base64"},
      {[](Json& data) { data[1].erase("embedding"); }, "its row has no \"embedding\""},
      {[](Json& data) { data = 3; }, "holds no list \"data\""},
  };
  texts_.resize(4);
  for (const Case& one : cases) {
    LocalServer server([&](const Asked& asked, std::size_t) {
      Json data = rows_of(asked);
      // The first row in the order of the texts sets the dimension.
      one.spoil(data);
      return with_data(data);
    });
    const std::string error = error_of(server);
    EXPECT_NE(error.find(one.words), std::string::npos) << error << "\n not: " << one.words;
    EXPECT_EQ(server.requests(), 1u);
    std::filesystem::remove(options_.cache);
  }
}

// A reply with some bytes changed is refused, or its rows are as many as the texts, and finite.
RC_GTEST_PROP(EmbeddingsReply, SpoiltBytesAreRefusedOrSound, (std::uint64_t seed)) {
  Stream stream(seed, "spoil", 0);
  const bool base64 = stream.below(2) == 0;
  std::string text = to_text(Json{{"data", {row_of(1, "b", base64), row_of(0, "a", base64)}}});
  const std::size_t changes = 1 + stream.below(3);
  for (std::size_t i = 0; i < changes; ++i) {
    text[stream.below(text.size())] = "0123456789[]{},:\".-eE+ntAz="[stream.below(27)];
  }
  const Json body = parse_shallow(text);
  if (body.is_discarded()) return;
  const auto rows = read_embeddings(body, 2);
  if (!rows) {
    RC_ASSERT(rows.error().text < 2U);
    return;
  }
  RC_ASSERT(rows->size() == 2U);
  for (const auto& row : *rows) {
    RC_ASSERT(!row.empty());
    for (const float value : row) RC_ASSERT(std::isfinite(value));
  }
}

TEST_F(RemoteEmbedderTest, NothingOfAWrongReplyIsKept) {
  bool ill = true;
  LocalServer server([&](const Asked& asked, std::size_t) {
    Json data = rows_of(asked);
    if (ill) data[0]["embedding"].push_back(1);
    return with_data(data);
  });
  texts_.resize(4);
  error_of(server);
  ill = false;
  expect_right(embed(server));
  EXPECT_EQ(server.asked()[1].body["input"].size(), 4u);
}

TEST_F(RemoteEmbedderTest, RowsOfAnotherLengthThanWasAskedForAreErrors) {
  LocalServer server(embeds);
  options_.dimensions = 8;
  EXPECT_NE(error_of(server).find("has 4 numbers, not 8 as was asked for"), std::string::npos);
}

TEST_F(RemoteEmbedderTest, NeverHasMoreRequestsUnderWayThanAllowed) {
  for (const int most : {1, 3}) {
    LocalServer server([](const Asked& asked, std::size_t number) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return embeds(asked, number);
    });
    options_.concurrency = most;
    options_.batch_texts = 1;
    options_.cache = "";
    expect_right(embed(server));
    EXPECT_EQ(server.requests(), 30u);
    EXPECT_LE(server.most_at_once(), most);
  }
}

TEST_F(RemoteEmbedderTest, OneErrorEndsAllRequests) {
  LocalServer server([](const Asked&, std::size_t) { return Answered{.status = 403}; });
  options_.batch_texts = 1;
  const auto vectors = embed(server);
  ASSERT_FALSE(vectors);
  EXPECT_EQ(vectors.error().kind, ErrorKind::kNotAllowed);
  EXPECT_LE(server.requests(), 8u);
}

TEST_F(RemoteEmbedderTest, TellsHowFarItIsFromWhatTheCacheHas) {
  LocalServer server(embeds);
  texts_.resize(8);
  expect_right(embed(server));
  texts_.insert(texts_.end(), {"more", "and more"});
  std::vector<std::pair<std::size_t, std::size_t>> seen;
  options_.concurrency = 1;
  expect_right(embed(server, {.progress = [&](std::size_t done, std::size_t total) {
                       seen.emplace_back(done, total);
                     }}));
  EXPECT_EQ(seen, (std::vector<std::pair<std::size_t, std::size_t>>{{8, 10}, {10, 10}}));
}

TEST_F(RemoteEmbedderTest, OfNoTextsThereAreNoVectors) {
  LocalServer server(embeds);
  texts_.clear();
  const auto vectors = embed(server);
  ASSERT_TRUE(vectors);
  EXPECT_EQ(vectors->rows(), 0u);
  EXPECT_EQ(server.requests(), 0u);
}

TEST_F(RemoteEmbedderTest, KeepsTheKeyOutOfEveryFileAndError) {
  LocalServer server([](const Asked& asked, std::size_t number) -> Answered {
    if (number == 2) return {.status = 401, .body = "who is " + asked.authorization};
    return embeds(asked, number);
  });
  options_.concurrency = 1;
  const std::string error = error_of(server);
  EXPECT_NE(error.find("who is Bearer [key]"), std::string::npos);
  const auto model = make_remote_embedder(server.spec(), options_).value();
  EXPECT_EQ(to_text(model->provenance()).find(kKey), std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(read_file(entry.path())->find(kKey), std::string::npos);
    }
  }
}

TEST_F(RemoteEmbedderTest, OpensByTheNameOfAModel) {
  LocalServer server(embeds);
  const auto model = open_remote_embedder(server.address().text() + "#org/model", options_);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->name(), "org/model");
  EXPECT_TRUE((*model)->embed(std::vector<std::string_view>{"a"}, {}));
  EXPECT_EQ(server.asked().at(0).body["model"], "org/model");
  EXPECT_FALSE(open_remote_embedder(server.address().text(), options_));
}

TEST_F(RemoteEmbedderTest, AnswersATaskThroughAProbe) {
  LocalServer server([](const Asked& asked, std::size_t) {
    Json data = Json::array();
    for (const auto& input : asked.body["input"]) {  // on the unit circle, by the text's length
      const double angle = 0.1 * static_cast<double>(input.get<std::string>().size());
      data.push_back({{"index", data.size()}, {"embedding", {std::cos(angle), std::sin(angle)}}});
    }
    return with_data(data);
  });
  tasks::Task task = tasks::testing::task_of(tasks::Kind::kSts, {{1}, {2}});
  task.items[0].texts = {"four", "sixsix"};
  task.items[1].texts = {"one", "eightletters"};
  EmbeddingRater rater(make_remote_embedder(server.spec(), options_).value(), {});
  const auto sheets = rater.answer(task, {.seed = 1});
  ASSERT_TRUE(sheets) << sheets.error().message;
  EXPECT_NEAR((*sheets)[0].answers[0]->at(0), std::cos(0.2), 1e-6);
  EXPECT_NEAR((*sheets)[0].answers[1]->at(0), std::cos(0.9), 1e-6);
  EXPECT_EQ((*sheets)[0].kind, tasks::RaterKind::kModel);
  EXPECT_EQ((*sheets)[0].provenance["embedder"]["prompts"]["text"], "");
}

TEST_F(RemoteEmbedderTest, OptionsThatMakeNoSenseAreUsageErrors) {
  for (int wrong = 0; wrong < 3; ++wrong) {
    RemoteEmbedderOptions options = options_;
    if (wrong == 0) options.concurrency = 0;
    if (wrong == 1) options.batch_texts = 0;
    if (wrong == 2) options.dimensions = 0;
    const auto model = make_remote_embedder({{.host = "127.0.0.1"}, "m"}, options);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().kind, ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace plumb::raters
