// plumb lm as a user runs it: train a little model, sample, evaluate, export; and what is refused.
#include "killed.h"
#include "plumb/base/version.h"
#include "plumb/lm/testing.h"
#include "program.h"

namespace plumb {
namespace {

class Lm : public Program {
 protected:
  Lm() {
    write("tokenizer.bin", lm::letters_tokenizer());
    write("stories.txt", lm::stories(300));
  }
  std::string train(const std::string& more, int steps = 40, int heads = 4,
                    int context = 48) const {
    return fmt::format(
        "lm train '{}' --tokenizer '{}' --run '{}' --width 32 --layers 2 --heads {} --key-heads 2 "
        "--hidden 48 --context {} --steps {} --batch 8 --rate 0.01 --warmup 5 {}",
        path("stories.txt"), path("tokenizer.bin"), path("run"), heads, context, steps, more);
  }
  // What plumb says of the texts, and what a reader of the exported folder says that knows nothing
  // of plumb.
  void expect_same_elsewhere(const std::string& model, const std::string& texts) const {
    const std::string folder = path("exported");
    const Outcome exported = run(fmt::format("lm export --model '{}' -o '{}'", model, folder));
    ASSERT_EQ(exported.code, 0) << exported.error;
    EXPECT_EQ(exported.error, "");
    const Outcome ours =
        run(fmt::format("lm eval '{}' --model '{}' --json --resamples 100", texts, model));
    ASSERT_EQ(ours.code, 0) << ours.error;
    const Outcome theirs =
        shell(fmt::format("'{}' '{}' '{}' '{}'", PLUMB_PYTHON, PLUMB_READ_EXPORT, folder, texts));
    ASSERT_EQ(theirs.code, 0) << theirs.error;
    const Json expected = Json::parse(theirs.out), found = Json::parse(ours.out);
    EXPECT_EQ(found["tokens"], expected["tokens"]);
    EXPECT_NEAR(found["nats_per_token"].get<double>(), expected["nats_per_token"].get<double>(),
                1e-4);
  }
};

TEST_F(Lm, TrainsSamplesEvaluatesAndExports) {
  const Outcome trained = run(train("--json"));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report["schema"], "plumb.lm-train/1");
  EXPECT_LT(report["last_loss"].get<double>(), report["first_loss"].get<double>());
  const std::string model = path("run/model");

  const std::string sample = fmt::format(
      "lm sample --model '{}' --prompt 'tom saw' --samples 3 --seed 5 --max-tokens 20", model);
  const Outcome text = run(sample);
  ASSERT_EQ(text.code, 0) << text.error;
  EXPECT_TRUE(text.out.starts_with("tom saw")) << text.out;
  EXPECT_EQ(text.error, "");
  EXPECT_EQ(run(sample + " --threads 1").out, text.out);
  EXPECT_NE(run(sample + " --top-k 3 --seed 6").out, text.out);
  const Json samples = Json::parse(run(sample + " --json").out);
  EXPECT_EQ(samples["schema"], "plumb.lm-sample/1");
  EXPECT_EQ(samples["version"].get<std::string>(), kVersion);
  EXPECT_EQ(samples["samples"].size(), 3U);

  const std::string eval = fmt::format("lm eval '{}' --resamples 200", path("stories.txt"));
  const Outcome scores = run(eval + " --json --model '" + model + "'");
  ASSERT_EQ(scores.code, 0) << scores.error;
  const Json evaluation = Json::parse(scores.out);
  EXPECT_EQ(evaluation["schema"], "plumb.lm-eval/1");
  EXPECT_EQ(evaluation["documents"], 300);
  EXPECT_LT(evaluation["nats_per_token"].get<double>(), 3.0);
  EXPECT_LT(evaluation["nats_per_token_ci"][0], evaluation["nats_per_token"]);
  EXPECT_NE(run(eval + " --model '" + model + "'").out.find("character"), std::string::npos);
  EXPECT_TRUE(run(eval + " --csv --model '" + model + "'").out.starts_with("unit,n,nats,low,high"));

  ASSERT_EQ(run(fmt::format("lm export --model '{}' -o '{}'", model, path("out"))).code, 0);
  const Json again = Json::parse(run(eval + " --json --model '" + path("out") + "'").out);
  EXPECT_EQ(again["nats"], evaluation["nats"]);
  EXPECT_EQ(again["model"]["weights_sha256"], evaluation["model"]["weights_sha256"]);
}

TEST_F(Lm, ExportsWhatAnotherReaderPredictsWithTheSame) {
  ASSERT_EQ(run(train("")).code, 0);
  write("few.txt", "tom saw a ball.\n\nmia saw 7 red h\xc3\xa4ts \xf0\x9f\x98\x80\n");
  expect_same_elsewhere(path("run/model"), path("few.txt"));
}

TEST_F(Lm, ExportsStories260kForAnotherReader) {
  const std::string model = "../shared/data/models/stories260k/stories260K.bin";
  if (!fs::exists(model)) GTEST_SKIP() << "../shared/data is absent";
  write("few.txt",
        "Once upon a time, there was a little girl named Lily.\nShe said: \"No!\"\n\nTom  ran.\n");
  expect_same_elsewhere(fs::absolute(model).string(), path("few.txt"));
}

TEST_F(Lm, ExportsOverAnotherModelLeaveNothingOfItsTokenizer) {
  ASSERT_EQ(run(train("", 2)).code, 0);
  write("out/tokenizer.json", "{}");
  ASSERT_EQ(run(fmt::format("lm export --model '{}' -o '{}'", path("run/model"), path("out"))).code,
            0);
  EXPECT_EQ(Json::parse(*read_file(path("out/tokenizer.json")))["model"]["type"], "BPE");
  // A tokenizer.json by another name is one all the same.
  fs::copy_file(path("out/tokenizer.json"), path("mine.json"));
  ASSERT_EQ(run(fmt::format("lm export --model '{}' --tokenizer '{}' -o '{}'", path("run/model"),
                            path("mine.json"), path("again")))
                .code,
            0);
  EXPECT_EQ(*read_file(path("again/tokenizer.json")), *read_file(path("mine.json")));
}

TEST_F(Lm, SaysWhyAnExportHasNoTokenizerJson) {
  // A token of two letters and another of the same score.
  std::string twins = lm::letters_tokenizer();
  for (const std::string token : {"ab", "ba"}) twins += std::string("\0\0\0\0\2\0\0\0", 8) + token;
  write("twins.bin", twins);
  write("tokenizer.bin", twins);
  ASSERT_EQ(run(train("", 2)).code, 0);
  const Outcome exported =
      run(fmt::format("lm export --model '{}' -o '{}'", path("run/model"), path("out")));
  EXPECT_EQ(exported.code, 0);
  EXPECT_NE(exported.error.find("tokens 286 and 287: have one score"), std::string::npos)
      << exported.error;
}

TEST_F(Lm, TakesUpATrainingThatWasKilled) {
  ASSERT_TRUE(killed_at_events(train("--save-every 5", 400), path("run"), path("run/model"),
                               {200, 100, 50, 12}));
  const Outcome rest = run(train("--save-every 5 --json", 400));
  ASSERT_EQ(rest.code, 0) << rest.error;
  EXPECT_GE(Json::parse(rest.out)["resumed_from"], 10);
  const std::string resumed = *read_file(path("run/model/model.safetensors"));
  std::filesystem::remove_all(path("run"));
  ASSERT_EQ(run(train("--save-every 5 --threads 1", 400)).code, 0);
  EXPECT_EQ(*read_file(path("run/model/model.safetensors")), resumed);
}

TEST_F(Lm, NamesWhatIsWrongWithItsInput) {
  const std::string texts = path("stories.txt");
  expect_failure("lm sample --model " + path("none"), 4, "none: cannot read");
  write("model.pt", "PK\x03\x04");
  expect_failure("lm sample --model " + path("model.pt"), 3, "safe_serialization=True");
  write("cut.bin", std::string(60, '\1'));
  expect_failure("lm eval --model " + path("cut.bin") + " " + texts, 3, "dim is 16843009");
  write("odd/config.json", R"({"model_type": "mamba"})");
  write("odd/model.safetensors", "");
  expect_failure("lm sample --model " + path("odd"), 3, "architecture \"mamba\" is not supported");
  expect_failure("lm train " + texts + " --run " + path("r"), 2, "--tokenizer is needed");
  expect_failure(train("", 40, 5), 2, "--heads 5 does not divide --width 32");
  expect_failure(train("", 40, 4, 100000), 3, "fewer than one block");
  expect_failure("lm train " + path("no.txt") + " --run " + path("r") + " --tokenizer " +
                     path("tokenizer.bin"),
                 4, "no.txt: cannot read");
  expect_failure("lm sample", 2, "--model");
  expect_failure("lm smple", 2, "did you mean 'sample'?");
  ASSERT_EQ(run(train("", 2)).code, 0);
  expect_failure(train("", 3), 5, "the folder holds another run: its steps is 2, not 3");
}

}  // namespace
}  // namespace plumb
