#include "plumb/raters/embedders/encoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/random.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/pass.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWidth = 16;

// A BERT of two layers with a WordPiece vocabulary of a few words.
class EncoderTest : public testing::Test {
 protected:
  EncoderTest()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("encoder_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_ / "1_Pooling");
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ncat\ndog\nsat\nran\non\nmat\n##s\n");
    nn::TransformerConfig c;
    c.architecture = nn::Architecture::kBert;
    c.vocabulary = 13;
    c.width = kWidth;
    c.layers = 2;
    c.heads = c.key_heads = 2;
    c.head_width = 8;
    c.hidden = 24;
    c.context = c.position_rows = 12;
    c.norm = nn::Norm::kLayer;
    c.norm_first = c.gated = c.causal = c.language_head = c.tied = false;
    c.embedding_norm = c.query_bias = c.linear_bias = true;
    c.positions = nn::Positions::kLearned;
    c.rotary_width = 0;
    c.segments = 2;
    c.activation = nn::Activation::kGeluErf;
    nn::Transformer model(c);
    nn::initialise(model, 5);
    for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 20.0F;
    EXPECT_TRUE(nn::save_transformer(folder_, model));
  }
  ~EncoderTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(write_file_atomic(folder_ / name, text));
  }
  void write_modules(const std::string& pooling, bool normalize) const {
    write("modules.json",
          fmt::format(R"([{{"path": "", "type": "sentence_transformers.models.Transformer"}},
                          {{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}}{}])",
                      normalize ? R"(, {"path": "2_Normalize",
                                        "type": "sentence_transformers.models.Normalize"})"
                                : ""));
    write("1_Pooling/config.json",
          fmt::format(R"({{"word_embedding_dimension": 16, "{}": true}})", pooling));
  }
  std::vector<std::vector<float>> embed(const std::vector<std::string_view>& texts,
                                        const EmbedOptions& options = {}) const {
    auto encoder = Encoder::open(folder_);
    EXPECT_TRUE(encoder) << encoder.error().message;
    const auto vectors = (*encoder)->embed(texts, options);
    EXPECT_TRUE(vectors) << vectors.error().message;
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < vectors->rows(); ++i) {
      rows.emplace_back(vectors->dense_row(i).begin(), vectors->dense_row(i).end());
    }
    return rows;
  }
  void expect_refusal(const std::string& words) const {
    const auto encoder = Encoder::open(folder_);
    ASSERT_FALSE(encoder) << words;
    EXPECT_NE(encoder.error().message.find(words), std::string::npos) << encoder.error().message;
  }

  fs::path folder_;
};

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
}

TEST_F(EncoderTest, PoolsAsTheFolderSays) {
  // [CLS] a cat sat [SEP]
  const std::vector<std::int32_t> tokens = {2, 5, 6, 8, 3};
  const auto model = nn::load_transformer(folder_);
  nn::Pass pass(*model, 5, nn::PassKind::kInference);
  const std::vector<std::uint32_t> starts = {0, 5};
  pass.forward({tokens, starts});
  const auto weighted = [&](const std::vector<double>& weights) {
    std::vector<float> sum(kWidth);
    for (std::size_t d = 0; d < kWidth; ++d) {
      double value = 0, total = 0;
      for (std::size_t t = 0; t < 5; ++t) {
        value += weights[t] * static_cast<double>(pass.hidden()[t * kWidth + d]);
        total += weights[t];
      }
      sum[d] = static_cast<float>(value / total);
    }
    return sum;
  };
  expect_near(embed({"a cat sat"})[0], weighted({1, 1, 1, 1, 1}));  // without modules.json
  write_modules("pooling_mode_mean_tokens", false);
  expect_near(embed({"a cat sat"})[0], weighted({1, 1, 1, 1, 1}));
  write_modules("pooling_mode_cls_token", false);
  expect_near(embed({"a cat sat"})[0], weighted({1, 0, 0, 0, 0}));
  write_modules("pooling_mode_lasttoken", false);
  expect_near(embed({"a cat sat"})[0], weighted({0, 0, 0, 0, 1}));
  write_modules("pooling_mode_weightedmean_tokens", false);
  expect_near(embed({"a cat sat"})[0], weighted({1, 2, 3, 4, 5}));
  write_modules("pooling_mode_cls_token", true);
  auto expected = weighted({1, 0, 0, 0, 0});
  double length = 0;
  for (const float x : expected) length += static_cast<double>(x) * static_cast<double>(x);
  for (float& x : expected) x = static_cast<float>(static_cast<double>(x) / std::sqrt(length));
  expect_near(embed({"a cat sat"})[0], expected);
}

TEST_F(EncoderTest, GivesATextTheSameVectorAmongAnyOthersAndWithAnyThreads) {
  write_modules("pooling_mode_mean_tokens", true);
  const char* const words[] = {"a", "cats", "dog", "sat", "ran", "on", "mat", "zebra"};
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < 300; ++i) {
    Stream stream(2, "texts", i);
    std::string text;
    for (std::uint32_t w = stream.below(9); w > 0; --w)
      text += std::string(words[stream.below(8)]) + " ";
    texts.push_back(text);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto one = embed(views, {.threads = 1}), two = embed(views, {.threads = 2});
  EXPECT_EQ(one, two);
  for (std::size_t i = 0; i < 20; ++i) expect_near(embed({views[i]})[0], one[i]);
  const std::vector<std::string_view> reversed(views.rbegin(), views.rend());
  const auto back = embed(reversed);
  for (std::size_t i = 0; i < views.size(); ++i) expect_near(back[views.size() - 1 - i], one[i]);
}

TEST_F(EncoderTest, CutsLongTextsAndCountsThem) {
  write("sentence_bert_config.json", R"({"max_seq_length": 6, "do_lower_case": false})");
  const auto encoder = Encoder::open(folder_);
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ((*encoder)->max_tokens(), 6U);
  const std::vector<std::string_view> texts = {"a cat sat on", "a cat sat on a mat", "a dog"};
  const auto vectors = (*encoder)->embed(texts, {});
  ASSERT_TRUE(vectors);
  EXPECT_EQ((*encoder)->truncated(), 1U);
  ASSERT_EQ((*encoder)->notes().size(), 1U);
  EXPECT_EQ((*encoder)->notes()[0], "1 text is longer than the model's 6 tokens and was cut");
  EXPECT_EQ((*encoder)->provenance()["truncated_texts"], 1);
  for (std::size_t d = 0; d < kWidth; ++d) {
    EXPECT_NEAR(vectors->dense_row(0)[d], vectors->dense_row(1)[d], 1e-5);
  }
  EXPECT_EQ((*encoder)->embed({}, {})->rows(), 0U);
}

TEST_F(EncoderTest, FindsTextsAgainThatAnotherRunComputed) {
  const fs::path cache = folder_ / "cache" / "vectors.cache";
  const std::vector<std::string_view> some = {"a cat", "a dog ran"},
                                      all = {"on a mat", "a cat", "the dog sat on a mat",
                                             "a dog ran"};
  const auto embed_with = [&](const std::vector<std::string_view>& texts, TextRole role,
                              nn::Precision precision = nn::Precision::kF32) {
    auto encoder = Encoder::open(folder_, {.precision = precision, .cache = cache});
    EXPECT_TRUE(encoder) << encoder.error().message;
    const auto vectors = (*encoder)->embed(texts, {.role = role});
    EXPECT_TRUE(vectors) << vectors.error().message;
    return std::vector<float>(vectors->dense_values().begin(), vectors->dense_values().end());
  };
  const auto kept = [&] { return (*VectorCache::open(cache))->size(); };
  embed_with(some, TextRole::kText);
  EXPECT_EQ(kept(), 2U);
  const auto found = embed_with(all, TextRole::kText);
  EXPECT_EQ(kept(), 4U);
  const auto plain = embed(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(std::equal(plain[i].begin(), plain[i].end(), found.data() + i * kWidth)) << i;
  }
  // Another precision, prompt or pooling is another vector.
  std::size_t expected = 4;
  if (nn::check_precision(nn::Precision::kInt8)) {
    embed_with(some, TextRole::kText, nn::Precision::kInt8);
    EXPECT_EQ(kept(), expected += 2);
  }
  write("config_sentence_transformers.json", R"({"prompts": {"query": "on "}})");
  embed_with(some, TextRole::kQuery);
  EXPECT_EQ(kept(), expected += 2);
  write_modules("pooling_mode_cls_token", true);
  embed_with(some, TextRole::kQuery);
  EXPECT_EQ(kept(), expected += 2);
}

// A child that is killed in the middle leaves what it had brought to the disk, a mebibyte at least.
TEST_F(EncoderTest, GoesOnWhereItWasKilled) {
  const fs::path cache = folder_ / "vectors.cache";
  const char* const words[] = {"a", "cat", "dog", "sat", "ran", "on", "mat", "zebra"};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 16384; ++i) {
    std::string text;
    for (std::size_t n = i; n > 0; n /= 8) text += std::string(words[n % 8]) + " ";
    texts.push_back(text + words[i % 8]);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const pid_t child = ::fork();
  if (child == 0) {
    auto encoder = Encoder::open(folder_, {.cache = cache});
    (void)(*encoder)->embed(views, {.threads = 1, .progress = [](std::size_t done, std::size_t) {
                                      if (done > 12000) ::kill(::getpid(), SIGKILL);
                                    }});
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::size_t kept = (*VectorCache::open(cache))->size();
  EXPECT_GT(kept, 8000U);
  EXPECT_LT(kept, 13000U);
  std::size_t first_done = 0;
  auto encoder = Encoder::open(folder_, {.cache = cache});
  const auto rest = (*encoder)->embed(views, {.progress = [&](std::size_t done, std::size_t) {
                                        if (first_done == 0) first_done = done;
                                      }});
  ASSERT_TRUE(rest);
  EXPECT_EQ(first_done, kept);
  EXPECT_EQ((*VectorCache::open(cache))->size(), 16384U);
  const auto whole = (*Encoder::open(folder_))->embed(views, {});
  if (nn::kernels_named("avx512") == nullptr) return;  // elsewhere within 1e-5
  EXPECT_TRUE(std::ranges::equal(rest->dense_values(), whole->dense_values()));
}

TEST_F(EncoderTest, SaysThatTheCacheCannotBeWritten) {
  write("file", "");
  const auto encoder = Encoder::open(folder_, {.cache = folder_ / "file" / "vectors.cache"});
  ASSERT_FALSE(encoder);
  EXPECT_NE(encoder.error().message.find("vectors.cache: cannot write"), std::string::npos)
      << encoder.error().message;
}

TEST_F(EncoderTest, PutsThePromptOfTheRoleBeforeATextAndSaysSo) {
  write("config_sentence_transformers.json",
        R"({"prompts": {"query": "a dog ", "passage": "on "}, "default_prompt_name": null})");
  const auto plain = embed({"a dog ran", "on a mat", "a mat"});
  expect_near(embed({"ran"}, {.role = TextRole::kQuery})[0], plain[0]);
  expect_near(embed({"a mat"}, {.role = TextRole::kDocument})[0], plain[1]);
  expect_near(embed({"a mat"}, {.role = TextRole::kText})[0], plain[2]);
  const Json provenance = (*Encoder::open(folder_))->provenance();
  EXPECT_EQ(provenance["prompts"]["query"], "a dog ");
  EXPECT_EQ(provenance["pooling"], "mean");
  EXPECT_EQ(provenance["sha256"]["vocab.txt"], sha256(*read_file(folder_ / "vocab.txt")));
  EXPECT_TRUE(provenance["sha256"].contains("model.safetensors"));
  EXPECT_TRUE(provenance["sha256"].contains("config_sentence_transformers.json"));
}

TEST_F(EncoderTest, NamesWhatItDoesNotSupport) {
  write_modules("pooling_mode_max_tokens", false);
  expect_refusal("1_Pooling/config.json: the pooling pooling_mode_max_tokens is not supported");
  write("1_Pooling/config.json",
        R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})");
  expect_refusal("together are not supported");
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token": false})");
  expect_refusal("no pooling is chosen");
  write("1_Pooling/config.json", "nothing");
  expect_refusal("not a JSON object or list");
  write("modules.json", R"([{"path": "", "type": "a.Transformer"}])");
  expect_refusal("there is no Pooling module");
  write("modules.json", R"([{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])");
  expect_refusal("the module Dense is not supported");
  write("modules.json", R"([{"path": "../x", "type": "a.Pooling"}])");
  expect_refusal("lies outside the folder");
  write("modules.json", R"([{"path": ""}])");
  expect_refusal("a module has no type");
  write("modules.json", "{}");
  expect_refusal("not a list of modules");
  fs::remove(folder_ / "modules.json");
  write("sentence_bert_config.json", R"({"max_seq_length": "long"})");
  expect_refusal("\"max_seq_length\" is not a whole number");
  fs::remove(folder_ / "sentence_bert_config.json");
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\n");
  expect_refusal("the tokenizer has 14 tokens, the model 13");
}

// It stores its tied embedding under the head's name alone, which an encoder has no use for.
TEST(EncoderOfALanguageModel, EmbedsTextsThatShareWordsCloserTogether) {
  const fs::path folder = "../shared/data/models/tinystories-656k";
  if (!fs::exists(folder)) GTEST_SKIP() << "../shared/data is absent";
  auto encoder = Encoder::open(folder);
  ASSERT_TRUE(encoder) << encoder.error().message;
  const std::string_view texts[] = {"The little dog ran home.", "The little dog ran to the park.",
                                    "Rain, rain."};
  const auto vectors = (*encoder)->embed(texts, {});
  ASSERT_TRUE(vectors) << vectors.error().message;
  const auto cosine = [&](std::size_t a, std::size_t b) {
    return dot(*vectors, a, *vectors, b) /
           std::sqrt(vectors->squared_norm(a) * vectors->squared_norm(b));
  };
  EXPECT_GT(cosine(0, 1), cosine(0, 2));
}

}  // namespace
}  // namespace plumb::raters
