// From an evaluation's outputs to a reward model's row of link B, from outside the program.
#include <cmath>

#include "program.h"

namespace plumb {
namespace {

class Pairs : public Program {
 protected:
  // Two right and one wrong solution to each problem; the wrong one is longer.
  void write_solutions(std::size_t problems) const {
    std::string items, outputs;
    for (std::size_t i = 0; i < problems; ++i) {
      const std::string question = fmt::format("What is {} and {}?", i, i + 1);
      items +=
          Json{{"question", question}, {"answer", fmt::format("#### {}", 2 * i + 1)}}.dump() + "\n";
      const auto add = [&](const std::string& text) {
        outputs += Json{{"prompt", question}, {"completion", text}}.dump() + "\n";
      };
      add(fmt::format("It is easy. #### {}", 2 * i + 1));
      add(fmt::format("Let us do not fear. #### {}", 2 * i + 1));
      add(fmt::format("Nobody could ever say what it is, so I guess: #### {}", 2 * i + 2));
    }
    write("test.jsonl", items);
    write("outputs.jsonl", outputs);
  }
  std::string pairs(const std::string& more) const {
    return fmt::format("eval pairs gsm8k --data '{}' --outputs '{}' {}", path("test.jsonl"),
                       path("outputs.jsonl"), more);
  }
  void write_run() const {
    std::string text;
    for (int step = 0; step <= 40; step += 10) {
      for (int p = 0; p < 12; ++p) {
        for (int i = 0; i < 3; ++i) {
          const double worth = std::sin(12.9 * step + 78.2 * p + 4.37 * i);
          text += Json{{"step", step},
                       {"prompt", fmt::format("p{}", p)},
                       {"completion", "text"},
                       {"tokens", 10 + i},
                       {"proxy", worth + step / 20.0},
                       {"gold", worth},
                       {"kl", step * step / 400.0}}
                      .dump() +
                  "\n";
        }
      }
    }
    write("run.jsonl", text);
  }
  const Json* row(const Json& links, const std::string& measure) const {
    for (const Json& one : links["links"]) {
      if (one["measure"] == measure) return &one;
    }
    ADD_FAILURE() << "no row " << measure;
    return nullptr;
  }
};

TEST_F(Pairs, GoFromOutputsThroughARewardModelIntoTheLinks) {
  write_solutions(40);
  const Outcome made = run(pairs(fmt::format("-o '{}' --json", path("pairs.jsonl"))));
  ASSERT_EQ(made.code, 0) << made.error;
  const Json summary = Json::parse(made.out);
  EXPECT_EQ(summary["schema"], "plumb.eval/1");
  EXPECT_EQ(summary["rows"][0]["metric"], "pairs_ordered");
  EXPECT_EQ(summary["rows"][0]["score"], 0) << "the longest is always wrong";
  EXPECT_EQ(summary["rows"][0]["n"], 80);

  ASSERT_EQ(run(fmt::format("reward train '{}' --features char-ngrams --run '{}' --held-out 0.3",
                            path("pairs.jsonl"), path("rm")))
                .code,
            0);
  const std::string eval = fmt::format("reward eval '{}' --model '{}' --resamples 100 ",
                                       path("pairs.jsonl"), path("rm/model"));
  const Outcome measured = run(eval + fmt::format("--json --scores '{}'", path("scores.jsonl")));
  ASSERT_EQ(measured.code, 0) << measured.error;
  EXPECT_EQ(Json::parse(measured.out)["accuracy"], 1);
  EXPECT_EQ(run(eval + "--eval gsm8k --json").code, 0);
  const Outcome none = run(eval + "--eval mmlu");
  EXPECT_EQ(none.code, 3);
  EXPECT_NE(none.error.find("no comparison is of \"mmlu\"; it holds gsm8k"), std::string::npos);

  const Outcome perturbed = run(
      fmt::format("reward perturb '{}' --model '{}' --resamples 100 --json --save '{}' --opener "
                  "'My dear friend,'",
                  path("pairs.jsonl"), path("rm/model"), path("perturbed.jsonl")));
  ASSERT_EQ(perturbed.code, 0) << perturbed.error;
  const Json report = Json::parse(perturbed.out);
  EXPECT_EQ(report["schema"], "plumb.reward-perturb/1");
  EXPECT_EQ(report["perturbations"].size(), 14U);
  EXPECT_EQ(report["perturbations"][8]["perturbation"], "paraphrase:contracted");
  EXPECT_EQ(report["perturbations"][8]["texts"], report["pairs"])
      << "every right one, no wrong one";
  EXPECT_TRUE(report["perturbations"][9]["shift"].is_null());

  write_run();
  const Outcome links = run(
      fmt::format("mismatch links '{}' --pairs '{}' --perturbations '{}' --resamples 200 --json",
                  path("run.jsonl"), path("scores.jsonl"), path("perturbed.jsonl")));
  ASSERT_EQ(links.code, 0) << links.error;
  const Json json = Json::parse(links.out);
  const Json* ordered = row(json, "pairs of gsm8k ordered right");
  ASSERT_NE(ordered, nullptr);
  EXPECT_EQ((*ordered)["estimate"], 1);
  EXPECT_EQ((*ordered)["verdict"], "aligned");
  EXPECT_NE(row(json, "shift of the score by suffix:closing, in deviations"), nullptr);
  const Json* dressed = row(json, "pairs ordered right, opener:given-1 on the worse side");
  ASSERT_NE(dressed, nullptr);
  EXPECT_TRUE((*dressed)["verdict"].is_string());
}

TEST_F(Pairs, OfOneClassAreRefusedByName) {
  write_solutions(3);
  write("outputs.jsonl", "{\"prompt\":\"What is 0 and 1?\",\"completion\":\"#### 1\"}\n");
  const Outcome outcome = run(pairs(""));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(
      outcome.error.find("gsm8k: no prompt has a right and a wrong answer (1 have right ones"),
      std::string::npos)
      << outcome.error;
}

TEST_F(Pairs, OfChoicesNeedNoOutputs) {
  const Outcome made = run("eval pairs arithmetic --items 4");
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_EQ(std::count(made.out.begin(), made.out.end(), '\n'), 12);
  EXPECT_EQ(Json::parse(made.out.substr(0, made.out.find('\n')))["eval"], "arithmetic");
  EXPECT_NE(made.error.find("4 prompts"), std::string::npos) << "the summary is on stderr";
  EXPECT_EQ(run("eval pairs stories").code, 2);
}

TEST_F(Pairs, ThatLengthPaysForAreOvertaken) {
  write_solutions(20);
  ASSERT_EQ(run(pairs(fmt::format("-o '{}'", path("pairs.jsonl")))).code, 0);
  const std::string perturb =
      fmt::format("reward perturb '{}' --model length --resamples 100", path("pairs.jsonl"));
  const Outcome text = run(perturb);
  ASSERT_EQ(text.code, 0) << text.error;
  EXPECT_NE(text.out.find("inverted"), std::string::npos) << text.out;
  EXPECT_TRUE(run(perturb + " --csv").out.starts_with("perturbation,kind,meaning,texts,shift"));
  EXPECT_EQ(run(perturb + " --json").out, run(perturb + " --json --threads 1").out);
}

}  // namespace
}  // namespace plumb
