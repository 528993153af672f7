#include "plumb/raters/embedders/static_embedder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>

#include "plumb/base/hash.h"
#include "plumb/raters/embedders/embedder_testing.h"
#include "plumb/raters/embedders/principal_component.h"
#include "plumb/raters/embedders/word_vectors.h"

namespace plumb::raters {
namespace {

using testing::embedded;
using testing::file_of;
using testing::golden_embedders;
using testing::prepared;
using testing::raw_bytes;

std::unique_ptr<Embedder> opened(const std::filesystem::path& path, const StaticOptions& options) {
  auto embedder = make_static_embedder(path, options);
  EXPECT_TRUE(embedder) << embedder.error().message;
  return std::move(*embedder);
}

std::string golden_lines() {
  const nlohmann::json vectors = golden_embedders()["vectors"];
  std::string lines;
  for (const auto& entry : vectors) {
    lines += entry[0].get<std::string>();
    for (const double value : entry[1]) lines += fmt::format(" {}", value);
    lines += "\n";
  }
  return lines;
}

std::string golden_binary(bool line_ends) {
  const nlohmann::json vectors = golden_embedders()["vectors"];
  std::string bytes = fmt::format("{} 6\n", vectors.size());
  for (const auto& entry : vectors) {
    bytes += entry[0].get<std::string>() + " " + raw_bytes(entry[1].get<std::vector<float>>()) +
             (line_ends ? "\n" : "");
  }
  return bytes;
}

void expect_rows(const Vectors& vectors, const nlohmann::json& rows) {
  ASSERT_EQ(vectors.rows(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t d = 0; d < rows[i].size(); ++d) {
      EXPECT_NEAR(vectors.dense_row(i)[d], rows[i][d].get<double>(), 1e-6) << i << " " << d;
    }
  }
}

TEST(StaticEmbedder, EqualsNumPy) {
  const auto golden = golden_embedders();
  const std::vector<std::string> texts = golden["texts"];
  const auto path = file_of("golden.txt", golden_lines());
  const std::pair<StaticOptions, const char*> cases[] = {
      {{}, "mean"},
      {{.pooling = WordPooling::kSif}, "sif"},
      {{.pooling = WordPooling::kSif, .frequencies = "order"}, "sif_order"},
      {{.pooling = WordPooling::kSif, .remove_component = true}, "sif_removed"}};
  for (const auto& [options, rows] : cases) {
    const auto embedder = opened(path, options);
    prepared(*embedder, texts);
    expect_rows(embedded(*embedder, texts), golden[rows]);
  }
}

// Every way to write the same vectors down gives the same bytes.
TEST(StaticEmbedder, ReadsEveryFormatAlike) {
  const std::vector<std::string> texts = golden_embedders()["texts"];
  const std::string lines = golden_lines();
  const std::string header = fmt::format("{} 6\n", golden_embedders()["vectors"].size());
  std::string tabs = lines, crlf;
  std::replace(tabs.begin(), tabs.end(), ' ', '\t');
  for (const char byte : lines) crlf += byte == '\n' ? std::string(" \r\n") : std::string(1, byte);
  const std::pair<const char*, std::string> files[] = {
      {"a.txt", lines},
      {"a.vec", header + lines},
      {"bom.txt", "\xef\xbb\xbf" + header + lines},
      {"tabs.txt", tabs},
      {"crlf.txt", crlf},
      {"blank_line.txt", lines + "\n"},
      {"open_end.txt", lines.substr(0, lines.size() - 1)},
      {"twice.txt", lines + "ferry 9 9 9 9 9 9\n"},  // the first counts
      {"packed.txt.gz", testing::gzip(header + lines)},
      {"a.bin", golden_binary(false)},
      {"ends.bin", golden_binary(true)},
      {"packed.bin.gz", testing::gzip(golden_binary(true))}};
  const auto plain = opened(file_of("plain.txt", lines), {});
  prepared(*plain, texts);
  const Vectors expected = embedded(*plain, texts);
  for (const auto& [name, bytes] : files) {
    const auto path = file_of(name, bytes);
    const auto embedder = opened(path, {});
    prepared(*embedder, texts);
    const Vectors vectors = embedded(*embedder, texts);
    EXPECT_TRUE(std::ranges::equal(vectors.dense_values(), expected.dense_values())) << name;
    EXPECT_EQ(embedder->provenance()["sha256"], sha256(bytes)) << name;
  }
}

TEST(StaticEmbedder, LooksWordsUpAsWrittenThenInLowerCase) {
  const auto embedder = opened(file_of("case.txt", "Bath 1 0\nbath 0 1\nferry 2 2\n"), {});
  prepared(*embedder, {"Bath", "bath", "FERRY", "BATH", "none"});
  const Vectors vectors = embedded(*embedder, {"Bath", "bath", "FERRY", "BATH", "none", ""});
  EXPECT_TRUE(std::ranges::equal(vectors.dense_values(),
                                 std::vector<float>{1, 0, 0, 1, 2, 2, 0, 1, 0, 0, 0, 0}));
}

TEST(StaticEmbedder, KeepsWordsWithBlanksOutOfTheWay) {
  const auto embedder = opened(file_of("blanks.txt", "at 1 2\n. . . 3 4\nname@domain 5 6\n"), {});
  prepared(*embedder, {"at"});
  EXPECT_EQ(embedded(*embedder, {"at"}).dense_row(0)[1], 2);
  EXPECT_EQ(embedder->provenance()["words_in_file"], 3);
}

TEST(StaticEmbedder, TakesFrequenciesFromAFile) {
  const auto counts = file_of("counts.txt", "a 3\nb 1\n\n");
  const auto path = file_of("two.txt", "a 1\nb 1\nc 1\n");
  const auto embedder =
      opened(path, {.pooling = WordPooling::kSif, .sif_a = 0.5, .frequencies = counts.string()});
  prepared(*embedder, {"a", "b", "c"});
  const Vectors vectors = embedded(*embedder, {"a", "b", "c"});
  EXPECT_NEAR(vectors.dense_row(0)[0], 0.5 / (0.5 + 0.75), 1e-7);
  EXPECT_NEAR(vectors.dense_row(1)[0], 0.5 / (0.5 + 0.25), 1e-7);
  EXPECT_EQ(vectors.dense_row(2)[0], 1);
  const Json says = embedder->provenance();
  EXPECT_EQ(says["pooling"], "sif");
  EXPECT_EQ(says["a"], 0.5);
  EXPECT_EQ(says["frequencies_sha256"], sha256("a 3\nb 1\n\n"));
  EXPECT_EQ(says["words_known"], 3);
  EXPECT_EQ(says["prompt"], "");
}

TEST(StaticEmbedder, FailsWhereNoTextHasAKnownWord) {
  const auto embedder = opened(file_of("other.txt", "кот 1\n"), {});
  const auto done = embedder->prepare(testing::views({"cat"}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(done.error().message.find("\"cat\""), std::string::npos);
}

TEST(StaticEmbedder, RefusesAnAThatIsNotAboveZero) {
  const auto path = file_of("a.txt", "a 1\n");
  for (const double a : {0.0, -1.0, std::nan("")}) {
    const auto embedder = make_static_embedder(path, {.sif_a = a});
    ASSERT_FALSE(embedder);
    EXPECT_EQ(embedder.error().kind, ErrorKind::kUsage);
  }
}

TEST(StaticEmbedder, SaysThatPrepareWasForgotten) {
  const auto embedder = opened(file_of("a.txt", "a 1\n"), {});
  EXPECT_EQ(embedder->embed({}, {}).error().kind, ErrorKind::kInternal);
}

RC_GTEST_PROP(StaticEmbedder, GivesARowATextWhateverTheOrderAndThreads, (std::uint64_t seed)) {
  Stream stream(seed, "texts", 0);
  auto texts = testing::random_texts(stream, 1 + stream.below(100));
  texts.emplace_back("ferry");
  const auto path = file_of("property.txt", golden_lines());
  const auto embedder = opened(path, {.pooling = WordPooling::kSif});
  testing::expect_row_a_text(*embedder, texts, TextRole::kText, seed);
  RC_ASSERT(!::testing::Test::HasFailure());
}

TEST(PrincipalComponent, IsFoundWhereColumnsAreSeparate) {
  // Blocks: the largest single column has 5, the largest component 8 of two columns with 4 each.
  const std::vector<float> values = {std::sqrt(5.F), 0, 0, 0, 2, 2};
  const auto component = principal_component(values, 3);
  EXPECT_NEAR(std::abs(component[0]), 0, 1e-9);
  EXPECT_NEAR(std::abs(component[1]), std::sqrt(0.5), 1e-9);
  EXPECT_TRUE(principal_component(std::vector<float>(6, 0), 3).empty());
  EXPECT_TRUE(principal_component({}, 3).empty());
}

struct Malformed {
  const char* name;
  std::string bytes;
  const char* message;  // a part of it
};

TEST(WordVectors, NameWhatIsWrongAndWhere) {
  const std::string one = raw_bytes<float>({1, 2});
  const float nan = std::nanf("");
  const Malformed cases[] = {
      {"empty.txt", "", "holds no word vectors"},
      {"header.txt", "0 5\n", "holds no word vectors"},
      {"word.txt", "word\n", ":1: a dimension of 0"},
      {"blank.txt", "\nword 1\n", ":1: a dimension of 0"},
      {"zero.txt", "3 0\n", ":1: a dimension of 0"},
      {"wide.txt", "3 70000\n", ":1: a dimension of 70000"},
      {"huge.txt", "1 18446744073709551615\n", ":1: a dimension of 18446744073709551615"},
      {"few.txt", "a 1 2\nb 1\n", ":2: 1 numbers where the file's vectors have 2"},
      {"none.txt", "a 1 2\nb\n", ":2: 0 numbers"},
      {"promise.txt", "1 3\na 1 2\n", ":2: 2 numbers where the file's vectors have 3"},
      {"letters.txt", "a 1 two\n", ":1: \"two\", number 2 of the word \"a\", is not a number"},
      {"comma.txt", "a 1,5 2\n", ":1: \"1,5\", number 1"},
      {"gap.txt", "a 1 2\nb  1\n", "\"\", number 1 of the word \"b\""},
      {"nan.txt", "a 1 2\nb nan 1\n", ":2: nan, number 1 of the word \"b\", is not finite"},
      {"inf.txt", "a 1 -inf\n", ":1: -inf, number 2 of the word \"a\", is not finite"},
      {"large.txt", "a 1e39 2\n", ":1: 1e39, number 1 of the word \"a\", is not finite"},
      {"overflow.txt", "a 1e999 2\n", ":1: \"1e999\", number 1"},
      {"short.txt", "3 1\na 1\nb 2\n", "2 words where its first line says 3"},
      {"long.txt", "1 1\na 1\nb 2\n", "2 words where its first line says 1"},
      {"cut.txt.gz", testing::gzip("a 1 2\nb 3 4\n").substr(0, 20), "cut short"},
      {"start.bin", "a " + one, "no line \"COUNT DIMENSION\""},
      {"empty.bin", "", "no line \"COUNT DIMENSION\""},
      {"text.bin", "a 1 2\nb 3 4\n", "no line \"COUNT DIMENSION\""},
      {"zero.bin", "1 0\na ", ":1: a dimension of 0"},
      {"wide.bin", "1 99999999999\n", ":1: a dimension of 99999999999"},
      {"none.bin", "0 2\n", "holds no word vectors"},
      {"cut.bin", "2 2\na " + one + "b " + one.substr(0, 5), "ends in word 2"},
      {"few.bin", "3 2\na " + one + "b " + one, "ends in word 3"},
      {"many.bin", "1 2\na " + one + "b " + one, "bytes follow after the 1 words"},
      {"nan.bin", "1 2\na " + raw_bytes<float>({1, nan}),
       "number 2 of word 1, \"a\", is not finite"},
      {"unended.bin", "1 2\n" + std::string(80000, 'x'), "without an end of the word"},
      {"promise.bin", "18446744073709551615 2\na " + one, "ends in word 2"}};
  for (const Malformed& bad : cases) {
    const auto path = file_of(bad.name, bad.bytes);
    const auto read = read_word_vectors(path, {"a", "b"}, {});
    ASSERT_FALSE(read) << bad.name;
    EXPECT_EQ(read.error().kind, ErrorKind::kBadInput) << bad.name;
    EXPECT_TRUE(read.error().message.starts_with(path.string())) << read.error().message;
    EXPECT_NE(read.error().message.find(bad.message), std::string::npos)
        << bad.name << ": " << read.error().message;
  }
  EXPECT_EQ(read_word_vectors("no/such.txt", {}, {}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(make_static_embedder("no/such.txt", {}).error().kind, ErrorKind::kNotFound);
}

TEST(WordVectors, NameTheLineOfABadCount) {
  const auto path = file_of("vectors.txt", "a 1\n");
  for (const char* lines : {"a\n", "a 1\nb x\n", "a -1\n", "a nan\n", "", "a 0\n"}) {
    const auto counts = file_of("counts.txt", lines);
    const auto embedder =
        make_static_embedder(path, {.pooling = WordPooling::kSif, .frequencies = counts.string()});
    ASSERT_FALSE(embedder) << lines;
    EXPECT_EQ(embedder.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(embedder.error().message.starts_with(counts.string()));
  }
  const auto embedder =
      make_static_embedder(path, {.pooling = WordPooling::kSif, .frequencies = "no/such"});
  EXPECT_EQ(embedder.error().kind, ErrorKind::kNotFound);
}

// Any change of a byte is an error or leaves finite vectors of the right size.
RC_GTEST_PROP(WordVectors, SurviveAnyBytes, (std::uint64_t seed)) {
  Stream stream(seed, "bytes", 0);
  const bool binary = stream.below(2) == 0;
  std::string bytes = binary ? golden_binary(stream.below(2) == 0) : golden_lines();
  for (std::size_t changes = stream.below(8); changes > 0; --changes) {
    bytes[stream.below(bytes.size())] = static_cast<char>(stream.below(256));
  }
  bytes.resize(bytes.size() - stream.below(2) * stream.below(bytes.size()));
  const auto path = file_of(binary ? "any.bin" : "any.txt", bytes);
  const auto read = read_word_vectors(path, {"ferry", "the", "bread"}, {});
  if (!read) {
    RC_ASSERT(read.error().message.starts_with(path.string()));
    return;
  }
  RC_ASSERT(read->values.size() == read->places.size() * read->dimension);
  for (const float value : read->values) RC_ASSERT(std::isfinite(value));
}

}  // namespace
}  // namespace plumb::raters
