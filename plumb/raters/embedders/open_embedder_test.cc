#include "plumb/raters/embedders/open_embedder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/raters/embedders/embedder_testing.h"
#include "plumb/raters/embedders/npy.h"

namespace plumb::raters {
namespace {

using testing::file_of;

Error error_of(std::string_view model, const OpenOptions& options = {}) {
  auto embedder = open_embedder(model, options);
  EXPECT_FALSE(embedder) << model;
  return embedder ? Error{} : embedder.error();
}

TEST(OpenEmbedder, KnowsItsWords) {
  for (const char* word : {"bm25", "tfidf", "char-ngrams"}) {
    const auto embedder = open_embedder(word, {});
    ASSERT_TRUE(embedder);
    EXPECT_EQ((*embedder)->name(), word);
  }
  EXPECT_GE(embedder_kinds().size(), 8U);
}

TEST(OpenEmbedder, KnowsFilesByTheirNames) {
  const auto words = file_of("words.vec", "1 2\na 1 2\n");
  const auto packed = file_of("words.txt.gz", testing::gzip("a 1 2\n"));
  const auto binary = file_of("words.bin", "1 1\na " + testing::raw_bytes<float>({1}));
  const auto stored = file_of("stored.npy", npy_bytes(1, 1, std::vector<float>{1}));
  file_of("stored.ids.txt", "a\n");
  for (const auto& path : {words, packed, binary, stored}) {
    const auto embedder = open_embedder(path.string(), {});
    ASSERT_TRUE(embedder) << embedder.error().message;
    testing::prepared(**embedder, {"a"});
    EXPECT_EQ(testing::embedded(**embedder, {"a"}).dense_row(0)[0], 1);
    EXPECT_EQ((*embedder)->name(), path.filename());
  }
}

TEST(OpenEmbedder, NamesTheNearestWordAndAllThereAre) {
  const Error near = error_of("tf-idf");
  EXPECT_EQ(near.kind, ErrorKind::kNotFound);
  EXPECT_NE(near.message.find("did you mean tfidf?"), std::string::npos) << near.message;
  const Error far = error_of("no/such/model.npy");
  EXPECT_EQ(far.kind, ErrorKind::kNotFound);
  EXPECT_EQ(far.message.find("did you mean"), std::string::npos) << far.message;
  EXPECT_NE(far.message.find("bm25, tfidf, char-ngrams"), std::string::npos);
  EXPECT_EQ(error_of("").kind, ErrorKind::kNotFound);
}

TEST(OpenEmbedder, RefusesAFileOfAnotherKind) {
  const Error other = error_of(file_of("model.pkl", "x").string());
  EXPECT_EQ(other.kind, ErrorKind::kBadInput);
  EXPECT_NE(other.message.find("FILE.npy"), std::string::npos);
}

TEST(OpenEmbedder, RefusesOptionsOutOfTheirRange) {
  for (const Bm25Options& bm25 : {Bm25Options{-1, 0.5}, Bm25Options{1, 1.5}, Bm25Options{1, -0.1},
                                  Bm25Options{std::nan(""), 0.5}}) {
    EXPECT_EQ(error_of("bm25", {.bm25 = bm25}).kind, ErrorKind::kUsage);
  }
  for (const std::size_t dimension : {std::size_t{0}, (std::size_t{1} << 30) + 1}) {
    EXPECT_EQ(error_of("char-ngrams", {.ngram_dimension = dimension}).kind, ErrorKind::kUsage);
  }
}

TEST(OpenEmbedder, HandsTheOptionsOn) {
  const auto path = file_of("rule.txt", "e-mail 1\nmail 2\n").string();
  for (const auto& [rule, value] : {std::pair{WordRule::kUnicode, 2.F}, {WordRule::kBlanks, 1.F}}) {
    const auto embedder = open_embedder(path, {.words = rule});
    ASSERT_TRUE(embedder);
    testing::prepared(**embedder, {"e-mail"});
    EXPECT_EQ(testing::embedded(**embedder, {"e-mail"}).dense_row(0)[0], value);
  }
}

}  // namespace
}  // namespace plumb::raters
