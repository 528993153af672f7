#include "plumb/raters/embedding_rater.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "plumb/raters/testing.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using tasks::Kind;
using tasks::Task;

// Counts letters; `break_it` makes it misbehave.
class Letters : public Embedder {
 public:
  struct Call {
    TextRole role;
    std::vector<std::string> texts;
  };
  using Break = std::function<Vectors(Vectors, const EmbedOptions&)>;

  explicit Letters(Break break_it = {}) : break_(std::move(break_it)) {}

  const std::string& name() const override { return name_; }
  Json provenance() const override { return {{"letters", 26}}; }
  Result<void> prepare(std::span<const std::string_view> texts) override {
    prepared.assign(texts.begin(), texts.end());
    return {};
  }
  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override {
    calls.push_back({options.role, {texts.begin(), texts.end()}});
    std::vector<float> values;
    for (const std::string_view text : texts) {
      std::vector<float> row(26);
      for (const char c : text) {
        if (c >= 'a' && c <= 'z') ++row[static_cast<std::size_t>(c - 'a')];
      }
      values.insert(values.end(), row.begin(), row.end());
    }
    Vectors vectors = Vectors::dense(26, std::move(values));
    return break_ ? break_(std::move(vectors), options) : vectors;
  }

  std::vector<std::string> prepared;
  std::vector<Call> calls;

 private:
  Break break_;
  std::string name_ = "test/letters";
};

Task queries() {
  Task task = tasks::testing::task_of(Kind::kReranking, {{1, 0}, {0, 1}});
  task.items[0].texts = {"abc", "cba", "xyz"};
  task.items[1].texts = {"xyz", "cba", "zyx"};
  return task;
}

TEST(EmbeddingRater, EmbedsEachDistinctTextOnceARole) {
  Letters letters;
  const auto embedded = embed_task(queries(), letters, {});
  ASSERT_TRUE(embedded);
  EXPECT_EQ(letters.prepared, (std::vector<std::string>{"abc", "xyz", "cba", "zyx"}));
  ASSERT_EQ(letters.calls.size(), 2U);
  EXPECT_EQ(letters.calls[0].role, TextRole::kDocument);
  EXPECT_EQ(letters.calls[0].texts, (std::vector<std::string>{"cba", "xyz", "zyx"}));
  EXPECT_EQ(letters.calls[1].role, TextRole::kQuery);
  EXPECT_EQ(letters.calls[1].texts, (std::vector<std::string>{"abc", "xyz"}));
  EXPECT_EQ(embedded->rows, (std::vector<std::vector<std::size_t>>{{0, 0, 1}, {1, 0, 2}}));
}

TEST(EmbeddingRater, PreparesWithTrainingTexts) {
  Task task = tasks::testing::task_of(Kind::kClassification, {{0}, {1}});
  task.items[0].texts = {"aa"};
  task.items[1].texts = {"bb"};
  task.train = {{"t0", {"ab"}, {0}}, {"t1", {"bb"}, {1}}};
  Letters letters;
  const auto embedded = embed_task(task, letters, {});
  ASSERT_TRUE(embedded);
  EXPECT_EQ(letters.prepared, (std::vector<std::string>{"aa", "bb", "ab"}));
  ASSERT_EQ(letters.calls.size(), 1U);
  EXPECT_EQ(letters.calls[0].role, TextRole::kText);
  EXPECT_EQ(embedded->train_rows, (std::vector<std::size_t>{2, 1}));
}

TEST(EmbeddingRater, FillsASheetAndSaysHow) {
  EmbeddingRater rater(std::make_unique<Letters>(), {});
  const auto sheets = rater.answer(queries(), {.seed = 1});
  ASSERT_TRUE(sheets);
  ASSERT_EQ(sheets->size(), 1U);
  const tasks::AnswerSheet& sheet = sheets->front();
  EXPECT_EQ(sheet.rater, "test/letters");
  EXPECT_EQ(sheet.kind, tasks::RaterKind::kModel);
  EXPECT_NEAR((*sheet.answers[0])[0], 1, 1e-12);
  EXPECT_EQ((*sheet.answers[0])[1], 0);
  EXPECT_EQ(to_text(sheet.provenance), R"({"embedder":{"letters":26},"dimension":26,)"
                                       R"("probe":{"protocol":"default","similarity":"cosine"}})");
}

TEST(EmbeddingRater, RefusesVectorsThatCannotBe) {
  const auto message = [](Letters::Break break_it) {
    EmbeddingRater rater(std::make_unique<Letters>(std::move(break_it)), {});
    const auto sheets = rater.answer(queries(), {});
    EXPECT_FALSE(sheets);
    EXPECT_EQ(sheets.error().kind, ErrorKind::kBadInput);
    return sheets.error().message;
  };
  EXPECT_EQ(message([](Vectors all, const EmbedOptions&) {
              return all.select(std::vector<std::size_t>{0});
            }),
            "test/letters: 1 vectors came for 3 texts; the first without one, or of another text, "
            "is of item i0, \"xyz\"");
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(message([bad](const Vectors& all, const EmbedOptions&) {
                std::vector<float> values(all.dense_values().begin(), all.dense_values().end());
                values[2 * 26 + 7] = bad;
                return Vectors::dense(26, std::move(values));
              }),
              "test/letters: the vector of item i1, \"zyx\" has a value that is not a finite "
              "number; leave the item out, or embed in a wider type");
  }
  EXPECT_EQ(
      message([](Vectors all, const EmbedOptions& options) {
        return options.role == TextRole::kQuery ? Vectors::dense(2, {1, 2, 3, 4}) : std::move(all);
      }),
      "test/letters: queries have vectors of dimension 2 (dense), documents of 26 (dense); "
      "the first query is of item i0, \"abc\"");
}

TEST(EmbeddingRater, PassesErrorsOfTheEmbedderOn) {
  class Broken : public Letters {
    Result<Vectors> embed(std::span<const std::string_view>, const EmbedOptions&) override {
      return fail(ErrorKind::kBusy, "the server is busy");
    }
  };
  EmbeddingRater rater(std::make_unique<Broken>(), {});
  EXPECT_EQ(rater.answer(queries(), {}).error().message, "the server is busy");
}

}  // namespace
}  // namespace plumb::raters
