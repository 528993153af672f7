// What the measures of links promise, counted over logs whose truth is known: with PLUMB_LONG_TESTS
// 200 logs a world (or as many as it says, above 1), else a few. The counts are printed;
// docs/links.md has those of the long run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <numeric>

#include "plumb/mismatch/links/links.h"
#include "plumb/mismatch/links/planted.h"
#include "plumb/mismatch/measure/measure_testing.h"
#include "plumb/stats/autoregression.h"
#include "plumb/stats/change_point.h"
#include "plumb/stats/series.h"

namespace plumb::mismatch {
namespace {

using testing::normal;
using testing::PlantedLog;

bool is_long() { return std::getenv("PLUMB_LONG_TESTS") != nullptr; }
std::uint64_t runs() {
  if (!is_long()) return 20;
  const std::uint64_t asked = std::strtoull(std::getenv("PLUMB_LONG_TESTS"), nullptr, 10);
  return asked > 1 ? asked : 200;
}
stats::BootstrapOptions sampling(std::uint64_t seed) {
  return {.resamples = is_long() ? 1000U : 200U, .seed = seed};
}

// Counts of a world: intervals that hold the truth, verdicts that are wrong.
class Tally {
 public:
  explicit Tally(std::string world) : world_(std::move(world)) {}
  ~Tally() {
    for (const auto& [what, count] : counts_) {
      fmt::print("| {} | {} | {} of {} | {:.1f} % |\n", world_, what, count.first, count.second,
                 100.0 * count.first / count.second);
    }
  }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  void count(const std::string& what, bool holds) {
    counts_[what].first += holds ? 1 : 0;
    counts_[what].second += 1;
  }
  void cover(const std::string& what, const std::optional<stats::Interval>& ci, double truth) {
    count("covered: " + what, ci && ci->low <= truth && truth <= ci->high);
  }
  double share(const std::string& what) const {
    const auto& [held, all] = counts_.at(what);
    return static_cast<double>(held) / all;
  }
  // From 93 to 97 %. A count of so many runs whose own share is at such a bound lies beyond it by
  // more than 2.58 deviations of a binomial once in two hundred.
  void expect_coverage() const {
    for (const auto& [what, count] : counts_) {
      if (!what.starts_with("covered")) continue;
      const auto noise = [all = count.second](double p) {
        return 2.58 * std::sqrt(p * (1 - p) / all);
      };
      EXPECT_GE(share(what), 0.93 - noise(0.93)) << world_ << " " << what;
      EXPECT_LE(share(what), 0.97 + noise(0.97)) << world_ << " " << what;
    }
  }
  // One in twenty, with the same noise where logs are few.
  void expect_rare(const std::string& what) const {
    EXPECT_LE(share(what), is_long() ? 0.05 : 0.2) << world_ << " " << what;
  }

 private:
  std::string world_;
  std::map<std::string, std::pair<int, int>> counts_;
};

LinkReport links_of(const SampleTable& table, const LinkOptions& options) {
  std::vector<RunLinks> all;
  all.push_back(measure_links("run", table, {}, options).value());
  return report_links(std::move(all), {}, {}, {}, options).value();
}

const LinkRow& row(const LinkReport& report, const std::string& measure) {
  const auto found = std::ranges::find(report.rows, measure, &LinkRow::measure);
  EXPECT_NE(found, report.rows.end()) << measure;
  return *found;
}

bool is_one_of(Verdict verdict, std::initializer_list<Verdict> all) {
  return std::ranges::find(all, verdict) != all.end();
}

// Draws logs of a world and looks at the report of each.
template <typename Look>
void each_log(const PlantedLog& log, const char* purpose, Look look) {
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, purpose, run);
    look(links_of(log.draw(stream), {.sampling = sampling(run)}));
  }
}

const std::initializer_list<Verdict> kSigned = {Verdict::kAligned, Verdict::kInverted};
const std::initializer_list<Verdict> kNotAligned = {Verdict::kDecoupled, Verdict::kInverted};

TEST(PlantedLinks, S1RandomLabelsAreNeitherAlignedNorInverted) {
  Tally tally("S1 random labels");
  each_log(testing::random_world(), "S1", [&](const LinkReport& report) {
    tally.cover("accuracy at the start", row(report, "pairs ordered right at the start").ci, 0.5);
    tally.cover("accuracy at the end", row(report, "pairs ordered right at the end").ci, 0.5);
    tally.cover("tau at the end", row(report, "tau within prompts at the end").ci, 0);
    tally.cover("gold per proxy", row(report, "gold per proxy").ci, 0);
    for (std::size_t link = 0; link < 3; ++link) {
      tally.count(fmt::format("wrong verdict: {}", "ABC"[link]),
                  is_one_of(report.verdicts[0].links[link], kSigned));
    }
  });
  tally.expect_coverage();
  for (const char link : {'A', 'B', 'C'}) tally.expect_rare(fmt::format("wrong verdict: {}", link));
}

TEST(PlantedLinks, S2APerfectProxyIsAligned) {
  Tally tally("S2 perfect proxy");
  const testing::NoiseWorld world{.noise_variance = 0};
  each_log(world.log(), "S2", [&](const LinkReport& report) {
    for (std::size_t link = 0; link < 3; ++link) {
      tally.count(fmt::format("not aligned: {}", "ABC"[link]),
                  report.verdicts[0].links[link] != Verdict::kAligned);
    }
    EXPECT_NEAR(*row(report, "gold per proxy").estimate, 1, 1e-9);
    EXPECT_NEAR(*row(report, "gap at the end").estimate, 0, 1e-9);
  });
  for (const char link : {'A', 'B', 'C'}) tally.expect_rare(fmt::format("not aligned: {}", link));
}

TEST(PlantedLinks, S3NoiseTakesItsShareOfTheGain) {
  Tally tally("S3 noisy proxy");
  const testing::NoiseWorld world;
  each_log(world.log(), "S3", [&](const LinkReport& report) {
    tally.cover("gold per proxy", row(report, "gold per proxy").ci, world.efficiency());
    tally.cover("gold per proxy, later half", row(report, "gold per proxy, later half").ci,
                world.efficiency());
    tally.cover("gold at the end", row(report, "gold, end less start").ci, world.end_gold());
    tally.cover("gap", row(report, "gap at the end").ci,
                world.reach - world.end_gold() / std::sqrt(world.gold_variance));
    // Of two normals with correlation r the better one is the higher with 1 / 2 + asin r / pi.
    tally.cover("accuracy at the end", row(report, "pairs ordered right at the end").ci,
                0.5 + std::asin(world.efficiency()) / std::acos(-1.0));
    for (std::size_t link = 0; link < 3; ++link) {
      tally.count(fmt::format("wrong verdict: {}", "ABC"[link]),
                  is_one_of(report.verdicts[0].links[link], kNotAligned));
      tally.count(fmt::format("found aligned: {}", "ABC"[link]),
                  report.verdicts[0].links[link] == Verdict::kAligned);
    }
  });
  tally.expect_coverage();
  for (const char link : {'A', 'B', 'C'}) tally.expect_rare(fmt::format("wrong verdict: {}", link));
}

TEST(PlantedLinks, S4AnExtremalProxyIsInvertedAndAStraightOneIsNot) {
  Tally tally("S4 extremal Goodhart");
  const testing::ExtremalWorld bent, straight{.curvature = 0};
  each_log(bent.log(), "S4", [&](const LinkReport& report) {
    tally.cover("gold at the end", row(report, "gold, end less start").ci, bent.end_gold());
    tally.count("wrong verdict: A",
                is_one_of(report.verdicts[0].links[0], {Verdict::kAligned, Verdict::kDecoupled}));
    tally.count("turn-over missed", !row(report, "ceiling d*").estimate);
  });
  each_log(straight.log(), "S4 straight", [&](const LinkReport& report) {
    tally.count("without the bend, wrong verdict: A",
                is_one_of(report.verdicts[0].links[0], kNotAligned));
    tally.count("without the bend, turn-over claimed",
                row(report, "ceiling d*").estimate.has_value());
  });
  tally.expect_coverage();
  for (const char* what :
       {"wrong verdict: A", "turn-over missed", "without the bend, wrong verdict: A",
        "without the bend, turn-over claimed"}) {
    tally.expect_rare(what);
  }
}

TEST(PlantedLinks, S5LengthIsFoundToBePaidFor) {
  Tally tally("S5 length hack");
  each_log(testing::length_world(0.1), "S5", [&](const LinkReport& report) {
    tally.cover("score per token", row(report, "score per token at equal gold").ci, 0.1);
    tally.count("wrong verdict: A", is_one_of(report.verdicts[0].links[0], kSigned));
    tally.count("wrong verdict: C", is_one_of(report.verdicts[0].links[2], kSigned));
  });
  tally.expect_coverage();
  tally.expect_rare("wrong verdict: A");
  tally.expect_rare("wrong verdict: C");
}

TEST(PlantedLinks, S6RefusalsAreFoundToBePaidFor) {
  Tally tally("S6 refusal hack");
  each_log(testing::refusal_world(1), "S6", [&](const LinkReport& report) {
    tally.cover("score per refusal", row(report, "score per refusal at equal gold").ci, 1);
    tally.cover("score per token", row(report, "score per token at equal gold").ci, 0);
    tally.count("wrong verdict: A", is_one_of(report.verdicts[0].links[0], kSigned));
  });
  tally.expect_coverage();
  tally.expect_rare("wrong verdict: A");
}

TEST(PlantedLinks, S7TheCeilingIsInItsInterval) {
  Tally tally("S7 ceiling");
  const testing::PlantedSamples planted{.world = {.curve = {1, 0.5}, .prompts = 100}, .each = 2};
  const double truth = stats::curve_peak(planted.world.form, planted.world.curve);
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, "S7", run);
    const RunDraws draws = draw_run("run", planted.draw(stream), 0, sampling(run)).value();
    const auto curves = gold_curve(draws, sampling(run));
    tally.cover("d*", curves[0].ceiling->d_star_ci, truth);
  }
  tally.expect_coverage();
}

// A world whose ceiling lies from a quarter of the way to beyond the end.
TEST(PlantedLinks, S8TheStoppingRuleLosesLittle) {
  std::map<std::string, double> regrets;
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, "S8", run);
    testing::PlantedRun world{.prompts = 100};
    world.curve = {1, 1 / (1 + std::log(3 + 15 * stream.uniform()))};
    const auto truth = world.true_gold();
    const RuleOptions options{.stop = {.looks = 12}, .kl_budgets = {16, 49, 100}};
    for (const RuleChoice& rule : choose_checkpoints(world.draw(stream), options)) {
      regrets[rule.name] += regret(truth, rule.checkpoint) / static_cast<double>(runs());
    }
  }
  for (const auto& [name, value] : regrets) {
    fmt::print("| S8 stopping | mean regret: {} | {:.3f} | |\n", name, value);
  }
  EXPECT_LT(regrets.at("ceiling"), regrets.at("last"));
  EXPECT_LT(regrets.at("ceiling"), regrets.at("highest proxy"));
}

TEST(PlantedLinks, S9SwapsFindWhatEachStageLoses) {
  Tally tally("S9 three losses");
  const testing::SwapWorld world;
  const double truths[] = {world.reward_loss, world.optimiser_loss, world.evaluation_loss,
                           world.remainder(), world.total()};
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, "S9", run);
    const auto logs = world.draw(stream);
    const SwapReport swap =
        swap_tests({.run = &logs.run, .gold_run = &logs.gold_run, .relabelled = &logs.relabelled},
                   sampling(run));
    ASSERT_EQ(swap.stages.size(), 5U) << swap.reason;
    double sum = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      const auto& [stage, loss] = swap.stages[i];
      tally.cover(stage, loss.ci ? std::optional(*loss.ci) : std::nullopt, truths[i]);
      sum += (i < 4 ? 1 : -1) * *loss.value;
    }
    EXPECT_NEAR(sum, 0, 1e-9);
  }
  tally.expect_coverage();
}

TEST(PlantedLinks, S10DivergencesAgreeAndSwappedOnesAreCaught) {
  Tally tally("S10 divergence");
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, "S10", run);
    SampleTable table = testing::NoiseWorld{}.log().draw(stream);
    tally.count("false alarm", !check_divergence(table).empty());
    for (double& k1 : table.k1) k1 = -k1;
    const auto warned = check_divergence(table);
    tally.count("swapped, not caught", warned.empty() || !warned[0].ends_with("swapped?"));
    const SampleTable same = testing::NoiseWorld{.reach = 0}.log().draw(stream);
    tally.count("identical policies, not exactly 0",
                *run_trajectory(same, 0).value().points.back().kl != 0);
  }
  tally.expect_rare("false alarm");
  EXPECT_EQ(tally.share("swapped, not caught"), 0);
  EXPECT_EQ(tally.share("identical policies, not exactly 0"), 0);
}

// By the squares of the errors about their mean: n less 1 / n times the sum of all r^|i - j|.
double expected_correlation(std::span<const double> x, double slope, double error, double r) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double xx = 0, together = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    for (std::size_t j = 0; j < x.size(); ++j) {
      together += std::pow(r, std::abs(static_cast<double>(i) - static_cast<double>(j)));
    }
  }
  const double moved = slope * slope * xx;
  return slope * std::sqrt(xx / (moved + error * error * (n - together / n)));
}

// Errors of an evaluation that hang together in time.
TEST(PlantedLinks, SeriesHaveTheirSlopeInItsInterval) {
  for (const double r : {0.0, 0.3, 0.6}) {
    Tally tally(fmt::format("C series, autocorrelation {}", r));
    for (const std::size_t size : {8U, 12U, 20U, 40U}) {
      for (std::uint64_t run = 0; run < runs(); ++run) {
        Stream stream(11, fmt::format("series {} {}", r, size), run);
        std::vector<double> x, y;
        double error = normal(stream);
        for (std::size_t t = 0; t < size; ++t) {
          if (t > 0) error = r * error + std::sqrt(1 - r * r) * normal(stream);
          x.push_back(std::sqrt(static_cast<double>(t)) + 0.2 * normal(stream));
          y.push_back(0.5 * x.back() + 0.5 * error);
        }
        const auto link = stats::series_link(x, y, 0.95);
        tally.cover(fmt::format("slope, {:2} checkpoints", size), link->slope_ci, 0.5);
        tally.cover(fmt::format("correlation, {:2} checkpoints", size), link->correlation_ci,
                    expected_correlation(x, 0.5, 0.5, r));
      }
    }
    tally.expect_coverage();
  }
}

// One line with such errors: how often is a change of slope claimed? With a dozen checkpoints or
// fewer their autocorrelation is told badly, and it is claimed more often than one in twenty.
TEST(PlantedLinks, ChangesOfALineAreSeldomClaimed) {
  for (const double r : {0.0, 0.3, 0.6}) {
    Tally tally(fmt::format("C change point, autocorrelation {}", r));
    for (const std::size_t size : {8U, 12U, 20U, 40U}) {
      const std::string what = fmt::format("claimed of one line, {:2} checkpoints", size);
      for (std::uint64_t run = 0; run < runs(); ++run) {
        Stream stream(11, fmt::format("change {} {}", r, size), run);
        std::vector<double> x(size), y(size);
        std::iota(x.begin(), x.end(), 0.0);
        stats::draw_errors(r, stream, y);
        tally.count(what, stats::change_point_test(x, y, sampling(run))->p_value <= 0.05);
      }
      const double most = size < 20 ? 0.12 : 0.05;
      EXPECT_LE(tally.share(what), is_long() ? most + 0.02 : 0.3) << r << " " << what;
    }
  }
}

TEST(PlantedLinks, PopulationsHaveTheirCorrelationInItsInterval) {
  Tally tally("B population of 24");
  for (std::uint64_t run = 0; run < runs(); ++run) {
    Stream stream(11, "population", run);
    Population related, random;
    for (int model = 0; model < 24; ++model) {
      const double gold = normal(stream), shared = 0.6 * gold + 0.8 * normal(stream);
      related.gold.push_back(gold);
      related.metrics["accuracy"].push_back(shared);
      random.gold.push_back(gold);
      random.metrics["accuracy"].push_back(normal(stream));
    }
    auto rows = population_rows(related, 0.95), others = population_rows(random, 0.95);
    // Spearman's correlation of normals that correlate by r.
    tally.cover("correlation", rows[0].ci, 6 / std::acos(-1.0) * std::asin(0.3));
    judge(others, 0.95);
    tally.count("wrong verdict where there is none", is_one_of(*others[0].verdict, kSigned));
  }
  tally.expect_coverage();
  tally.expect_rare("wrong verdict where there is none");
}

// Four seeds, each with a reach of its own: of the next seed, not of these, the mean is asked.
TEST(PlantedLinks, SeedsAreResampledToo) {
  Tally tally("four seeds");
  for (std::uint64_t run = 0; run < runs(); ++run) {
    std::vector<RunDraws> seeds;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      Stream stream(11, "seeds", 4 * run + seed);
      testing::NoiseWorld world;
      world.reach += 0.5 * normal(stream);
      PlantedLog log = world.log();
      log.prompts = 40;
      log.each = 4;
      seeds.push_back(draw_run("seed", log.draw(stream), 0, sampling(run)).value());
    }
    const RunDraws pooled = pool_runs(seeds, "all", sampling(run)).value();
    const std::size_t end = pooled.points.size() - 1;
    const auto ci = pooled.summary(pooled.column(end, PointColumn::kGold), sampling(run)).interval;
    tally.cover("gold at the end", *ci, testing::NoiseWorld{}.end_gold());
  }
  tally.expect_coverage();
}

}  // namespace
}  // namespace plumb::mismatch
