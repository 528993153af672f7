#include "plumb/rlhf/reward/reward_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "plumb/base/utf8.h"
#include "plumb/rlhf/reward/reward_losses.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::rlhf {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

double code_points(std::string_view text) { return static_cast<double>(count_characters(text)); }

// The comparisons that count, column by column.
struct Columns {
  std::vector<double> first, second, shares, first_length, second_length;
  std::vector<std::size_t> votes;
  std::vector<std::uint32_t> clusters;

  std::vector<double> margins() const {
    std::vector<double> result(first.size());
    std::ranges::transform(first, second, result.begin(), std::minus<>());
    return result;
  }
};

Result<Columns> columns_of(const PreferenceData& data,
                           std::span<const std::array<double, 2>> scores) {
  Columns columns;
  std::unordered_map<std::string, std::uint32_t> prompts;
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    const Comparison& one = data.comparisons[i];
    const auto share = share_of_first(one);
    if (!share || one.completions[0] == one.completions[1]) continue;
    if (!std::isfinite(scores[i][0]) || !std::isfinite(scores[i][1])) {
      return bad(fmt::format("{}: a score is not a finite number", one.where));
    }
    columns.first.push_back(scores[i][0]);
    columns.second.push_back(scores[i][1]);
    columns.shares.push_back(*share);
    columns.votes.push_back(decided_votes(one));
    columns.first_length.push_back(code_points(last_text(one.completions[0])));
    columns.second_length.push_back(code_points(last_text(one.completions[1])));
    const auto next = static_cast<std::uint32_t>(prompts.size());
    columns.clusters.push_back(prompts.emplace(plain_text(one.prompt), next).first->second);
  }
  if (columns.first.empty()) {
    return bad(fmt::format("{}: no comparison of different texts was decided", data.file));
  }
  return columns;
}

// The values that a resample holds.
std::vector<double> drawn(std::span<const double> values, stats::Counts counts) {
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size(); ++i) result.insert(result.end(), counts[i], values[i]);
  return result;
}

void fill_calibration(const Columns& columns, const RewardEvaluationOptions& options,
                      RewardEvaluation& evaluation) {
  const std::vector<double> margins = columns.margins();
  const stats::BootstrapOptions how{.resamples = options.sampling.resamples,
                                    .level = options.level,
                                    .seed = options.sampling.seed,
                                    .threads = options.sampling.threads};
  constexpr std::size_t kNullDraws = 200, kResampledNullDraws = 25;
  const stats::ResampledCalibration resampled(margins, columns.shares, columns.votes, options.bins,
                                              kResampledNullDraws, options.sampling.seed);
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> values) {
    const auto logits = drawn(margins, counts), outcomes = drawn(columns.shares, counts);
    values[0] = stats::brier_score(logits, outcomes);
    values[1] = stats::log_loss(logits, outcomes);
    values[2] = stats::fit_temperature(logits, outcomes);
    values[3] = resampled(counts);
  };
  const stats::Draws draws =
      stats::paired_bootstrap(stats::Resampling::of_clusters(columns.clusters), 4, statistics, how);
  const auto take = [&](std::size_t column, stats::Score& value, stats::IntervalScore& ci) {
    value = draws.points[column];
    ci = stats::summarize(draws, column, how).interval;
  };
  take(0, evaluation.brier, evaluation.brier_ci);
  take(1, evaluation.log_loss, evaluation.log_loss_ci);
  take(2, evaluation.temperature, evaluation.temperature_ci);
  evaluation.calibration_ci = stats::summarize(draws, 3, how).interval;
  const std::vector<double> undecided(margins.size(), 0.0);
  evaluation.constant_brier = *stats::brier_score(undecided, columns.shares);
  evaluation.calibration = *stats::debiased_calibration_error(
      margins, columns.shares, columns.votes, options.bins, kNullDraws, options.sampling.seed);
  constexpr double kWidth = 0.5;
  evaluation.reliability = stats::margin_reliability(margins, columns.shares, kWidth);
  evaluation.reliability_ci = stats::margin_reliability_intervals(margins, columns.shares, kWidth,
                                                                  columns.clusters, options.level);
}

void fill_noise_ceiling(const PreferenceData& data, double level, RewardEvaluation& evaluation) {
  const std::vector<double> agreement = vote_agreement(data);
  std::vector<std::uint32_t> each(agreement.size());
  std::iota(each.begin(), each.end(), 0);
  const auto share = stats::clustered_wilson(agreement, each, level);
  constexpr std::string_view kNone = "no comparison has two votes for one of the two";
  evaluation.noise_ceiling = stats::undefined(kNone);
  evaluation.noise_ceiling_ci = stats::undefined(kNone);
  if (!share) return;
  const auto ceiling = [](double value) -> stats::Score {
    const stats::Score e = flip_rate(value);
    return e ? stats::Score(1 - *e) : e;
  };
  evaluation.noise_ceiling = ceiling(share->value);
  if (!evaluation.noise_ceiling) {
    evaluation.noise_ceiling_ci = stats::undefined(evaluation.noise_ceiling.error().reason);
    return;
  }
  const double low = share->ci.low <= 0.5 ? 0.5 : *ceiling(share->ci.low);
  evaluation.noise_ceiling_ci = stats::Interval{low, *ceiling(share->ci.high)};
}

double variance_of(std::span<const double> values, Variance variance) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < 2) return 0;
  const double mean = ensemble_mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / (variance == Variance::kSample ? n - 1 : n);
}

}  // namespace

tl::expected<PairAccuracy, stats::Undefined> pair_accuracy(std::span<const double> first,
                                                           std::span<const double> second,
                                                           std::span<const double> shares,
                                                           std::span<const std::uint32_t> clusters,
                                                           double level) {
  assert(first.size() == second.size() && first.size() == shares.size());
  PairAccuracy accuracy;
  accuracy.n = first.size();
  std::vector<double> strict, half;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool tie = first[i] == second[i];
    strict.push_back(tie ? 0 : first[i] > second[i] ? shares[i] : 1 - shares[i]);
    half.push_back(tie ? 0.5 : strict.back());
    accuracy.ties += tie ? 1 : 0;
  }
  const auto strict_share = stats::clustered_wilson(strict, clusters, level);
  if (!strict_share) return tl::unexpected(strict_share.error());
  accuracy.strict = *strict_share;
  accuracy.half_tie = *stats::clustered_wilson(half, clusters, level);
  return accuracy;
}

stats::Score flip_rate(double agreement) {
  assert(0 <= agreement && agreement <= 1);
  if (agreement < 0.5) return stats::undefined("votes agree less often than coins would");
  return (1 - std::sqrt(2 * agreement - 1)) / 2;
}

double noise_corrected_accuracy(double accuracy, double e) {
  assert(e < 0.5);
  return (accuracy - e) / (1 - 2 * e);
}

std::size_t decided_votes(const Comparison& comparison) {
  return static_cast<std::size_t>(std::ranges::count_if(comparison.votes, [](const Vote& vote) {
    return vote.choice == tasks::Choice::kA || vote.choice == tasks::Choice::kB;
  }));
}

std::vector<double> vote_agreement(const PreferenceData& data) {
  std::vector<double> result;
  for (const Comparison& one : data.comparisons) {
    const auto votes = static_cast<double>(decided_votes(one));
    if (votes < 2) continue;
    const double first = votes * *share_of_first(one), second = votes - first;
    result.push_back((first * (first - 1) + second * (second - 1)) / (votes * (votes - 1)));
    result.back() = std::clamp(result.back(), 0.0, 1.0);
  }
  return result;
}

Result<RewardEvaluation> evaluate_scores(const PreferenceData& data,
                                         std::span<const std::array<double, 2>> scores,
                                         const RewardEvaluationOptions& options) {
  assert(scores.size() == data.comparisons.size());
  PLUMB_TRY(columns, columns_of(data, scores));
  const auto accuracy = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return *pair_accuracy(a, b, columns.shares, columns.clusters, options.level);
  };
  RewardEvaluation evaluation;
  evaluation.accuracy = accuracy(columns.first, columns.second);
  evaluation.longest = accuracy(columns.first_length, columns.second_length);
  evaluation.shortest = accuracy(columns.second_length, columns.first_length);
  fill_calibration(columns, options, evaluation);
  fill_noise_ceiling(data, options.level, evaluation);
  return evaluation;
}

double ensemble_mean(std::span<const double> members) {
  assert(!members.empty());
  return std::accumulate(members.begin(), members.end(), 0.0) / static_cast<double>(members.size());
}

double ensemble_worst(std::span<const double> members) { return std::ranges::min(members); }

double ensemble_uncertain(std::span<const double> members, double weight, Variance variance) {
  return ensemble_mean(members) - weight * variance_of(members, variance);
}

double ensemble_entropic(std::span<const double> members, double beta) {
  assert(!members.empty() && beta > 0);
  const double least = ensemble_worst(members);
  double sum = 0;
  for (const double member : members) sum += std::exp((least - member) / beta);
  return least - beta * std::log(sum / static_cast<double>(members.size()));
}

Result<ScoreNormalisation> fit_normalisation(std::span<const double> scores, std::string policy,
                                             std::string prompts) {
  if (scores.size() < 2) return bad("a normalisation needs two scores or more");
  if (!std::ranges::all_of(scores, [](double score) { return std::isfinite(score); })) {
    return bad("a score that should be normalised is not a finite number");
  }
  const double deviation = std::sqrt(variance_of(scores, Variance::kSample));
  if (deviation == 0) return bad("all scores are equal; a constant reward cannot be normalised");
  return ScoreNormalisation{ensemble_mean(scores), deviation, scores.size(), std::move(policy),
                            std::move(prompts)};
}

Result<void> check_comparable(const ScoreNormalisation& a, const ScoreNormalisation& b) {
  const auto differ = [](std::string_view what, const std::string& x, const std::string& y) {
    return bad(
        fmt::format("the scores were normalised on different {} ({} and {}); normalise both "
                    "on the same before comparing them",
                    what, x.substr(0, 12), y.substr(0, 12)));
  };
  if (a.policy != b.policy) return differ("policies", a.policy, b.policy);
  if (a.prompts != b.prompts) return differ("prompts", a.prompts, b.prompts);
  return {};
}

Json normalisation_json(const ScoreNormalisation& normalisation) {
  return {{"mean", normalisation.mean},
          {"standard_deviation", normalisation.standard_deviation},
          {"n", normalisation.n},
          {"policy", normalisation.policy},
          {"prompts", normalisation.prompts}};
}

Result<ScoreNormalisation> parse_normalisation(const Json& json) {
  const auto has = [&](const char* field, bool (Json::*is)() const noexcept) {
    return json.is_object() && json.contains(field) && (json[field].*is)();
  };
  for (const char* field : {"mean", "standard_deviation"}) {
    if (!has(field, &Json::is_number)) return bad(fmt::format("\"{}\" is not a number", field));
  }
  if (!has("n", &Json::is_number_unsigned)) return bad("\"n\" is not a whole number");
  for (const char* field : {"policy", "prompts"}) {
    if (!has(field, &Json::is_string)) return bad(fmt::format("\"{}\" is not a text", field));
  }
  ScoreNormalisation result{json["mean"], json["standard_deviation"], json["n"], json["policy"],
                            json["prompts"]};
  if (!(result.standard_deviation > 0)) return bad("\"standard_deviation\" is not above 0");
  return result;
}

}  // namespace plumb::rlhf
