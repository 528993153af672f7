#include "plumb/raters/embedders/lexical_embedders.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "plumb/raters/embedders/embedder_testing.h"
#include "plumb/raters/embedders/murmur_hash.h"
#include "plumb/raters/embedders/word_counts.h"

namespace plumb::raters {
namespace {

using testing::embedded;
using testing::golden_embedders;
using testing::prepared;
using testing::row_of;

std::vector<std::string> golden_texts() { return golden_embedders()["texts"]; }

// rows: [[column, value], ...] a row.
void expect_rows(const Vectors& vectors, const nlohmann::json& rows) {
  ASSERT_EQ(vectors.rows(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto got = row_of(vectors, i);
    ASSERT_EQ(got.size(), rows[i].size()) << "row " << i;
    for (const auto& entry : rows[i]) {
      ASSERT_TRUE(got.contains(entry[0])) << "row " << i << " column " << entry[0];
      EXPECT_NEAR(got.at(entry[0]), entry[1].get<double>(), 1e-7);
    }
  }
}

TEST(Tfidf, EqualsScikitLearn) {
  const auto tfidf = make_tfidf(WordRule::kUnicode);
  prepared(*tfidf, golden_texts());
  expect_rows(embedded(*tfidf, golden_texts()), golden_embedders()["tfidf"]);
}

TEST(Tfidf, HasNoColumnForUnknownWords) {
  const auto tfidf = make_tfidf(WordRule::kUnicode);
  prepared(*tfidf, {"one two", "two three"});
  const Vectors vectors = embedded(*tfidf, {"four", "one four", "one", ""});
  EXPECT_TRUE(row_of(vectors, 0).empty());
  EXPECT_EQ(row_of(vectors, 1), row_of(vectors, 2));
  EXPECT_TRUE(row_of(vectors, 3).empty());
}

TEST(CharNgrams, EqualScikitLearnsHashingVectorizer) {
  const nlohmann::json hashed = golden_embedders()["hashed"];
  for (const std::size_t dimension : {std::size_t{1} << 20, std::size_t{1000}}) {
    const auto ngrams = make_char_ngrams(dimension);
    const Vectors vectors = embedded(*ngrams, golden_texts());
    EXPECT_EQ(vectors.dimension(), dimension);
    expect_rows(vectors, hashed[std::to_string(dimension)]);
  }
}

// From the reference implementation's documentation and scikit-learn's own test of murmurhash3_32.
TEST(MurmurHash3, EqualsItsReference) {
  EXPECT_EQ(murmur_hash3(""), 0U);
  EXPECT_EQ(static_cast<std::int32_t>(murmur_hash3("foo")), -156908512);
  EXPECT_EQ(murmur_hash3("foo"), 4138058784U);
}

TEST(Bm25, EqualsACalculationWordByWord) {
  const auto bm25 = make_bm25({}, WordRule::kUnicode);
  prepared(*bm25, golden_texts());
  const std::vector<std::string> query_texts = golden_embedders()["queries"];
  const Vectors queries = embedded(*bm25, query_texts, {.role = TextRole::kQuery});
  const Vectors documents = embedded(*bm25, golden_texts(), {.role = TextRole::kDocument});
  const nlohmann::json scores = golden_embedders()["bm25"];
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    for (std::size_t d = 0; d < documents.rows(); ++d) {
      EXPECT_NEAR(dot(queries, q, documents, d), scores[q][d].get<double>(), 2e-7) << q << " " << d;
    }
  }
}

// So that a probe may compare by cosine or distance.
TEST(Bm25, MakesDocumentsEquallyLong) {
  const auto bm25 = make_bm25({}, WordRule::kUnicode);
  prepared(*bm25, golden_texts());
  const Vectors documents = embedded(*bm25, golden_texts(), {.role = TextRole::kDocument});
  for (std::size_t d = 0; d < documents.rows(); ++d) {
    EXPECT_NEAR(documents.squared_norm(d), documents.squared_norm(0), 1e-6);
  }
  const Vectors queries = embedded(*bm25, golden_texts(), {.role = TextRole::kQuery});
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    EXPECT_FALSE(row_of(queries, q).contains(queries.dimension() - 1));
  }
}

// By hand: two texts of one word each, n = 2, df = 1, idf = ln 2, mean length 1.
TEST(Bm25, OfPlainTextsIsSymmetric) {
  const auto bm25 = make_bm25({}, WordRule::kUnicode);
  prepared(*bm25, {"a", "b"});
  const Vectors texts = embedded(*bm25, {"a", "A", "b"});
  EXPECT_NEAR(dot(texts, 0, texts, 1), std::log(2) / 2.2 / 2.2, 1e-7);
  EXPECT_EQ(dot(texts, 0, texts, 2), 0);
}

TEST(Bm25, WithoutTextsOrWordsGivesZeros) {
  for (const std::vector<std::string>& all : {std::vector<std::string>{}, {"", "?"}}) {
    const auto bm25 = make_bm25({}, WordRule::kUnicode);
    prepared(*bm25, all);
    for (const TextRole role : {TextRole::kText, TextRole::kQuery, TextRole::kDocument}) {
      const Vectors vectors = embedded(*bm25, {"a word", ""}, {.role = role});
      EXPECT_EQ(vectors.rows(), 2U);
      EXPECT_EQ(vectors.squared_norm(0), 0);
      EXPECT_EQ(vectors.squared_norm(1), 0);
    }
  }
}

TEST(LexicalEmbedders, SayWhatTheyDid) {
  const auto bm25 = make_bm25({.k1 = 0.9, .b = 0.4}, WordRule::kBlanks);
  prepared(*bm25, {"a b", "b"});
  const Json bm25_says = bm25->provenance();
  EXPECT_EQ(bm25_says["k1"], 0.9);
  EXPECT_EQ(bm25_says["words"], "blanks");
  EXPECT_EQ(bm25_says["counted"]["texts"], 2);
  EXPECT_EQ(bm25_says["counted"]["words"], 2);
  EXPECT_EQ(bm25_says["prompt"], "");
  EXPECT_EQ(make_char_ngrams(64)->provenance()["dimension"], 64);
}

TEST(CountWords, CountsWordsAndTexts) {
  const std::vector<std::string> texts = {"b a B", "", "b"};
  const WordCounts counts = count_words(testing::views(texts), WordRule::kUnicode, 2);
  EXPECT_EQ(counts.texts, 3U);
  EXPECT_EQ(counts.occurrences, 4U);
  ASSERT_EQ(counts.words.size(), 2U);
  EXPECT_EQ(counts.words.at("a").column, 0U);
  EXPECT_EQ(counts.words.at("b").column, 1U);
  EXPECT_EQ(counts.words.at("b").occurrences, 3U);
  EXPECT_EQ(counts.words.at("b").texts, 2U);
}

RC_GTEST_PROP(LexicalEmbedders, GiveARowATextWhateverTheOrderAndThreads, (std::uint64_t seed)) {
  Stream stream(seed, "texts", 0);
  const auto texts = testing::random_texts(stream, 1 + stream.below(150));
  const std::unique_ptr<Embedder> all[] = {make_tfidf(WordRule::kUnicode),
                                           make_bm25({}, WordRule::kUnicode), make_char_ngrams(97)};
  for (const auto& embedder : all) {
    for (const TextRole role : {TextRole::kText, TextRole::kQuery, TextRole::kDocument}) {
      testing::expect_row_a_text(*embedder, texts, role, seed);
    }
  }
  RC_ASSERT(!::testing::Test::HasFailure());
}

}  // namespace
}  // namespace plumb::raters
