#include "plumb/raters/embedders/model2vec_embedder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "plumb/base/hash.h"
#include "plumb/raters/embedders/embedder_testing.h"
#include "plumb/raters/embedders/open_embedder.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;
using testing::embedded;
using testing::file_of;
using testing::raw_bytes;

// WordPiece over eight tokens, lower-cased, that would put [CLS] and [SEP] around a text.
constexpr const char* kTokenizer = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [
    {"id": 0, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                 "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                       "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100,
    "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "ferry": 3, "##man": 4, "late": 5, "the": 6, "!": 7}}
})";

// Row t of the table is {t, t * t}.
std::vector<float> table(std::size_t rows = 8) {
  std::vector<float> values;
  for (std::size_t t = 0; t < rows; ++t) {
    values.push_back(static_cast<float>(t));
    values.push_back(static_cast<float>(t * t));
  }
  return values;
}

struct TensorText {
  std::string name, type, shape, bytes;
};

std::string safetensors_of(const std::vector<TensorText>& tensors) {
  std::string header = "{", data;
  for (const TensorText& tensor : tensors) {
    header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                          header.size() > 1 ? "," : "", tensor.name, tensor.type, tensor.shape,
                          data.size(), data.size() + tensor.bytes.size());
    data += tensor.bytes;
  }
  header += "}";
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

const std::vector<TensorText> kPlain = {{"embeddings", "F32", "[8,2]", raw_bytes(table())}};

fs::path folder_of(const std::vector<TensorText>& tensors, const char* config,
                   const char* tokenizer = kTokenizer) {
  const fs::path folder = testing::scratch("model2vec/model.safetensors").parent_path();
  fs::remove_all(folder);
  fs::create_directories(folder);
  file_of("model2vec/model.safetensors", safetensors_of(tensors));
  if (tokenizer != nullptr) file_of("model2vec/tokenizer.json", tokenizer);
  if (config != nullptr) file_of("model2vec/config.json", config);
  return folder;
}

std::unique_ptr<Embedder> opened(const fs::path& folder) {
  auto embedder = open_embedder(folder.string(), {});
  EXPECT_TRUE(embedder) << embedder.error().message;
  return std::move(*embedder);
}

std::vector<float> first_row(Embedder& embedder, const std::string& text) {
  const Vectors vectors = embedded(embedder, {text});
  return {vectors.dense_row(0).begin(), vectors.dense_row(0).end()};
}

// By hand: tokens 6 3 4 5 7, without the template's and the unknown ones.
TEST(Model2vec, IsTheMeanOfTheTokens) {
  const auto embedder = opened(folder_of(kPlain, R"({"normalize": false})"));
  EXPECT_EQ(first_row(*embedder, "The ferryman, LATE!"),
            (std::vector<float>{25.F / 5, (36 + 9 + 16 + 25 + 49) / 5.F}));
  EXPECT_EQ(first_row(*embedder, "unseen late"), (std::vector<float>{5, 25}));
  EXPECT_EQ(first_row(*embedder, "unseen"), (std::vector<float>{0, 0}));
  EXPECT_EQ(first_row(*embedder, ""), (std::vector<float>{0, 0}));
}

TEST(Model2vec, NormalizesWhereItsFilesSaySo) {
  const auto embedder = opened(folder_of(kPlain, R"({"normalize": true})"));
  const std::vector<float> row = first_row(*embedder, "ferry");
  EXPECT_FLOAT_EQ(row[0], 3 / std::sqrt(90.F));
  EXPECT_FLOAT_EQ(row[1], 9 / std::sqrt(90.F));
  EXPECT_EQ(first_row(*embedder, "unseen"), (std::vector<float>{0, 0}));
  const fs::path folder =
      folder_of({{"embedding.weight", "F32", "[8,2]", raw_bytes(table())}}, nullptr);
  EXPECT_EQ(first_row(*opened(folder), "ferry"), (std::vector<float>{3, 9}));
  file_of("model2vec/modules.json",
          R"([{"type": "sentence_transformers.models.StaticEmbedding"},
              {"type": "sentence_transformers.models.Normalize"}])");
  EXPECT_FLOAT_EQ(first_row(*opened(folder), "ferry")[0], 3 / std::sqrt(90.F));
}

TEST(Model2vec, AppliesWeightsAndMapping) {
  const std::vector<float> weights = {1, 1, 1, 0.5F, 1, 2, 1, 1};
  const std::vector<std::int64_t> mapping = {0, 0, 0, 1, 0, 1, 0, 0};
  const auto embedder = opened(folder_of({{"embeddings", "F32", "[2,2]", raw_bytes(table(2))},
                                          {"mapping", "I64", "[8]", raw_bytes(mapping)},
                                          {"weights", "F32", "[8]", raw_bytes(weights)}},
                                         R"({"normalize": false})"));
  EXPECT_EQ(first_row(*embedder, "ferry late the"), (std::vector<float>{2.5F / 3, 2.5F / 3}));
}

TEST(Model2vec, ReadsTheFirst512Tokens) {
  const auto embedder = opened(folder_of(kPlain, nullptr));
  std::string text;
  for (int i = 0; i < 512; ++i) text += "! ";
  EXPECT_EQ(first_row(*embedder, text + "late late late"), (std::vector<float>{7, 49}));
  // And of them the first 512 times the median length of a token, 5 characters of these.
  EXPECT_EQ(first_row(*embedder, std::string(512 * 5, ' ') + "late"), (std::vector<float>{0, 0}));
  EXPECT_EQ(first_row(*embedder, std::string(512 * 5 - 4, ' ') + "late"),
            (std::vector<float>{5, 25}));
}

TEST(Model2vec, SaysWhatItRead) {
  const Json says = opened(folder_of(kPlain, R"({"normalize": true})"))->provenance();
  EXPECT_EQ(says["model"], "model2vec");
  EXPECT_EQ(says["files"]["tokenizer.json"], sha256(kTokenizer));
  EXPECT_EQ(says["files"]["model.safetensors"], sha256(safetensors_of(kPlain)));
  EXPECT_EQ(says["normalize"], true);
  EXPECT_EQ(says["prompt"], "");
}

TEST(Model2vec, NamesWhatIsWrong) {
  const std::string all = raw_bytes(table());
  std::vector<float> broken = table();
  broken[5] = std::nanf("");
  const std::vector<std::int64_t> outside(8, 8), below(8, -1);
  struct Case {
    std::vector<TensorText> tensors;
    const char *config, *message;
  };
  const Case cases[] = {
      {{{"wte", "F32", "[8,2]", all}}, nullptr, "no table \"embeddings\""},
      {{{"embeddings", "F32", "[16]", all}}, nullptr, "no table \"embeddings\""},
      {{{"embeddings", "F32", "[0,2]", ""}}, nullptr, "model.safetensors"},
      {{{"embeddings", "I32", "[8,2]", all}}, nullptr, "embeddings"},
      {{{"embeddings", "F32", "[8,2]", raw_bytes(broken)}}, nullptr, "embeddings"},
      {{{"embeddings", "F32", "[4,2]", all.substr(0, 32)}},
       nullptr,
       "\"embeddings\" has 4 rows where the tokenizer has 8 tokens"},
      {{kPlain[0], {"weights", "F32", "[1]", raw_bytes<float>({1})}},
       nullptr,
       "\"weights\" has 1 rows"},
      {{kPlain[0], {"mapping", "I64", "[1]", raw_bytes<std::int64_t>({1})}},
       nullptr,
       "\"mapping\" has 1 rows"},
      {{kPlain[0], {"mapping", "I64", "[8]", raw_bytes(outside)}}, nullptr, "sends token 0"},
      {{kPlain[0], {"mapping", "I64", "[8]", raw_bytes(below)}}, nullptr, "sends token 0"},
      {{kPlain[0], {"mapping", "F32", "[8]", all.substr(0, 32)}}, nullptr, "\"mapping\" is F32"},
      {kPlain, "{", "config.json: is not JSON"},
      {kPlain, R"({"normalize": 1})", "\"normalize\" is neither"}};
  for (const Case& bad : cases) {
    const auto embedder = make_model2vec(folder_of(bad.tensors, bad.config));
    ASSERT_FALSE(embedder) << bad.message;
    EXPECT_EQ(embedder.error().kind, ErrorKind::kBadInput) << embedder.error().message;
    EXPECT_NE(embedder.error().message.find(bad.message), std::string::npos)
        << embedder.error().message;
  }
  EXPECT_EQ(make_model2vec("no/such").error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(make_model2vec(folder_of(kPlain, nullptr, nullptr)));
  EXPECT_FALSE(make_model2vec(folder_of(kPlain, nullptr, "{}")));
}

RC_GTEST_PROP(Model2vec, GivesARowATextWhateverTheOrderAndThreads, (std::uint64_t seed)) {
  static const fs::path kFolder = folder_of(kPlain, R"({"normalize": true})");
  Stream stream(seed, "texts", 0);
  const auto texts = testing::random_texts(stream, 1 + stream.below(100));
  testing::expect_row_a_text(*opened(kFolder), texts, TextRole::kText, seed);
  RC_ASSERT(!::testing::Test::HasFailure());
}

}  // namespace
}  // namespace plumb::raters
