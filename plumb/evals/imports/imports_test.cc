#include <fmt/format.h>

#include <cmath>

#include "plumb/evals/imports/entries.h"
#include "plumb/evals/imports/lm_eval.h"
#include "plumb/evals/imports/outputs.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

class Imports : public EvalFiles {
 protected:
  std::string at(const std::string& file, const std::string& rest) const {
    return (folder_ / file).string() + rest;
  }
};

TEST_F(Imports, ReadArraysWithTheLineOfEachObject) {
  const auto file = write("a.json", "[\n  {\"a\": \"x ] } \\\" {\"},\n\n  {\"b\": [1, {}]}]\n");
  const auto entries = read_entries(file);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].where, file + ":2");
  EXPECT_EQ((*entries)[0].fields["a"], "x ] } \" {");
  EXPECT_EQ((*entries)[1].where, file + ":4");
}

TEST_F(Imports, NameTheRecordWhereALineHasSeveral) {
  const auto file = write("one.json", "[{\"a\":1},{\"a\":2},\n{\"a\":3}]");
  const auto entries = read_entries(file);
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ((*entries)[0].where, file + ":1, record 1");
  EXPECT_EQ((*entries)[1].where, file + ":1, record 2");
  EXPECT_EQ((*entries)[2].where, file + ":2");
  const auto broken = read_entries(write("broken.json", "[{\"a\":1},{\"a\":2},{\"a\" 3}]"));
  EXPECT_EQ(broken.error().message, at("broken.json", ":1, after record 2: this is no JSON"));
}

TEST_F(Imports, NameTheLineOfABrokenArray) {
  const auto message = [&](const char* text) {
    const auto entries = read_entries(write("b.json", text));
    return entries ? std::string() : entries.error().message;
  };
  EXPECT_EQ(message("[\n{\"a\":1},\n{\"b\":"),
            at("b.json", ":3: an object that begins here is never closed"));
  EXPECT_EQ(message("[\n{\"a\":1}\n"), at("b.json", ":3: the array is never closed"));
  EXPECT_EQ(message("[\n{\"acc\": NaN}]"),
            at("b.json",
               ":2: \"acc\" is NaN, which JSON does not have; write null where there is no "
               "figure, or leave the record out"));
  EXPECT_EQ(message("[1]"), at("b.json", ":1: the array holds something that is no object"));
  EXPECT_EQ(message("[\n\n{\"a\" 1}]"), at("b.json", ":3: this is no JSON"));
  EXPECT_EQ(message("[]"), at("b.json", ": there are no records"));
}

TEST_F(Imports, ReadOutputsByTheNamesThatProjectsGiveThem) {
  const auto farm = read_outputs(
      write("farm.json", R"([{"instruction":"Say","input":"hi","output":"Hi!","generator":"m"}])"));
  ASSERT_TRUE(farm) << farm.error().message;
  EXPECT_EQ((*farm)[0].prompt, "Say\n\nhi");
  EXPECT_EQ((*farm)[0].model, "m");
  const auto run = read_outputs(
      write("run.jsonl", R"({"step":3,"prompt":"p","completion":"c","ended":false,"kl":1.5})"));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ((*run)[0].step, 3U);
  EXPECT_EQ((*run)[0].ended, false);
  EXPECT_EQ((*run)[0].kl, 1.5);
  const auto table = read_outputs(write("t.csv", "question,response\nQ,A\n"));
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)[0].text, "A");
}

TEST_F(Imports, NameTheLineOfAnOutputThatIsNone) {
  const auto message = [&](const char* text) {
    const auto outputs = read_outputs(write("o.jsonl", text));
    return outputs ? std::string() : outputs.error().message;
  };
  EXPECT_EQ(message("{\"prompt\":\"p\",\"output\":\"x\"}\n{\"output\":\"y\"}\n"),
            at("o.jsonl", ":2: \"prompt\" is missing"));
  EXPECT_EQ(message("{\"prompt\":\"p\",\"output\":3}\n"),
            at("o.jsonl", ":1: \"completion\" is not a text"));
  EXPECT_EQ(message("{\"prompt\":\"p\",\"output\":\"\",\"kl\":-1}\n"),
            at("o.jsonl", ":1: \"kl\" is negative"));
}

TEST_F(Imports, RefuseOutputsOfOtherPromptsSuitesAndModels) {
  const std::vector<std::string> prompts = {"one", "two"};
  const auto message = [&](const std::vector<Output>& outputs, bool partial = false) {
    const auto matched = match_outputs(prompts, outputs, {.suite = "s", .partial = partial});
    return matched ? std::string() : matched.error().message;
  };
  const Output one{.where = "f:1", .prompt = " one\n", .text = "x"};
  const Output two{.where = "f:2", .prompt = "two", .text = "y"};
  EXPECT_EQ(message({two, one}), "");
  EXPECT_EQ(message({one, {.where = "f:2", .prompt = "three"}}),
            "f:2: the prompt \"three\" is not one of s's");
  EXPECT_EQ(message({one, {.where = "f:2", .prompt = "two", .suite = "mmlu"}}),
            "f:2: this is an output of mmlu, not of s");
  EXPECT_EQ(message({one, {.where = "f:2", .prompt = "two", .model = "b"}}),
            "f:2: outputs of two models, \"\" and \"b\"");
  EXPECT_EQ(message({one, one}), "f:1: a second output of the prompt of f:1");
  EXPECT_EQ(message({one}), "f:1: item 2 of s has no output (\"two\"); --partial scores the rest");
  EXPECT_EQ(message({one}, true), "");
}

TEST_F(Imports, KnowTheTaskOfASamplesFile) {
  EXPECT_EQ(harness_task("x/samples_arc_easy_2024-10-28T10-53-43.470604.jsonl"), "arc_easy");
  EXPECT_EQ(harness_task("samples_gsm8k.jsonl"), "gsm8k");
  EXPECT_EQ(harness_chance("mmlu_marketing"), 0.25);
  EXPECT_FALSE(harness_chance("lambada"));
}

TEST_F(Imports, TakeHarnessResultsWithTheirErrors) {
  const auto rows = read_harness_results(
      write("results.json",
            R"({"results":{"mmlu":{"alias":"mmlu","acc,none":0.2513,"acc_stderr,none":0.0036},
            "gsm8k":{"exact_match,strict-match":0.5,"exact_match_stderr,strict-match":0.05,
            "exact_match,flexible-extract":NaN}},
            "group_subtasks":{"mmlu":["mmlu_stem"],"gsm8k":[]},
            "n-samples":{"mmlu":{"original":14042,"effective":14042},"gsm8k":100}})"),
      0.95);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 3U);
  const EvalRow mmlu = row_of(*rows, "mmlu", "acc");
  EXPECT_EQ(mmlu.at, At::kFloor);
  EXPECT_EQ(mmlu.n, 14042U);
  EXPECT_EQ(mmlu.note, "group");
  const EvalRow gsm8k = row_of(*rows, "gsm8k", "exact_match,strict-match");
  // Wilson's of 50 of 100 by hand: 0.5 +- z sqrt(0.25 / 100 + z^2 / 40000) / (1 + z^2 / 100).
  EXPECT_NEAR(gsm8k.ci->high, 0.5961685, 1e-6);
  const EvalRow nan = row_of(*rows, "gsm8k", "exact_match,flexible-extract");
  ASSERT_FALSE(nan.score);
  EXPECT_EQ(nan.score.error().reason, "its file states NaN");
  EXPECT_FALSE(read_harness_results(write("no.json", "{}"), 0.95));
}

// No right answer in 50 has a standard error of 0 and Wilson's interval up to z^2 / (50 + z^2).
TEST_F(Imports, GiveAHarnessShareThatNeverVariesAnInterval) {
  const auto rows = read_harness_results(
      write("r.json",
            R"({"results":{"gsm8k":{"exact_match,none":0,"exact_match_stderr,none":0},
            "truthfulqa_mc2":{"acc,none":0.45,"acc_stderr,none":0.0147},
            "gen":{"bleu,none":0,"bleu_stderr,none":0}},
            "n-samples":{"gsm8k":{"effective":50},"truthfulqa_mc2":817,"gen":9}})"),
      0.95);
  ASSERT_TRUE(rows) << rows.error().message;
  const EvalRow none = row_of(*rows, "gsm8k", "exact_match");
  EXPECT_EQ(none.ci->low, 0);
  EXPECT_NEAR(none.ci->high, 0.0713476, 1e-6);
  // No share of zeros and ones, whose error would be 0.0174: the stated one speaks.
  EXPECT_NEAR(row_of(*rows, "truthfulqa_mc2", "acc").ci->high, 0.45 + 1.959964 * 0.0147, 1e-6);
  const EvalRow bleu = row_of(*rows, "gen", "bleu");
  EXPECT_FALSE(bleu.ci);
  EXPECT_EQ(bleu.note, "its standard error is 0");
}

TEST_F(Imports, CountTheItemsOfAHarnessGroupByItsTasks) {
  const auto rows =
      read_harness_results(write("r.json",
                                 R"({"results":{"mmlu":{"acc,none":0.5,"acc_stderr,none":0.1},
            "a":{"acc,none":0.5},"b":{"acc,none":0.5},"old":{"acc":0.3,"acc_stderr":0.046}},
            "group_subtasks":{"mmlu":["stem","b"],"stem":["a"]},
            "n-samples":{"a":{"effective":12},"b":{"effective":14}}})"),
                           0.95);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(row_of(*rows, "mmlu", "acc").n, 26U);
  EXPECT_EQ(row_of(*rows, "old", "acc").note, "n is not stated");
  EXPECT_EQ(read_harness_results(write("e.json", "{\"results\":{}}"), 0.95).error().message,
            at("e.json", ": \"results\" holds no metric"));
}

std::string harness_line(int document, const char* target, double first, double second, int acc) {
  return fmt::format(
      R"({{"doc_id":{},"target":"{}","arguments":{{"gen_args_0":{{"arg_0":"Q","arg_1":" yes"}},)"
      R"("gen_args_1":{{"arg_0":"Q","arg_1":" no way"}}}},"filtered_resps":[["{}","False"],["{}",)"
      R"("False"]],"filter":"none","acc":{},"acc_norm":{}}})"
      "\n",
      document, target, first, second, acc, acc);
}

TEST_F(Imports, ScoreHarnessSamplesAnew) {
  const auto rows =
      read_harness_samples(write("samples_yesno_2024-10-28T10-53-43.jsonl",
                                 harness_line(0, "0", -1, -3, 1) + harness_line(1, "1", -1, -3, 0) +
                                     harness_line(2, "1", -4, -3, 1)),
                           0.95);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_DOUBLE_EQ(*row_of(rows->rows, "yesno", "acc").score, 2.0 / 3);
  EXPECT_EQ(row_of(rows->rows, "yesno", "acc").chance, 0.5);
  // By characters: -1/3 > -3/6; so the second is wrong too and the third right: -4/3 < -3/6.
  EXPECT_DOUBLE_EQ(*row_of(rows->rows, "yesno", "acc_norm").score, 2.0 / 3);
}

TEST_F(Imports, RefuseHarnessSamplesThatContradictThemselves) {
  const auto message = [&](const std::string& text) {
    const auto rows = read_harness_samples(write("samples_x.jsonl", text), 0.95);
    return rows ? std::string() : rows.error().message;
  };
  EXPECT_EQ(message(harness_line(0, "0", -1, -3, 0)),
            at("samples_x.jsonl",
               ":1: \"acc\" is 0, but by its log-likelihoods it is 1; a task with a rule of "
               "its own has its figure in results.json"));
  EXPECT_EQ(message(harness_line(0, "0", -1, -3, 1) + harness_line(0, "0", -1, -3, 1)),
            at("samples_x.jsonl", ":2: document 0 stands here a second time"));
  EXPECT_EQ(
      message("{\"task\":\"a\",\"doc_id\":0,\"acc\":1}\n{\"task\":\"b\",\"doc_id\":1,\"acc\":1}\n"),
      at("samples_x.jsonl", ":2: a sample of b among those of a"));
}

TEST_F(Imports, KeepFiltersOfHarnessSamplesApart) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    for (const char* filter : {"strict-match", "flexible-extract"}) {
      text +=
          fmt::format("{{\"doc_id\":{},\"target\":\"7\",\"filter\":\"{}\",\"exact_match\":{}}}\n",
                      i, filter, filter[0] == 's' ? i % 2 : 1);
    }
  }
  const auto rows = read_harness_samples(write("samples_gsm8k.jsonl", text), 0.95);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(row_of(rows->rows, "gsm8k", "exact_match,strict-match").score, 0.5);
  EXPECT_EQ(row_of(rows->rows, "gsm8k", "exact_match,flexible-extract").at, At::kCeiling);
}

// Lines as truthfulqa_mc2 has them: three choices, and an "acc" of the task's own making.
TEST_F(Imports, TakeAHarnessMetricOfATasksOwnRuleAsStated) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    text += fmt::format(
        R"({{"doc_id":{},"target":"0","arguments":{{"gen_args_0":{{"arg_0":"q","arg_1":" a"}},)"
        R"("gen_args_1":{{"arg_0":"q","arg_1":" b"}},"gen_args_2":{{"arg_0":"q","arg_1":" c"}}}},)"
        R"("filtered_resps":[["-1","False"],["-2","False"],["-3","False"]],"filter":"none",)"
        R"("metrics":["acc"],"acc":{}}})"
        "\n",
        i, 0.1 + 0.2 * i);
  }
  const auto read = read_harness_samples(write("samples_truthfulqa_mc2.jsonl", text), 0.95);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->rows.size(), 1U);
  const EvalRow acc = row_of(read->rows, "truthfulqa_mc2", "acc");
  EXPECT_NEAR(*acc.score, 0.4, 1e-12);
  // Student's of 0.1, 0.3, 0.5, 0.7: 0.4 +- 3.182446 * 0.2581989 / 2, cut at 0.
  EXPECT_NEAR(acc.ci->high, 0.4 + 3.182446 * 0.2581989 / 2, 1e-6);
  EXPECT_EQ(acc.ci->low, 0);
}

// A rule of its own may state 0 and 1 too; a metric that the common rule does not have tells (BBQ).
TEST_F(Imports, KnowATasksOwnRuleByItsMetrics) {
  std::string text;
  for (int i = 0; i < 3; ++i) {
    std::string line = harness_line(i, "0", -1, -3, 0);
    line.insert(line.rfind('}'), R"(,"amb_bias_score":0.5)");
    text += line;
  }
  const auto read = read_harness_samples(write("samples_bbq.jsonl", text), 0.95);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(row_of(read->rows, "bbq", "acc").score, 0);
  EXPECT_EQ(row_of(read->rows, "bbq", "amb_bias_score").score, 0.5);
}

TEST_F(Imports, LeavePairsOfHarnessSamplesOutWithANoteThatNamesThem) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    std::string line = harness_line(i, "0", -1, -3, 1);
    line.insert(line.rfind('}'), R"(,"metrics":["acc","acc_norm","f1"],"f1":[0,0])");
    text += line;
  }
  const auto read = read_harness_samples(write("samples_mrpc.jsonl", text), 0.95);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(row_of(read->rows, "mrpc", "acc").score, 1);
  EXPECT_TRUE(std::ranges::none_of(read->rows, [](const EvalRow& r) { return r.metric == "f1"; }));
  ASSERT_EQ(read->notes.size(), 1U);
  EXPECT_TRUE(read->notes[0].starts_with("f1 is left out: its lines hold pairs")) << read->notes[0];
}

TEST_F(Imports, ReadTheMetricsThatEachHarnessLineNames) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    text += fmt::format(
        R"({{"doc_id":{},"key":7,"metrics":["prompt_level_strict_acc","inst_level_strict_acc"],)"
        R"("prompt_level_strict_acc":{},"inst_level_strict_acc":[true,{}]}})"
        "\n",
        i, i < 1, i < 1);
  }
  const auto ifeval = read_harness_samples(write("samples_ifeval.jsonl", text), 0.95);
  ASSERT_TRUE(ifeval) << ifeval.error().message;
  ASSERT_EQ(ifeval->rows.size(), 2U);
  EXPECT_EQ(row_of(ifeval->rows, "ifeval", "prompt_level_strict_acc").score, 0.25);
  const EvalRow inst = row_of(ifeval->rows, "ifeval", "inst_level_strict_acc");
  EXPECT_EQ(inst.score, 5.0 / 8);
  EXPECT_EQ(inst.n, 8U);
  const auto wikitext = read_harness_samples(
      write("samples_wikitext.jsonl",
            "{\"doc_id\":0,\"metrics\":[\"word_perplexity\"],\"word_perplexity\":[-123.4,20]}\n"),
      0.95);
  EXPECT_NE(wikitext.error().message.find("word_perplexity is left out"), std::string::npos);
}

// lambada states log-likelihoods under "perplexity"; the harness reports exp(-mean).
TEST_F(Imports, MakeAPerplexityOfTheLogLikelihoodsOfHarnessSamples) {
  const auto read = read_harness_samples(
      write("samples_lambada.jsonl",
            "{\"doc_id\":0,\"metrics\":[\"perplexity\",\"acc\"],\"perplexity\":-1,\"acc\":1}\n"
            "{\"doc_id\":1,\"metrics\":[\"perplexity\",\"acc\"],\"perplexity\":-2,\"acc\":0}\n"),
      0.95);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_NEAR(*row_of(read->rows, "lambada", "perplexity").score, std::exp(1.5), 1e-12);
  EXPECT_EQ(row_of(read->rows, "lambada", "acc").score, 0.5);
}

// Four choices asked twice; the second time after nothing (ConfigurableTask.construct_requests).
TEST_F(Imports, KnowTheSecondHalfOfRequestsOfMutualInformation) {
  std::string text;
  for (int i = 0; i < 6; ++i) {
    text += fmt::format(
        R"({{"doc_id":{},"target":"1","arguments":[["q"," a"],["q"," b"],["q"," c"],["q"," d"],)"
        R"([""," a"],[""," b"],[""," c"],[""," d"]],"filtered_resps":[[-1,true],[-2,false],)"
        R"([-3,false],[-4,false],[-0.5,false],[-9,false],[-3,false],[-4,false]],)"
        R"("metrics":["acc","acc_mutual_info"],"acc":0,"acc_mutual_info":1}})"
        "\n",
        i);
  }
  const auto read = read_harness_samples(write("samples_pmi.jsonl", text), 0.95);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(row_of(read->rows, "pmi", "acc").chance, 0.25);
  EXPECT_EQ(row_of(read->rows, "pmi", "acc").score, 0);
  EXPECT_EQ(row_of(read->rows, "pmi", "acc_mutual_info").score, 1);
  const auto wrong = text.find("\"acc_mutual_info\":1");
  const auto bad = read_harness_samples(
      write("samples_p.jsonl", text.replace(wrong, 19, "\"acc_mutual_info\":0")), 0.95);
  EXPECT_NE(bad.error().message.find(":1: \"acc_mutual_info\" is 0, but"), std::string::npos);
}

TEST_F(Imports, ReadAnnotationsOfAlpacaEval) {
  const auto annotations = read_annotations(
      write("annotations.json",
            R"([{"instruction":"a","output_1":"xx","generator_1":"ref","output_2":"caf\u00e9",
      "generator_2":"m","preference":1.75},
      {"instruction":"b","output_1":"x","output_2":"y","preference":null},
      {"instruction":"c","output_1":"x","output_2":"y","preference":0}])"));
  ASSERT_TRUE(annotations) << annotations.error().message;
  EXPECT_EQ(annotations->without_preference, 1U);
  ASSERT_EQ(annotations->all.size(), 2U);
  EXPECT_EQ(annotations->all[0].judgement.preference, 0.75);
  EXPECT_EQ(annotations->all[0].comparison.length, 4);
  EXPECT_EQ(annotations->all[1].judgement.preference, 0.5);
  const auto bad = read_annotations(
      write("bad.json", R"([{"instruction":"a","output_1":"","output_2":"","preference":3}])"));
  EXPECT_EQ(bad.error().message, at("bad.json", ":1: \"preference\" is 3, not 0 or from 1 to 2"));
}

TEST_F(Imports, ReadRewardBenchColumnsAndLines) {
  const auto columns = read_reward_bench(
      write("scores.json",
            R"({"subset":["hep-go","shp"],"scores_chosen":[[1.5],2],"scores_rejected":[1,3]})"));
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ((*columns)[0].chosen, 1.5);
  const auto lines = read_reward_bench(
      write("scores.jsonl", R"({"subset":"shp","score_chosen":1,"score_rejected":2})"));
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ((*lines)[0].rejected, 2);
  const auto lists = read_reward_bench(
      write("lists.jsonl", R"({"subset":"shp","scores_chosen":[1],"scores_rejected":[2]})"));
  ASSERT_TRUE(lists) << lists.error().message;
  EXPECT_EQ((*lists)[0].chosen, 1);
  EXPECT_EQ(
      read_reward_bench(write("u.json", R"({"subset":["shp"],"scores_chosen":[],
      "scores_rejected":[1]})"))
          .error()
          .message,
      at("u.json", ": 1 subsets, 0 chosen and 1 rejected scores: the lists differ in length"));
}

TEST_F(Imports, NameTheScoresOfRewardBenchThatAreNaN) {
  const auto read = read_reward_bench(
      write("nan.json", R"({"subset":["shp"],"scores_chosen":[NaN],"scores_rejected":[1]})"));
  EXPECT_NE(read.error().message.find("it holds NaN or Infinity"), std::string::npos);
}

TEST_F(Imports, NameABadLabelAndABadAnswer) {
  const auto labels = read_xstest_completions(
      write("c.csv", "type,prompt,completion,final_label\nx,p,c,refused\n"));
  EXPECT_EQ(labels.error().message, at("c.csv",
                                       ":2: \"final_label\" is \"refused\", not 1_full_compliance, "
                                       "2_full_refusal or 3_partial_refusal"));
  std::filesystem::create_directories(folder_ / "test");
  std::filesystem::create_directories(folder_ / "dev");
  write("dev/law_dev.csv", "Q,a,b,c,d,A\n");
  write("test/law_test.csv", "Q,a,b,c,d,D\nQ,a,b,c,d,E\n");
  EXPECT_EQ(read_mmlu(folder_).error().message,
            at("test/law_test.csv", ":2: the answer is \"E\", not 0 to 3 or A to D"));
  write("test/law_test.csv", "question,choice0,choice1,choice2,choice3,answer\nQ,a,b,c,d,3\n");
  const auto subjects = read_mmlu(folder_);
  ASSERT_TRUE(subjects) << subjects.error().message;
  EXPECT_EQ((*subjects)[0].asked[0].gold, 3U);
  EXPECT_EQ((*subjects)[0].shown[0].gold, 0U);
  EXPECT_EQ(read_mmlu(folder_ / "dev").error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace plumb::evals
