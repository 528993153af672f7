// --precision: of language models and of encoders, and what a processor without it says.
#include "plumb/nn/precision.h"
#include "plumb/lm/testing.h"
#include "program.h"

namespace plumb {
namespace {

class PrecisionOption : public Program {
 protected:
  PrecisionOption() {
    write("tokenizer.bin", lm::letters_tokenizer());
    write("stories.txt", lm::stories(20));
    nn::Transformer model(lm::letters_config());
    nn::initialise(model, 3);
    for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 10.0F;
    EXPECT_TRUE(nn::save_transformer(folder_ / "model", model));
    fs::copy_file(path("tokenizer.bin"), path("model/tokenizer.bin"));
  }
  std::string eval(const std::string& precision) const {
    return fmt::format("lm eval '{}' --model '{}' --resamples 100 --json --precision {}",
                       path("stories.txt"), path("model"), precision);
  }
};

TEST_F(PrecisionOption, ChangesNatsALittleAndIsStated) {
  const Json reference = Json::parse(run(eval("f32")).out);
  EXPECT_EQ(reference["precision"], "f32");
  for (const auto& [name, precision, most] :
       {std::tuple("bf16", nn::Precision::kBf16, 0.02), {"int8", nn::Precision::kInt8, 0.05}}) {
    if (!nn::check_precision(precision)) continue;
    const Outcome outcome = run(eval(name));
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    const Json rounded = Json::parse(outcome.out);
    EXPECT_EQ(rounded["precision"], name);
    EXPECT_NE(rounded["nats"], reference["nats"]);
    EXPECT_NEAR(rounded["nats_per_token"].get<double>(), reference["nats_per_token"].get<double>(),
                most);
    EXPECT_EQ(run(eval(name) + " --threads 1").out, outcome.out);
  }
}

TEST_F(PrecisionOption, IsRefusedInWordsWhereTheProcessorLacksIt) {
  for (const auto& [name, instructions] :
       {std::pair("bf16", "AVX-512 BF16"), {"int8", "AVX-512 VNNI"}}) {
    const Outcome outcome = shell("ONEDNN_MAX_CPU_ISA=AVX2 plumb " + eval(name));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.error.find(
                  fmt::format("precision {}: this processor has no {}", name, instructions)),
              std::string::npos)
        << outcome.error;
  }
  EXPECT_EQ(shell("ONEDNN_MAX_CPU_ISA=AVX2 plumb " + eval("f32")).code, 0);
  expect_failure(eval("f16"), 2, "f32, bf16, int8");
}

}  // namespace
}  // namespace plumb
