// plumb reward as a user runs it: train, evaluate, rate beside people; and what is refused.
#include <cmath>

#include "killed.h"
#include "plumb/base/version.h"
#include "plumb/lm/testing.h"
#include "program.h"

namespace plumb {
namespace {

class Reward : public Program {
 protected:
  Reward() {
    write("base/tokenizer.bin", lm::letters_tokenizer());
    nn::Transformer model(lm::letters_config());
    nn::initialise(model, 3);
    for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 10.0F;
    EXPECT_TRUE(nn::save_transformer(folder_ / "base", model));
    write("pairs.jsonl", pairs(320));
  }

  // The chosen one ends with a cat.
  static std::string pairs(std::size_t count) {
    const char* const verbs[] = {" saw", " had", " met"};
    const char* const others[] = {" a ball", " a kite", " a hat"};
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) {
      Stream stream(5, "pairs", i);
      lines +=
          fmt::format("{{\"prompt\":\"tom {}\",\"chosen\":\"{} a cat\",\"rejected\":\"{}{}\"}}\n",
                      i, verbs[stream.below(3)], verbs[stream.below(3)], others[stream.below(3)]);
    }
    return lines;
  }
  std::string train(const std::string& more, int epochs = 2, const std::string& run = "run",
                    const std::string& rate = "0.01") const {
    return fmt::format(
        "reward train '{}' --model '{}' --run '{}' --batch 8 --epochs {} --rate {} --held-out "
        "0.25 --resamples 200 {}",
        path("pairs.jsonl"), path("base"), path(run), epochs, rate, more);
  }
};

TEST_F(Reward, TrainsAndEvaluatesBesideTheLengths) {
  const Outcome trained = run(train("--json"));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report.begin().key(), "schema");
  EXPECT_EQ(report["schema"], "plumb.reward-train/1");
  EXPECT_EQ(report["version"].get<std::string>(), kVersion);
  EXPECT_EQ(report["comparisons"], 240);
  EXPECT_EQ(report["evaluation"]["n"], 80);
  EXPECT_GT(report["evaluation"]["accuracy_ci"][0].get<double>(), 0.8);

  const std::string eval = fmt::format("reward eval '{}' --model '{}' --resamples 200",
                                       path("pairs.jsonl"), path("run/model"));
  const Outcome again = run(eval + " --json");
  ASSERT_EQ(again.code, 0) << again.error;
  const Json json = Json::parse(again.out);
  EXPECT_EQ(json["schema"], "plumb.reward-eval/1");
  for (const char* field : {"n", "accuracy", "accuracy_ci", "accuracy_half_tie", "ties", "ece",
                            "ece_ci", "brier", "temperature", "baselines"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  for (const Json& bin : json["reliability"]) {
    EXPECT_LE(bin["accuracy_ci"][0], bin["accuracy"]);
    EXPECT_GE(bin["accuracy_ci"][1], bin["accuracy"]);
  }
  // Of the data that it was trained on only the held-out part counts.
  EXPECT_EQ(json["n"], 80);
  EXPECT_DOUBLE_EQ(json["accuracy"], report["evaluation"]["accuracy"]);
  EXPECT_EQ(Json::parse(run(eval + " --json --all").out)["n"], 320);
  EXPECT_EQ(run(eval + " --json --threads 1").out, again.out);
  for (const char* baseline : {"longest", "shortest", "constant"}) {
    EXPECT_TRUE(json["baselines"].contains(baseline));
  }
  const Outcome text = run(eval);
  for (const char* row : {"longest last turn", "shortest last turn", "constant", "margin",
                          "Trained on the prompts of 240"}) {
    EXPECT_NE(text.out.find(row), std::string::npos) << text.out;
  }
  // In a file that lacks a line of it and has others, the same ones do not count.
  std::string other = pairs(330);
  write("other.jsonl", other.substr(other.find('\n') + 1));
  const std::string of_other = fmt::format("'{}' --model '{}' --resamples 100 --json",
                                           path("other.jsonl"), path("run/model"));
  const Json others = Json::parse(run("reward eval " + of_other).out);
  EXPECT_GE(others["n"], 89);
  EXPECT_LE(others["n"], 90);
  EXPECT_EQ(others["n"].get<int>() + others["seen_left_out"].get<int>(), 329);
  const Json perturbed = Json::parse(run("reward perturb " + of_other + " --pairs 0").out);
  EXPECT_EQ(perturbed["seen_left_out"], others["seen_left_out"]);
  EXPECT_EQ(perturbed["comparisons"], others["n"]);
  std::filesystem::remove(path("run/model/trained-prompts.json"));
  const Outcome old = run("reward eval " + of_other);
  EXPECT_NE(old.out.find("does not say on which prompts it was trained"), std::string::npos)
      << old.out;
  EXPECT_TRUE(run(eval + " --csv").out.starts_with("name,kind,n,accuracy,low,high"));
  EXPECT_NE(run(eval + " --markdown").out.find("| reward |"), std::string::npos);
}

TEST_F(Reward, TakesUpATrainingThatWasKilled) {
  const std::string options = "--save-every 5 --json";
  ASSERT_TRUE(
      killed_at_events(train(options, 5), path("run"), path("run/model"), {75, 40, 20, 12}));
  const Outcome rest = run(train(options, 5));
  ASSERT_EQ(rest.code, 0) << rest.error;
  EXPECT_GE(Json::parse(rest.out)["resumed_from"], 10);
  ASSERT_EQ(run(train(options + " --threads 1", 5, "whole")).code, 0);
  for (const char* file : {"/model/model.safetensors", "/model/reward.json", "/events.jsonl"}) {
    EXPECT_EQ(*read_file(path("run") + file), *read_file(path("whole") + file)) << file;
  }
}

TEST_F(Reward, SaysOfHowManyTextsItReadsNoBeginning) {
  std::string lines;
  for (std::size_t i = 0; i < 80; ++i) {
    const std::string begins(i % 2 == 0 ? 40 : 1, 'a');  // the context is 32 letters
    lines += fmt::format("{{\"prompt\":\"{} {}\",\"chosen\":\" a cat\",\"rejected\":\" a hat\"}}\n",
                         begins, i);
  }
  write("pairs.jsonl", lines);
  const Outcome trained = run(train("--json", 1));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report["truncated"], 80);  // of 160 texts
  const Outcome measured = run(fmt::format("reward eval '{}' --model '{}' --resamples 100 --json",
                                           path("pairs.jsonl"), path("run/model")));
  ASSERT_EQ(measured.code, 0) << measured.error;
  const Json eval = Json::parse(measured.out);
  EXPECT_GT(eval["truncated"], 0);
  EXPECT_EQ(report["evaluation"]["n"], eval["n"]);
  EXPECT_EQ(report["evaluation"]["truncated"], eval["truncated"]);
}

TEST_F(Reward, CombinesMembers) {
  const Outcome trained = run(train("--members 2 --json", 1));
  ASSERT_EQ(trained.code, 0) << trained.error;
  EXPECT_EQ(Json::parse(trained.out)["members"].size(), 2U);
  const std::string members =
      fmt::format("'{}' '{}'", path("run/member-1/model"), path("run/member-2/model"));
  const std::string eval = "reward eval " + path("pairs.jsonl") + " --resamples 100 --json ";
  const Json combined = Json::parse(run(eval + "--combine mean --model " + members).out);
  EXPECT_EQ(combined["name"], "mean of 2");
  EXPECT_EQ(combined["rewards"].size(), 3U);
  const Json folder = Json::parse(run(eval + "--model " + path("run")).out);
  EXPECT_EQ(folder["accuracy"], combined["accuracy"]);
  EXPECT_EQ(folder["provenance"]["combination"], "mean");
}

TEST_F(Reward, TrainsOnFeaturesAndIsARewardLikeAnyOther) {
  const std::string train =
      fmt::format("reward train '{}' --features char-ngrams --held-out 0.25 --resamples 200 --run ",
                  path("pairs.jsonl"));
  const Outcome trained = run(train + path("run") + " --json");
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report["parameters"], 65536);
  EXPECT_EQ(report["comparisons"], 240);
  EXPECT_GT(report["evaluation"]["accuracy_ci"][0].get<double>(), 0.8);
  const std::string eval = "reward eval " + path("pairs.jsonl") + " --resamples 200 --json";
  const Outcome again = run(eval + " --model " + path("run/model"));
  ASSERT_EQ(again.code, 0) << again.error;
  const Json evaluated = Json::parse(again.out);
  EXPECT_EQ(evaluated["n"], 80);
  EXPECT_EQ(evaluated["accuracy"], report["evaluation"]["accuracy"]);
  EXPECT_EQ(evaluated["provenance"]["reward"], "features");
  ASSERT_EQ(run(train + path("other") + " --threads 1").code, 0);
  EXPECT_EQ(*read_file(path("run/model/features.json")),
            *read_file(path("other/model/features.json")));
  expect_failure(train + path("run") + " --l2 5", 5, "its l2 is 1, not 5");
  // Beside a transformer, as one reward and as a proxy.
  ASSERT_EQ(run(Reward::train("", 1, "deep")).code, 0);
  EXPECT_EQ(
      run(eval + " --combine worst --models " + path("run/model") + " " + path("deep/model")).code,
      0);
  const Outcome sampled =
      run(fmt::format("policy sample --model {} --prompts {} --max-tokens 4 --reward {}",
                      path("base"), path("pairs.jsonl"), path("run/model")));
  EXPECT_EQ(sampled.code, 0) << sampled.error;
  EXPECT_NE(sampled.out.find("\"proxy\""), std::string::npos) << sampled.out.substr(0, 400);
}

TEST_F(Reward, TrainsOnStoredVectorsOfCompletions) {
  // Two numbers a text: cats are worth 2, dogs 1, fish nothing; the other number is noise.
  const float vectors[] = {2, 0.5F, 1, -0.5F, 0, 0.5F};
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
  header.resize(117, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size());
  file += '\0';
  file += header;
  file.append(reinterpret_cast<const char*>(vectors), sizeof(vectors));
  write("vectors.npy", file);
  write("texts.txt", "cat\ndog\nfish\n");
  std::string ranked;
  for (int i = 0; i < 40; ++i) {
    ranked += fmt::format(
        "{{\"prompt\":\"{} \",\"completions\":[\"fish\",\"cat\",\"dog\"],\"ranks\":[3,1,2]}}\n", i);
  }
  write("ranked.jsonl", ranked);
  const std::string train = fmt::format(
      "reward train '{}' --features '{}' --ids '{}' --feature-text completion --resamples 100",
      path("ranked.jsonl"), path("vectors.npy"), path("texts.txt"));
  const Outcome trained = run(train + " --loss plackett-luce --json --run " + path("run"));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report["parameters"], 2);
  EXPECT_NEAR(report["first_loss"].get<double>(), std::log(6), 1e-9);
  EXPECT_EQ(report["evaluation"]["accuracy"], 1);
  write("unknown.jsonl", R"({"prompt":"p","chosen":"cat","rejected":"cow"})");
  expect_failure("reward eval " + path("unknown.jsonl") + " --model " + path("run/model"), 3,
                 "no vector of \"cow\"");
  // Another file of vectors under the same name.
  file[file.size() - 1] = 0x40;
  write("vectors.npy", file);
  expect_failure("reward eval " + path("ranked.jsonl") + " --model " + path("run/model"), 3,
                 "no longer those it learnt from");
}

TEST_F(Reward, SaysWhichComparisonsTeachNothing) {
  write("odd.jsonl", pairs(40) + "{\"prompt\":\"p\",\"chosen\":\" a\",\"rejected\":\" a\"}\n" +
                         "{\"prompt\":\"p\",\"chosen\":\" a\",\"rejected\":\" \"}\n");
  const Outcome trained =
      run(fmt::format("reward train '{}' --features char-ngrams --run '{}' --resamples 100",
                      path("odd.jsonl"), path("run")));
  ASSERT_EQ(trained.code, 0) << trained.error;
  EXPECT_NE(trained.error.find("1 of 42 comparisons: both completions are the same text"),
            std::string::npos)
      << trained.error;
  EXPECT_NE(trained.error.find("a completion holds no text (" + path("odd.jsonl") + ":42)"),
            std::string::npos)
      << trained.error;
  EXPECT_NE(trained.out.find("1 comparisons were left out"), std::string::npos) << trained.out;
}

TEST_F(Reward, LearnsRankings) {
  std::string ranked;
  for (std::size_t i = 0; i < 60; ++i) {
    ranked += fmt::format(
        "{{\"prompt\":\"tom {}\",\"completions\":[\" saw a cat\",\" saw a hat\",\" had\"]}}\n", i);
  }
  write("ranked.jsonl", ranked);
  const Outcome trained = run(fmt::format(
      "reward train '{}' --model '{}' --run '{}' --loss plackett-luce --batch 8 --epochs 3 --rate "
      "0.01 --resamples 100 --json",
      path("ranked.jsonl"), path("base"), path("run")));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json report = Json::parse(trained.out);
  EXPECT_EQ(report["comparisons"].get<int>() + report["held_out"].get<int>(), 180);
  EXPECT_GT(report["evaluation"]["accuracy"].get<double>(), 0.9);
  write("tied.jsonl", ranked + R"({"prompt":"p","completions":["a","b"],"ranks":[1,1]})");
  expect_failure("reward audit " + path("tied.jsonl"), 3,
                 "tied.jsonl:61: completions 1 and 2 have one rank");
}

TEST_F(Reward, RatesATaskBesidePeople) {
  ASSERT_EQ(run(train("")).code, 0);
  std::string task = R"({"schema":"plumb.task/1","kind":"preference"})"
                     "\n",
              people;
  for (int i = 0; i < 12; ++i) {
    const bool first = i % 2 == 0;
    task += fmt::format(
        "{{\"id\":\"{}\",\"prompt\":\"tom {}\",\"a\":\"{}\",\"b\":\"{}\",\"choice\":\"{}\"}}\n", i,
        i + 500, first ? " saw a cat" : " saw a kite", first ? " saw a kite" : " saw a cat",
        first ? "A" : "B");
    for (const char* person : {"ann", "bob"}) {
      people += fmt::format("{{\"rater\":\"{}\",\"item\":\"{}\",\"choice\":\"{}\"}}\n", person, i,
                            first || i == 5 ? "A" : "B");
    }
  }
  write("pairs.task.jsonl", task);
  write("people.jsonl", people);
  // Comparisons whose votes are equal have no better side, and no line of scores.
  write("split.jsonl", people +
                           R"({"rater":"cyd","item":"0","choice":"B"})"
                           "\n" +
                           R"({"rater":"dan","item":"0","choice":"B"})"
                           "\n");
  const Outcome scored = run(fmt::format(
      "reward eval {} --answers {} --model {} --resamples 100 --json --scores {}",
      path("pairs.task.jsonl"), path("split.jsonl"), path("run/model"), path("scores.jsonl")));
  ASSERT_EQ(scored.code, 0) << scored.error;
  const std::string lines = *read_file(path("scores.jsonl"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 11);
  EXPECT_NE(scored.out.find("holds 11 of 12 comparisons"), std::string::npos) << scored.out;
  const std::string of_task = path("pairs.task.jsonl") + " --resamples 100 --json";
  const Outcome score = run("score " + of_task + " --model " + path("run/model"));
  ASSERT_EQ(score.code, 0) << score.error;
  EXPECT_NE(score.out.find("\"reward model\""), std::string::npos) << score.out;
  const Outcome gap = run("gap " + of_task + " --humans " + path("people.jsonl") + " --models " +
                          path("run/model"));
  ASSERT_EQ(gap.code, 0) << gap.error;
  EXPECT_NE(gap.out.find("\"reward model\""), std::string::npos);

  ASSERT_EQ(run(fmt::format("reward rate {} --model {} -o {}", path("pairs.task.jsonl"),
                            path("run/model"), path("rm.jsonl")))
                .code,
            0);
  const Outcome agree = shell(fmt::format(
      "tail -n +2 '{}' | cat '{}' - >'{}'; plumb agree '{}' --item item --rater rater --value "
      "choice --resamples 100 --json",
      path("rm.jsonl"), path("people.jsonl"), path("all.jsonl"), path("all.jsonl")));
  ASSERT_EQ(agree.code, 0) << agree.error;
  EXPECT_EQ(Json::parse(agree.out)["raters"], 3);
}

TEST_F(Reward, NamesWhatIsWrongWithItsInput) {
  const std::string model = " --model " + path("base") + " --run " + path("r");
  write("missing.jsonl",
        "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n{\"chosen\":\"b\"}\n");
  expect_failure("reward train " + path("missing.jsonl") + model, 3,
                 "missing.jsonl:2: \"rejected\" is missing");
  write("equal.jsonl", "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}\n");
  expect_failure("reward train " + path("equal.jsonl") + model, 3, "no comparison to train on");
  write("other/tokenizer.bin", lm::letters_tokenizer());
  nn::TransformerConfig config = lm::letters_config();
  config.vocabulary = 2048;
  ASSERT_TRUE(nn::save_transformer(folder_ / "other", nn::Transformer(config)));
  expect_failure(
      "reward train " + path("pairs.jsonl") + " --model " + path("other") + " --run " + path("r"),
      3, "the tokenizer has 286 tokens, the model");
  expect_failure("reward eval " + path("pairs.jsonl") + " --model " + path("base"), 3,
                 "without a scalar head");
  expect_failure(train("--loss plackett-luce"), 3, "pairs.jsonl:1: a pair, and not a ranking");
  expect_failure("reward train " + path("pairs.jsonl") + " --run " + path("r"), 2,
                 "--model CHECKPOINT, or --features EMBEDDER");
  const std::string on_features = "reward train " + path("pairs.jsonl") + " --run " + path("r");
  expect_failure(on_features + " --features tfidf", 2, "char-ngrams, a model2vec folder, an");
  write("words.txt", "cat 0.5 0.25\nhat -0.5 0.125\n");
  expect_failure(on_features + " --features " + path("words.txt"), 2, "texts to come");
  expect_failure(on_features + " --features char-ngrams --epochs 2", 2, "--epochs");
  expect_failure(on_features + " --features char-ngram", 4, "did you mean char-ngrams");
  expect_failure("reward eval " + path("pairs.jsonl"), 2, "--model");
  ASSERT_EQ(run(train("", 1)).code, 0);
  expect_failure(train("", 2), 5, "the folder holds another run: its epochs is 1, not 2");
  expect_failure(train("--seed 3", 1), 5, "its split_seed is 0, not 3");
  expect_failure(train("", 1, "r", "1e9"), 2, "--rate");
  write("run/model/reward.json", "{}");
  expect_failure("reward eval " + path("pairs.jsonl") + " --model " + path("run/model"), 3,
                 "reward.json: \"schema\" is not");
}

}  // namespace
}  // namespace plumb
