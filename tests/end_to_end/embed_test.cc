// plumb embed and plumb score with an encoder's folder: the cache, the precision, what is cut.
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/precision.h"
#include "program.h"

namespace plumb {
namespace {

class EncoderFolder : public Program {
 protected:
  static constexpr std::size_t kWidth = 32, kTexts = 60;

  EncoderFolder() {
    setenv("XDG_CACHE_HOME", path("cache").c_str(), 1);
    write("model/vocab.txt",
          "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngreen\napple\nriver\nstone\ncloud\n");
    nn::TransformerConfig c;
    c.architecture = nn::Architecture::kBert;
    c.vocabulary = 10;
    c.width = kWidth;
    c.layers = 2;
    c.heads = c.key_heads = 4;
    c.head_width = 8;
    c.hidden = 64;
    c.context = c.position_rows = 8;
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
    EXPECT_TRUE(nn::save_transformer(folder_ / "model", model));
    write_task("t.jsonl", kTexts / 2);
  }
  // Pairs of which no text occurs twice; the last text has 10 tokens.
  void write_task(const std::string& name, std::size_t pairs) const {
    const char* words[] = {"green", "apple", "river", "stone", "cloud"};
    std::string task = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs"})"
                       "\n";
    const auto text = [&](std::size_t i) {
      std::string made;
      for (std::size_t n = i; n > 0; n /= 5) made += fmt::format("{} ", words[n % 5]);
      return made + "river";
    };
    for (std::size_t i = 0; i < pairs; ++i) {
      const std::string second =
          i + 1 < pairs ? text(2 * i + 2) : "green green green green green green green green";
      task += fmt::format(R"({{"id":"{}","text1":"{}","text2":"{}","rating":{}}})"
                          "\n",
                          i, text(2 * i + 1), second, i % 6);
    }
    write(name, task);
  }
  std::string embed(const std::string& output, const std::string& more = "") const {
    return fmt::format("embed '{}' --model '{}' -o '{}' {}", path("t.jsonl"), path("model"),
                       path(output), more);
  }
  std::uintmax_t cache_bytes() const {
    return fs::file_size(folder_ / "cache/plumb/vectors.cache");
  }
  static constexpr std::uintmax_t full_cache(std::size_t texts) {
    return 16 + texts * (56 + 4 * kWidth);
  }
};

TEST_F(EncoderFolder, IsAskedForEachTextOnce) {
  const Outcome first = run(embed("first.npy"));
  ASSERT_EQ(first.code, 0) << first.error;
  EXPECT_EQ(cache_bytes(), full_cache(kTexts));
  ASSERT_EQ(run(embed("again.npy")).code, 0);
  EXPECT_EQ(cache_bytes(), full_cache(kTexts));
  ASSERT_EQ(run(embed("without.npy", "--no-cache --threads 1")).code, 0);
  EXPECT_EQ(cache_bytes(), full_cache(kTexts));
  const std::string vectors = *read_file(path("first.npy"));
  EXPECT_EQ(*read_file(path("again.npy")), vectors);
  EXPECT_EQ(*read_file(path("without.npy")), vectors);
  ASSERT_EQ(run(embed("other.npy", "--cache '" + path("mine") + "'")).code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "mine/vectors.cache"));
}

TEST_F(EncoderFolder, SaysWhatToDoWhereTheCacheCannotBeWritten) {
  setenv("XDG_CACHE_HOME", path("t.jsonl").c_str(), 1);  // a file
  const Outcome outcome = run(embed("v.npy"));
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.error.find("vectors.cache: cannot write"), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("--no-cache keeps none"), std::string::npos) << outcome.error;
  EXPECT_EQ(run(embed("v.npy", "--no-cache")).code, 0);
}

TEST_F(EncoderFolder, GoesOnWhereItWasKilled) {
  write_task("t.jsonl", 20000);
  ASSERT_EQ(shell(fmt::format("timeout -s KILL 1.5 '{}' {} >/dev/null 2>&1; true", PLUMB_PROGRAM,
                              embed("killed.npy")))
                .code,
            0);
  ASSERT_EQ(run(embed("resumed.npy")).code, 0);
  EXPECT_EQ(cache_bytes(), full_cache(40000));  // no text was computed twice
  ASSERT_EQ(run(embed("whole.npy", "--no-cache")).code, 0);
  EXPECT_EQ(*read_file(path("resumed.npy")), *read_file(path("whole.npy")));
}

TEST_F(EncoderFolder, SaysHowManyTextsWereCut) {
  for (int i = 0; i < 2; ++i) {  // from the network, then from the cache
    const Outcome outcome = run(embed("v.npy"));
    EXPECT_NE(
        outcome.error.find("plumb: model: 1 text is longer than the model's 8 tokens and was cut"),
        std::string::npos)
        << outcome.error;
  }
  const Outcome scored = run(fmt::format("score '{}' --model '{}' --json --resamples 100",
                                         path("t.jsonl"), path("model")));
  ASSERT_EQ(scored.code, 0) << scored.error;
  EXPECT_NE(scored.error.find("1 text is longer"), std::string::npos) << scored.error;
}

TEST_F(EncoderFolder, ComputesInThePrecisionThatIsAskedFor) {
  ASSERT_EQ(run(embed("f32.npy")).code, 0);
  std::size_t precisions = 1;
  for (const auto& [name, precision] :
       {std::pair("bf16", nn::Precision::kBf16), {"int8", nn::Precision::kInt8}}) {
    if (!nn::check_precision(precision)) continue;
    const std::string file = fmt::format("{}.npy", name);
    ASSERT_EQ(run(embed(file, fmt::format("--precision {}", name))).code, 0);
    EXPECT_NE(*read_file(path(file)), *read_file(path("f32.npy")));
    EXPECT_EQ(cache_bytes(), full_cache(++precisions * kTexts));
  }
  const Outcome refused =
      shell("ONEDNN_MAX_CPU_ISA=AVX2 plumb " + embed("v.npy", "--precision int8"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.error.find("has no AVX-512 VNNI"), std::string::npos) << refused.error;
}

}  // namespace
}  // namespace plumb
