#include <cmath>
#include <map>

#include "plumb/evals/judges/judge.h"
#include "plumb/evals/suites/published.h"
#include "plumb/evals/testing.h"
#include "plumb/evals/writers/echo_reply.h"
#include "plumb/evals/writers/kept_writer.h"
#include "plumb/evals/writers/local_writer.h"
#include "plumb/evals/writers/remote_writer.h"
#include "plumb/lm/testing.h"
#include "plumb/nn/generator.h"
#include "plumb/raters/remote/testing_server.h"

namespace plumb::evals {
namespace {

using raters::testing::Answered;
using raters::testing::Asked;
using raters::testing::LocalServer;

class LocalWriterTest : public lm::LanguageModelTest {
 protected:
  lm::LanguageModel load() {
    save_model();
    auto model = lm::load_language_model({folder_});
    EXPECT_TRUE(model) << model.error().message;
    return std::move(*model);
  }
};

// The same from the logits of the generator, which is another implementation of the same network.
TEST_F(LocalWriterTest, ScoresAContinuationByTheLogitsAfterItsContext) {
  const auto model = load();
  const auto writer = make_local_writer(model, 1);
  const std::vector<ContinuationTexts> requests = {{"tom saw", " a hat"}, {"", "mia"}};
  const auto scores = writer->score(requests, {});
  ASSERT_TRUE(scores) << scores.error().message;
  nn::Generator generator(model.transformer);
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const auto whole = model.encode(requests[r].context + requests[r].continuation).value();
    const auto logits = generator.logits(whole);
    const std::size_t vocabulary = model.transformer.config().vocabulary;
    const std::size_t first = model.encode(requests[r].context + " ").value().size() - 1;
    double expected = 0;
    const std::size_t begin = r == 0 ? first : 1;
    for (std::size_t t = begin; t < whole.size(); ++t) {
      const auto row = std::span(logits).subspan((t - 1) * vocabulary, vocabulary);
      double total = 0;
      for (const float logit : row) total += std::exp(static_cast<double>(logit));
      expected += static_cast<double>(row[static_cast<std::size_t>(whole[t])]) - std::log(total);
    }
    EXPECT_NEAR((*scores)[r].log_likelihood, expected, 1e-4) << r;
    EXPECT_EQ((*scores)[r].tokens, whole.size() - begin);
  }
}

TEST_F(LocalWriterTest, GreedyIsWhatItWritesItself) {
  const auto model = load();
  const auto writer = make_local_writer(model, 1);
  const auto written = writer->complete(std::vector<std::string>{"tom saw"}, {.max_tokens = 4}, {});
  ASSERT_TRUE(written) << written.error().message;
  ASSERT_FALSE((*written)[0].text.empty());
  EXPECT_FALSE((*written)[0].ended);
  const auto scores = writer->score(
      std::vector<ContinuationTexts>{{"tom saw", (*written)[0].text}, {"tom saw", " zzzz"}}, {});
  ASSERT_TRUE(scores);
  EXPECT_TRUE((*scores)[0].greedy);
  EXPECT_FALSE((*scores)[1].greedy);
  EXPECT_GT((*scores)[0].log_likelihood, (*scores)[1].log_likelihood);
}

TEST_F(LocalWriterTest, CutsAContextFromItsBeginning) {
  const auto model = load();
  const auto writer = make_local_writer(model, 1);
  const std::string tail(40, 'a');
  const auto scores = writer->score(
      std::vector<ContinuationTexts>{{"bbbb" + tail, " hat"}, {"cccc" + tail, " hat"}, {"a", "b"}},
      {});
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_TRUE((*scores)[0].cut);
  EXPECT_EQ((*scores)[0].log_likelihood, (*scores)[1].log_likelihood);
  EXPECT_FALSE((*scores)[2].cut);
  EXPECT_EQ((*scores)[0].tokens, 4U);
}

TEST_F(LocalWriterTest, GivesTheSameBytesWithAnyNumberOfThreads) {
  const auto model = load();
  std::vector<ContinuationTexts> requests;
  for (std::size_t i = 0; i < 300; ++i) requests.push_back({std::string(1 + i % 20, 'a'), " hat"});
  const auto one = make_local_writer(model, 1)->score(requests, {});
  const auto three = make_local_writer(model, 3)->score(requests, {});
  ASSERT_TRUE(one && three);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ((*one)[i].log_likelihood, (*three)[i].log_likelihood) << i;
  }
}

// A writer that is killed after so many questions.
class MortalWriter : public Writer {
 public:
  MortalWriter(std::unique_ptr<Writer> writer, int lives)
      : writer_(std::move(writer)), lives_(lives) {}
  const std::string& name() const override { return writer_->name(); }
  Json provenance() const override { return writer_->provenance(); }
  Result<std::vector<ContinuationScore>> score(std::span<const ContinuationTexts> requests,
                                               const Progress& progress) override {
    if (lives_-- == 0) return fail(ErrorKind::kInternal, "killed");
    return writer_->score(requests, progress);
  }
  Result<std::vector<Written>> complete(std::span<const std::string> prompts,
                                        const CompleteOptions& options,
                                        const Progress& progress) override {
    if (lives_-- == 0) return fail(ErrorKind::kInternal, "killed");
    return writer_->complete(prompts, options, progress);
  }

 private:
  std::unique_ptr<Writer> writer_;
  int lives_;
};

class KeptWriterTest : public LocalWriterTest {
 protected:
  std::unique_ptr<Writer> kept(const lm::LanguageModel& model, int lives,
                               const char* log = "replies.jsonl") {
    auto writer =
        make_kept_writer(std::make_unique<MortalWriter>(make_local_writer(model, 2), lives),
                         folder_ / log, {.scores = 3, .completions = 2});
    EXPECT_TRUE(writer) << writer.error().message;
    return std::move(*writer);
  }
};

TEST_F(KeptWriterTest, GoesOnWhereItWasKilledWithTheSameBytes) {
  const auto model = load();
  std::vector<ContinuationTexts> requests;
  std::vector<std::string> prompts;
  for (int i = 0; i < 8; ++i) {
    requests.push_back({"tom saw " + std::string(static_cast<std::size_t>(i), 'a'), " a hat"});
    prompts.push_back(requests.back().context);
  }
  const CompleteOptions options{.max_tokens = 5, .temperature = 1, .seed = 4};
  const auto whole = kept(model, 99, "other.jsonl");
  const auto scores = whole->score(requests, {});
  const auto written = whole->complete(prompts, options, {});
  ASSERT_TRUE(scores && written);
  ASSERT_FALSE(kept(model, 2)->score(requests, {})) << "killed in its third block";
  const auto again = kept(model, 1)->score(requests, {});
  ASSERT_TRUE(again) << "one block was left";
  ASSERT_FALSE(kept(model, 3)->complete(prompts, options, {}));
  const auto rest = kept(model, 1)->complete(prompts, options, {});
  ASSERT_TRUE(rest);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ((*again)[i].log_likelihood, (*scores)[i].log_likelihood) << i;
    EXPECT_EQ((*again)[i].greedy, (*scores)[i].greedy);
    EXPECT_EQ((*rest)[i].text, (*written)[i].text) << i;
    EXPECT_EQ((*rest)[i].ended, (*written)[i].ended);
  }
  // Drawn texts are those of the writer itself, whatever the blocks.
  const auto plain = make_local_writer(model, 1)->complete(prompts, options, {});
  ASSERT_TRUE(plain);
  for (std::size_t i = 0; i < prompts.size(); ++i) EXPECT_EQ((*rest)[i].text, (*plain)[i].text);
  EXPECT_FALSE(kept(model, 0)->complete(prompts, {.max_tokens = 6, .seed = 4}, {}))
      << "another question is asked anew";
}

TEST_F(KeptWriterTest, TellsHowFarItIs) {
  const auto model = load();
  const std::vector<std::string> prompts(5, "tom saw");
  std::vector<std::size_t> done;
  const auto written =
      kept(model, 99)->complete(prompts, {.max_tokens = 2}, [&](std::size_t part, std::size_t of) {
        EXPECT_EQ(of, 5U);
        done.push_back(part);
      });
  ASSERT_TRUE(written);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(done.back(), 5U);
}

TEST_F(LocalWriterTest, IsAskedASuiteWhoseSavedAnswersScoreTheSame) {
  const auto model = load();
  const auto writer = make_local_writer(model, 1);
  for (const char* id : {"arithmetic", "sycophancy"}) {
    const auto suite = load_suite(id, {.items = 20});
    ASSERT_TRUE(suite) << suite.error().message;
    RunOptions options;
    options.unconditional = id[0] == 'a';
    const auto run = run_suite(*suite, *writer, options);
    ASSERT_TRUE(run) << run.error().message;
    std::string saved;
    for (const Json& answer : run->answers) saved += to_text(answer) + "\n";
    write("answers.jsonl", saved);
    const auto again = score_answers(*suite, (folder_ / "answers.jsonl").string(), {});
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->rows.size(), run->rows.size());
    for (std::size_t i = 0; i < run->rows.size(); ++i) {
      EXPECT_EQ(row_json(again->rows[i]), row_json(run->rows[i]));
    }
    const auto other = load_suite("cloze", {.items = 20});
    const auto refused = score_answers(*other, (folder_ / "answers.jsonl").string(), {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("not of cloze"), std::string::npos);
  }
}

TEST_F(LocalWriterTest, WritesStoriesThatAreScoredBesideTrivialOnes) {
  const auto model = load();
  const auto writer = make_local_writer(model, 1);
  const auto suite = load_suite("stories", {.items = 5});
  ASSERT_TRUE(suite);
  RunOptions options;
  options.max_tokens = 8;
  const auto run = run_suite(*suite, *writer, options);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(row_of(run->rows, "stories", "happy").at, At::kFloor);
  for (const char* metric : {"fitting", "ended", "happy", "shared", "no_repeat"}) {
    const EvalRow nothing = row_of(run->rows, "stories", metric, "baseline: null");
    EXPECT_EQ(nothing.score, 0.0) << metric;
    EXPECT_EQ(nothing.at, At::kFloor) << metric;
  }
}

// A server whose tokens are letters, each with log-probability minus its place in the alphabet.
Answered echo_server(const Asked& asked) {
  const std::string prompt = asked.body["prompt"];
  Json values = Json::array(), tops = Json::array(), offsets = Json::array();
  for (std::size_t i = 0; i <= prompt.size(); ++i) {
    const double value = i < prompt.size() ? -(prompt[i] == ' ' ? 0.5 : prompt[i] - 'a') : -1;
    values.push_back(i == 0 ? Json(nullptr) : Json(value));
    tops.push_back(i == 0 ? Json(nullptr) : Json{{"b", -1.0}});
    offsets.push_back(i);
  }
  const Json log_probabilities = {
      {"token_logprobs", values}, {"top_logprobs", tops}, {"text_offset", offsets}};
  return {.body = to_text({{"choices",
                            {{{"text", prompt + "x"},
                              {"logprobs", log_probabilities},
                              {"finish_reason", "length"}}}}})};
}

class RemoteWriterTest : public EvalFiles {
 protected:
  std::unique_ptr<Writer> open(const LocalServer& server, bool chat = false) {
    auto writer = make_remote_writer(
        server.spec(), {.log = folder_ / "replies.jsonl", .concurrency = 2, .chat = chat});
    EXPECT_TRUE(writer) << writer.error().message;
    return std::move(*writer);
  }
};

TEST_F(RemoteWriterTest, AddsUpTheLogProbabilitiesBehindTheContext) {
  const LocalServer server([](const Asked& asked, std::size_t) { return echo_server(asked); });
  const auto writer = open(server);
  const std::vector<ContinuationTexts> requests = {{"ab", " bb"}, {"ab ", "c"}};
  const auto scores = writer->score(requests, {});
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_NEAR((*scores)[0].log_likelihood, -2.5, 1e-12);
  EXPECT_TRUE((*scores)[0].greedy);
  EXPECT_NEAR((*scores)[1].log_likelihood, -2.5, 1e-12) << "the blank moves to the continuation";
  EXPECT_FALSE((*scores)[1].greedy);
  EXPECT_LE(server.most_at_once(), 2);
}

TEST_F(RemoteWriterTest, AsksNothingTwice) {
  const std::vector<ContinuationTexts> requests = {{"ab", " bb"}, {"ab", " cc"}};
  const LocalServer server([](const Asked& asked, std::size_t) { return echo_server(asked); });
  ASSERT_TRUE(open(server)->score(requests, {}));
  const std::size_t asked = server.requests();
  EXPECT_EQ(asked, 3U) << "the context once, and each whole text";
  ASSERT_TRUE(open(server)->score(requests, {}));
  EXPECT_EQ(server.requests(), asked) << "all of it stands in the log";
}

TEST_F(RemoteWriterTest, SaysThatAServerGivesNoLogProbabilities) {
  const auto message = [&](const Answered& answer) {
    const LocalServer server([&](const Asked&, std::size_t) { return answer; });
    const auto scores = open(server)->score(std::vector<ContinuationTexts>{{"ab", " c"}}, {});
    EXPECT_EQ(scores.error().kind, ErrorKind::kNotAllowed);
    std::filesystem::remove(folder_ / "replies.jsonl");
    return scores.error().message;
  };
  const std::string words = "the server gives no log-probabilities of a prompt";
  EXPECT_NE(message({.body = R"({"choices":[{"text":"c","logprobs":null}]})"}).find(words),
            std::string::npos);
  EXPECT_NE(message({.status = 400, .body = R"({"error":{"message":"echo is not supported"}})"})
                .find("echo is not supported"),
            std::string::npos);
}

TEST_F(RemoteWriterTest, CompletesUpToAStop) {
  const LocalServer server([](const Asked& asked, std::size_t) -> Answered {
    EXPECT_EQ(asked.body["max_tokens"], 16);
    return {.body = R"({"choices":[{"text":" 4\nQuestion: more","finish_reason":"length"}]})"};
  });
  const auto written = open(server)->complete(std::vector<std::string>{"2 + 2 ="},
                                              {.max_tokens = 16, .stops = {"Question:"}}, {});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ((*written)[0].text, " 4\n");
  EXPECT_TRUE((*written)[0].ended);
}

TEST_F(RemoteWriterTest, ChatsWhereItIsToldTo) {
  const LocalServer server([](const Asked& asked, std::size_t) -> Answered {
    EXPECT_TRUE(asked.path.ends_with("/chat/completions"));
    return {.body = R"({"choices":[{"message":{"content":"Sure."},"finish_reason":"stop"}]})"};
  });
  const auto written = open(server, true)->complete(std::vector<std::string>{"Hi"}, {}, {});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ((*written)[0].text, "Sure.");
}

TEST(Judges, ReadTheLastVerdict) {
  EXPECT_EQ(read_verdict("[[B]] at first, then [[A]]"), 1.0);
  EXPECT_EQ(read_verdict("[[C]]"), 0.5);
  EXPECT_FALSE(read_verdict("A is better"));
}

// A judge that always prefers what stands first: every pair flips, so every pair is a tie.
TEST_F(RemoteWriterTest, AJudgeThatPrefersTheFirstPlaceSaysNothing) {
  const LocalServer server([](const Asked&, std::size_t) -> Answered {
    return {.body = R"({"choices":[{"message":{"content":"[[A]]"},"finish_reason":"stop"}]})"};
  });
  const auto judge =
      open_judge("http://127.0.0.1:" + std::to_string(server.address().port) + "/v1#judge",
                 {.log = folder_ / "judge.jsonl"});
  ASSERT_TRUE(judge) << judge.error().message;
  const std::vector<TextPair> pairs = {{"p", "x", "y"}, {"q", "x", "z"}};
  const auto judgements = (*judge)->compare(pairs, {});
  ASSERT_TRUE(judgements) << judgements.error().message;
  ASSERT_EQ(judgements->size(), 4U);
  const auto rows = win_rate_rows("winrate", *judgements, {});
  EXPECT_EQ(row_of(rows, "winrate", "tie").score, 1.0);
  EXPECT_EQ(row_of(rows, "winrate", "flip").score, 1.0);
  EXPECT_EQ(row_of(rows, "winrate", "first").score, 1.0);
  EXPECT_EQ(open_judge("wisest", {}).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace plumb::evals
