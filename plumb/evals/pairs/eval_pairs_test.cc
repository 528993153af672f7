#include "plumb/evals/pairs/eval_pairs.h"

#include <rapidcheck.h>

#include <set>

#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

GradedAnswer answer(const char* prompt, const char* text, std::optional<bool> right) {
  return {"e", prompt, text, right, ""};
}

TEST(EvalPairs, AreEveryRightAnswerWithEveryWrongOne) {
  const std::vector<GradedAnswer> answers = {answer("p", "right", true),  answer("p", "no", false),
                                             answer("p ", "nope", false), answer("p", "no", false),
                                             answer("q", "yes", true),    answer("r", "?", {})};
  const auto pairs = pair_answers(answers, {});
  ASSERT_TRUE(pairs) << pairs.error().message;
  ASSERT_EQ(pairs->all.size(), 2U) << "a text that is there twice counts once";
  EXPECT_EQ(pairs->all[0].rejected, "no");
  EXPECT_EQ(pairs->all[1].rejected, "nope");
  const PairCounts& counts = pairs->counts[0];
  EXPECT_EQ(counts.prompts, 3U);
  EXPECT_EQ(counts.only_right, 1U);
  EXPECT_EQ(counts.neither, 1U);
  EXPECT_EQ(to_text(pair_json(*pairs, pairs->all[0])),
            R"({"eval":"e","prompt":[{"role":"user","content":"p"}],)"
            R"("chosen":[{"role":"assistant","content":"right"}],)"
            R"("rejected":[{"role":"assistant","content":"no"}]})");
}

TEST(EvalPairs, OfOneClassAreAnErrorThatNamesIt) {
  const std::vector<GradedAnswer> answers = {answer("p", "a", true), answer("q", "b", true),
                                             answer("r", "c", false)};
  const auto pairs = pair_answers(answers, {});
  ASSERT_FALSE(pairs);
  EXPECT_EQ(pairs.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(pairs.error().message,
            "e: no prompt has a right and a wrong answer (2 have right ones alone, 1 wrong ones "
            "alone); give outputs of several models, or several of one");
  EXPECT_FALSE(pair_answers({}, {}));
}

TEST(EvalPairs, OfChoicesAreTheGoldWithEveryOther) {
  const auto suite = load_suite("arithmetic", {.items = 3});
  ASSERT_TRUE(suite);
  const auto pairs = pair_choices(*suite, {});
  ASSERT_TRUE(pairs);
  ASSERT_EQ(pairs->all.size(), 9U);
  const ChoiceItem& item = suite->choices[0].item;
  EXPECT_EQ(pairs->all[0].chosen, " " + item.choices[item.gold]);
  EXPECT_EQ(pairs->all[0].prompt, suite->choices[0].context);
  const auto stories = load_suite("stories", {});
  EXPECT_EQ(pair_choices(*stories, {}).error().kind, ErrorKind::kUsage);
  EXPECT_NE(
      pair_choices(*stories, {}).error().message.find("stories has no choices: pairs are made"),
      std::string::npos);
}

TEST(EvalPairs, ArePartOfAllOfThemAndNeverMoreAPromptThanAsked) {
  rc::check([](std::uint64_t seed) {
    const auto most = *rc::gen::inRange<std::size_t>(1, 5);
    std::vector<GradedAnswer> answers;
    const auto count = *rc::gen::inRange(1, 40);
    for (int i = 0; i < count; ++i) {
      answers.push_back({"e", std::to_string(*rc::gen::inRange(0, 4)),
                         std::to_string(*rc::gen::inRange(0, 9)), *rc::gen::arbitrary<bool>(), ""});
    }
    const auto all = pair_answers(answers, {});
    const auto some = pair_answers(answers, {.per_prompt = most, .seed = seed});
    RC_ASSERT(all.has_value() == some.has_value());
    RC_PRE(all.has_value());
    std::set<std::string> known;
    for (const EvalPair& pair : all->all) {
      RC_ASSERT(pair.chosen != pair.rejected);
      RC_ASSERT(known.insert(pair.prompt + "|" + pair.chosen + "|" + pair.rejected).second);
    }
    std::map<std::string, std::size_t> of_prompt;
    for (const EvalPair& pair : some->all) {
      RC_ASSERT(known.contains(pair.prompt + "|" + pair.chosen + "|" + pair.rejected));
      RC_ASSERT(++of_prompt[pair.prompt] <= most);
    }
    RC_ASSERT(of_prompt.size() == all->counts[0].both);
  });
}

// a is right twice where b is wrong, b once where a is: two of the three pairs stay.
TEST(EvalPairs, BalancedAreOfTwoModelsAsManyEachWay) {
  const std::vector<GradedAnswer> answers = {
      {"e", "p", "1", true, "a"},  {"e", "p", "2", false, "b"}, {"e", "q", "3", true, "a"},
      {"e", "q", "4", false, "b"}, {"e", "r", "5", true, "b"},  {"e", "r", "6", false, "a"},
      {"e", "r", "7", false, "c"}};
  const auto all = pair_answers(answers, {});
  ASSERT_TRUE(all);
  const auto rows = pair_baselines(*all, 0.95);
  EXPECT_EQ(*row_of(rows, "e", "pairs_ordered", "baseline: model").score, 3.0 / 4)
      << "a stands before b before c, by the shares of their pairs";
  const auto pairs = pair_answers(answers, {.balanced = true});
  ASSERT_TRUE(pairs) << pairs.error().message;
  ASSERT_EQ(pairs->all.size(), 2U);
  EXPECT_EQ(pairs->counts[0].unbalanced, 2U);
  EXPECT_EQ(pairs->all[1].chosen_model, "b");
  EXPECT_EQ(*row_of(pair_baselines(*pairs, 0.95), "e", "pairs_ordered", "baseline: model").score,
            0.5);
  const auto none = pair_answers(std::span(answers).first(4), {.balanced = true});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("nothing to balance"), std::string::npos);
}

class PairFiles : public EvalFiles {};

TEST_F(PairFiles, OutputsAreGradedByWhatTheSuiteKnows) {
  const std::string data = write("test.jsonl",
                                 "{\"question\":\"1+1?\",\"answer\":\"Two. #### 2\"}\n"
                                 "{\"question\":\"2+2?\",\"answer\":\"Four. #### 4\"}\n");
  const std::string outputs = write("out.jsonl",
                                    "{\"prompt\":\"1+1?\",\"completion\":\"#### 2\"}\n"
                                    "{\"prompt\":\"1+1?\",\"completion\":\"#### 3\"}\n");
  const auto graded = grade_outputs("gsm8k", std::vector{outputs}, {.data = data});
  ASSERT_TRUE(graded) << graded.error().message;
  EXPECT_EQ((*graded)[0].right, true);
  EXPECT_EQ((*graded)[1].right, false);
  EXPECT_EQ(grade_outputs("gsm8k", std::vector{outputs}, {}).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(grade_outputs("stories", std::vector{outputs}, {}).error().kind, ErrorKind::kUsage);
  const std::string other = write("other.jsonl", "{\"prompt\":\"3+3?\",\"completion\":\"6\"}\n");
  const auto refused = grade_outputs("gsm8k", std::vector{other}, {.data = data});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("other.jsonl:1"), std::string::npos);
}

// tests/golden/eval_pairs.py, by the flags of the files and Python's own arithmetic.
class PublishedPairs : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kExtrinsic)) GTEST_SKIP() << kExtrinsic << " is not here";
    std::ifstream file("tests/golden/eval_pairs.json");
    golden_ = nlohmann::json::parse(file);
  }
  void expect(const EvalPairs& pairs, const std::string& eval) const {
    const auto counts = std::ranges::find(pairs.counts, eval, &PairCounts::eval);
    ASSERT_NE(counts, pairs.counts.end());
    const auto& known = golden_.at(eval);
    EXPECT_EQ(counts->answers, known["answers"]);
    EXPECT_EQ(counts->right, known["right"]);
    EXPECT_EQ(counts->neither, known["neither"]);
    EXPECT_EQ(counts->prompts, known["prompts"]);
    EXPECT_EQ(counts->both, known["both"]);
    EXPECT_EQ(counts->only_right, known["only_right"]);
    EXPECT_EQ(counts->only_wrong, known["only_wrong"]);
    EXPECT_EQ(counts->pairs, known["pairs"]);
    const auto rows = pair_baselines(pairs, 0.95);
    const EvalRow longest = row_of(rows, eval, "pairs_ordered", "baseline: longest");
    const EvalRow shortest = row_of(rows, eval, "pairs_ordered", "baseline: shortest");
    EXPECT_NEAR(*longest.score, known["longest"].get<double>(), 1e-12);
    EXPECT_NEAR(longest.ci->low, known["longest_ci"][0].get<double>(), 1e-9);
    EXPECT_NEAR(longest.ci->high, known["longest_ci"][1].get<double>(), 1e-9);
    EXPECT_NEAR(*shortest.score, 1 - *longest.score, 1e-12);
    const EvalRow model = row_of(rows, eval, "pairs_ordered", "baseline: model");
    EXPECT_NEAR(*model.score, known["model"].get<double>(), 1e-12);
  }
  nlohmann::json golden_;
};

TEST_F(PublishedPairs, OfGsm8kSolutionsAreAsManyAsTheFlagsSay) {
  const std::vector files = {(kExtrinsic / "gsm8k/example_model_solutions.jsonl").string()};
  const auto graded = grade_outputs("gsm8k", files, {});
  ASSERT_TRUE(graded) << graded.error().message;
  const auto pairs = pair_answers(*graded, {});
  ASSERT_TRUE(pairs);
  expect(*pairs, "gsm8k");
}

TEST_F(PublishedPairs, OfXsTestAreFullComplianceAndFullRefusal) {
  const std::filesystem::path folder = kExtrinsic / "xstest/completions";
  const std::vector files = {(folder / "xstest_v2_completions_llama2orig.csv").string(),
                             (folder / "xstest_v2_completions_mistralinstruct.csv").string()};
  const auto graded = grade_outputs("xstest", files, {});
  ASSERT_TRUE(graded) << graded.error().message;
  const auto pairs = pair_answers(*graded, {});
  ASSERT_TRUE(pairs);
  expect(*pairs, "xstest-safe");
  expect(*pairs, "xstest-unsafe");
}

TEST_F(PublishedPairs, OfOneModelAloneAreNone) {
  const std::vector files = {
      (kExtrinsic / "xstest/completions/xstest_v2_completions_llama2orig.csv").string()};
  const auto graded = grade_outputs("xstest", files, {});
  ASSERT_TRUE(graded);
  const auto pairs = pair_answers(*graded, {});
  ASSERT_FALSE(pairs) << "one completion a prompt";
  EXPECT_NE(pairs.error().message.find("xstest-unsafe: no prompt has"), std::string::npos);
}

}  // namespace
}  // namespace plumb::evals
