#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/mismatch/perturbations/run_perturbations.h"
#include "plumb/stats/intervals.h"
#include "plumb/text/trimmed.h"

namespace plumb::mismatch {
namespace {

nlohmann::json golden(const char* key) {
  std::ifstream file("tests/golden/perturbations.json");
  EXPECT_TRUE(file) << "run from the repository root";
  return nlohmann::json::parse(file)[key];
}

std::optional<double> number_or_nothing(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

std::vector<PerturbedPair> pairs_of(const nlohmann::json& list) {
  std::vector<PerturbedPair> pairs;
  for (const auto& one : list) {
    pairs.push_back({one["prompt"].get<std::uint32_t>(), one["chosen"].get<double>(),
                     one["rejected"].get<double>(), number_or_nothing(one["chosen_changed"]),
                     number_or_nothing(one["rejected_changed"])});
  }
  return pairs;
}

void expect_share(const std::optional<stats::ClusteredShare>& share, const nlohmann::json& known) {
  ASSERT_TRUE(share);
  EXPECT_NEAR(share->value, known[0].get<double>(), 1e-12);
  EXPECT_NEAR(share->ci.low, known[1].get<double>(), 1e-9);
  EXPECT_NEAR(share->ci.high, known[2].get<double>(), 1e-9);
}

// tests/golden/perturbations.py
TEST(Perturbations, MeasuresAreThoseOfTheirDefinitions) {
  for (const auto& known : golden("perturbations")) {
    const std::vector<PerturbedPair> pairs = pairs_of(known["pairs"]);
    const auto results = measure_perturbations({{"p", "suffix", "", pairs}}, {});
    ASSERT_EQ(results.size(), 1U);
    EXPECT_NEAR(within_prompt_deviation(pairs), known["deviation"].get<double>(), 1e-12);
    EXPECT_EQ(results[0].changed, known["texts"]);
    EXPECT_NEAR(*results[0].shift.point, known["shift"].get<double>(), 1e-12);
    EXPECT_TRUE(results[0].shift.interval);
    expect_share(results[0].turned.share, known["turned"]);
    expect_share(results[0].overtaken.share, known["overtaken"]);
    expect_share(results[0].ordered.share, known["ordered"]);
    expect_share(results[0].ordered_before.share, known["before"]);
    expect_share(tie_shares(pairs, {}).near, known["near"]);
  }
}

// A reward that is a number a text names, and pays so much for a phrase at its end.
class PayingReward final : public rlhf::Reward {
 public:
  PayingReward(std::string phrase, double pay) : phrase_(std::move(phrase)), pay_(pay) {}
  const std::string& name() const override { return name_; }
  Json provenance() const override { return {}; }
  Result<std::vector<double>> score(std::span<const rlhf::Completed> texts, int) override {
    std::vector<double> scores;
    for (const rlhf::Completed& text : texts) {
      const double worth = std::stod(
          std::string(text.completion.substr(text.completion.find_first_of("0123456789"))));
      scores.push_back(worth + (text.completion.ends_with(phrase_) ? pay_ : 0));
    }
    return scores;
  }

 private:
  std::string name_ = "paying", phrase_;
  double pay_;
};

rlhf::PreferenceData numbers(std::size_t prompts, double advantage) {
  rlhf::PreferenceData data{.file = "numbers", .comparisons = {}, .defects = {}};
  for (std::size_t p = 0; p < prompts; ++p) {
    Stream stream(5, "perturbation test", p);
    for (int pair = 0; pair < 2; ++pair) {
      rlhf::Comparison one;
      one.prompt = {{"", "prompt " + std::to_string(p)}};
      const double low = stream.uniform();
      one.completions = {rlhf::Conversation{{"", std::to_string(low + advantage)}},
                         rlhf::Conversation{{"", std::to_string(low)}}};
      one.votes = {{"", tasks::Choice::kA, 0}};
      data.comparisons.push_back(one);
    }
  }
  return data;
}

TEST(Perturbations, RecoverWhatAPlantedRewardPaysForASuffix) {
  const rlhf::PreferenceData data = numbers(60, 0.5);
  PayingReward reward("I hope this helps.", 0.8);
  const auto perturbed = perturb(reward, data, built_in_perturbations(), {});
  ASSERT_TRUE(perturbed) << perturbed.error().message;
  const double deviation = within_prompt_deviation(perturbed->unchanged());
  for (const PerturbationResult& one : measure_perturbations(perturbed->perturbations, {})) {
    const bool paid = one.perturbation == "suffix:closing";
    if (one.kind != "suffix") continue;
    EXPECT_EQ(one.changed, 240U);
    EXPECT_NEAR(*one.shift.point, paid ? 0.8 / deviation : 0, 1e-9) << one.perturbation;
    EXPECT_EQ(one.turned.share->value, 0) << "both sides are paid alike";
    EXPECT_EQ(one.overtaken.share->value, paid ? 1 : 0);
    EXPECT_EQ(one.ordered_before.share->value, 1);
    EXPECT_EQ(one.row.verdict, paid ? Verdict::kInverted : Verdict::kAligned) << one.perturbation;
  }
}

// Scores of deviation 1 about the mean of their prompt, texts that gain 0.3 give or take 0.5: the
// shift is 0.3.
TEST(Perturbations, IntervalsHoldThePlantedShift) {
  constexpr std::size_t kWorlds = 300, kPrompts = 40;
  std::size_t held = 0;
  for (std::size_t world = 0; world < kWorlds; ++world) {
    Stream stream(3, "perturbation coverage", world);
    const auto normal = [&] {
      return stats::normal_quantile(1e-9 + (1 - 2e-9) * stream.uniform());
    };
    std::vector<PerturbedPair> pairs;
    for (std::uint32_t p = 0; p < kPrompts; ++p) {
      const double mean = 2 * normal(), own = 0.3 * normal();
      for (int i = 0; i < 2; ++i) {
        const double a = mean + normal(), b = mean + normal();
        pairs.push_back({p, a, b, a + 0.3 + own + 0.4 * normal(), b + 0.3 + own + 0.4 * normal()});
      }
    }
    const auto results =
        measure_perturbations({{"p", "", "", pairs}}, {.sampling = {.resamples = 300}});
    const stats::Interval ci = *results[0].shift.interval;
    held += ci.low <= 0.3 && 0.3 <= ci.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(held) / kWorlds, 0.95, 0.03);
}

TEST(Perturbations, OfAPartOfThePairsAreDrawnBySeed) {
  PayingReward reward("***", 0.3);
  const rlhf::PreferenceData data = numbers(60, 0.5);
  const auto one = perturb(reward, data, built_in_perturbations(), {.pairs = 20, .seed = 1});
  const auto same = perturb(reward, data, built_in_perturbations(), {.pairs = 20, .seed = 1});
  const auto other = perturb(reward, data, built_in_perturbations(), {.pairs = 20, .seed = 2});
  ASSERT_TRUE(one && same && other);
  EXPECT_EQ(one->pairs, 20U);
  EXPECT_EQ(perturbation_lines(one->perturbations, one->prompts),
            perturbation_lines(same->perturbations, same->prompts));
  EXPECT_NE(perturbation_lines(one->perturbations, one->prompts),
            perturbation_lines(other->perturbations, other->prompts));
}

TEST(Perturbations, OfDataThatNobodyDecidedAreRefused) {
  rlhf::PreferenceData data = numbers(2, 0.5);
  for (rlhf::Comparison& one : data.comparisons) one.votes[0].choice = tasks::Choice::kTie;
  PayingReward reward("***", 0.3);
  const auto perturbed = perturb(reward, data, built_in_perturbations(), {});
  ASSERT_FALSE(perturbed);
  EXPECT_EQ(perturbed.error().message, "numbers: no pair of different texts has a majority");
}

TEST(Perturbations, ThatChangeNothingSayWhy) {
  const auto results =
      measure_perturbations({{"p", "", "", {{0, 1, 2, {}, {}}, {1, 1, 2, {}, {}}}}}, {});
  ASSERT_FALSE(results[0].shift.point);
  EXPECT_EQ(results[0].shift.point.error().reason, "the perturbation changes no text");
  EXPECT_FALSE(results[0].ordered.share);
  EXPECT_EQ(results[0].row.verdict, Verdict::kInsufficient);
  std::vector<PerturbedPair> rare;
  for (std::uint32_t p = 0; p < 12; ++p) rare.push_back({p, 1, 0, {}, {}});
  rare[0].chosen_changed = 2;
  const auto few = measure_perturbations({{"p", "", "", rare}}, {});
  EXPECT_TRUE(few[0].shift.point);
  EXPECT_EQ(few[0].shift.interval.error().reason, "it changes texts of fewer than ten prompts");
  const auto flat = measure_perturbations({{"p", "", "", {{0, 1, 1, 2, 2}, {1, 3, 3, 4, 4}}}}, {});
  EXPECT_EQ(flat[0].shift.point.error().reason, "the two sides of every pair score alike");
}

// A reward plus a constant for every changed text, in any unit: the shift is the constant in
// deviations, and nothing turns.
TEST(Perturbations, DoNotDependOnTheScaleOfTheReward) {
  rc::check([](std::uint32_t seed) {
    Stream stream(seed, "perturbation property", 0);
    const double scale = 0.1 + 10 * stream.uniform(), origin = 100 * stream.uniform() - 50,
                 bonus = stream.uniform();
    std::vector<PerturbedPair> plain, scaled;
    for (std::uint32_t i = 0; i < 30; ++i) {
      const double a = stream.uniform(), b = stream.uniform();
      plain.push_back({i / 3, a, b, a + bonus, b + bonus});
      const auto to = [&](double x) { return origin + scale * x; };
      scaled.push_back({i / 3, to(a), to(b), to(a + bonus), to(b + bonus)});
    }
    const PerturbationOptions options{.sampling = {.resamples = 50}};
    const auto one = measure_perturbations({{"p", "", "", plain}}, options);
    const auto other = measure_perturbations({{"p", "", "", scaled}}, options);
    RC_ASSERT(std::abs(*one[0].shift.point - *other[0].shift.point) < 1e-9);
    RC_ASSERT(std::abs(*one[0].shift.point - bonus / within_prompt_deviation(plain)) < 1e-9);
    RC_ASSERT(one[0].turned.share->value == 0);
    RC_ASSERT(other[0].ordered.share->value <= other[0].ordered_before.share->value);
  });
}

TEST(Perturbations, ComeBackFromTheirFile) {
  const auto folder = std::filesystem::path(testing::TempDir()) / std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const auto file = folder / "perturbations.jsonl";
  const std::vector<PerturbedPairs> perturbations = {
      {"a", "suffix", "x", {{0, 1.5, 0.25, 2, {}}, {1, 0, 1, {}, -1}}}};
  ASSERT_TRUE(write_file_atomic(file, perturbation_lines(perturbations, {"p", "q"})));
  const auto read = read_perturbed_pairs(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(perturbation_lines(*read, {"p", "q"}), perturbation_lines(perturbations, {"p", "q"}));
  const auto rows = perturbation_rows(*read, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].measure, "pairs ordered right, a on the worse side");
  ASSERT_TRUE(write_file_atomic(file, "{\"perturbation\":\"a\",\"chosen\":1}\n"));
  const auto refused = read_perturbed_pairs(file);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("perturbations.jsonl:1: \"rejected\" is not a number"),
            std::string::npos);
  ASSERT_TRUE(write_file_atomic(file, "{\"completion\":\" a b \",\"paraphrase\":\"b a\"}\n"));
  const auto given = read_paraphrases(file);
  ASSERT_TRUE(given);
  EXPECT_EQ((*given)[0].id, "paraphrase:given");
  EXPECT_EQ((*given)[0].change("\na b\n"), "\nb a\n");
  EXPECT_FALSE((*given)[0].change("c"));
  std::filesystem::remove_all(folder);
}

// All by hand.
TEST(PerturbationTexts, RespellWithoutAnotherMeaning) {
  EXPECT_EQ(contracted("Do not go. I am here, it is so. That is it."),
            "Don't go. I'm here, it's so. That's it.");
  EXPECT_EQ(contracted("as it is. Redo nothing; kudo not"), "as it is. Redo nothing; kudo not");
  EXPECT_EQ(contracted("I cannot come"), "I can't come");
  EXPECT_EQ(expanded("I don't know. It's good"), "I do not know. It's good");
  EXPECT_EQ(expanded("Don't you know? Don't go."), "Don't you know? Do not go.");
  EXPECT_EQ(expanded("I can't say"), "I cannot say");
  EXPECT_EQ(widely_spaced("One. Two? three. Four"), "One.  Two? three.  Four");
  EXPECT_EQ(with_typographic_quotes("\"Don't,\" she said"), "\u201cDon\u2019t,\u201d she said");
  EXPECT_EQ(with_typographic_quotes("the boys' 5' x"), "the boys' 5' x");
  EXPECT_EQ(with_spelt_numbers("She has 3 eggs and 12 hens, 15 cats."),
            "She has three eggs and twelve hens, 15 cats.");
  EXPECT_EQ(with_spelt_numbers("3 eggs. 4 hens\n2 cows; a 3 + 4 = 7, $5 each, 007 b, v 1.5 x"),
            "3 eggs. 4 hens\n2 cows; a 3 + 4 = 7, $5 each, 007 b, v 1.5 x");
}

TEST(PerturbationTexts, StandInsideTheBlanksAroundAText) {
  EXPECT_EQ(suffix_perturbation("s", "End.").change(" Hello.\n"), " Hello. End.\n");
  EXPECT_EQ(opener_perturbation("o", "Sure!").change(" Hello.\n"), " Sure! Hello.\n");
  EXPECT_FALSE(suffix_perturbation("s", "End.").change(" \n"));
}

// Whatever the text: phrases keep it whole, paraphrases are repeated without effect.
TEST(PerturbationTexts, KeepWhatIsSaid) {
  const std::vector<Perturbation> perturbations = built_in_perturbations();
  const std::vector<std::string> pieces = {"do not ", "don't ", "3 eggs ", "It is so. ", "\"Yes\" ",
                                           "you ",    "I'm ",   "\n",      "12 men ",    "we are "};
  rc::check([&] {
    std::string text;
    const auto count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i)
      text += pieces[*rc::gen::inRange<std::size_t>(0, pieces.size())];
    for (const Perturbation& perturbation : perturbations) {
      const auto changed = perturbation.change(text);
      if (!changed) continue;
      RC_ASSERT(*changed != text);
      const bool phrase = perturbation.kind != PerturbationKind::kParaphrase;
      RC_ASSERT(!phrase || changed->find(trimmed(text)) != std::string::npos);
      RC_ASSERT(!phrase || changed->find(perturbation.meaning) != std::string::npos);
      if (!phrase && perturbation.id != "paraphrase:contracted" &&
          perturbation.id != "paraphrase:expanded") {
        RC_ASSERT(!perturbation.change(*changed));
      }
    }
  });
}

}  // namespace
}  // namespace plumb::mismatch
