#include "plumb/rlhf/reward/feature_train.h"

#include <fmt/format.h>

#include <chrono>

#include "plumb/lm/run_folder.h"
#include "plumb/rlhf/reward/reward_step.h"

namespace plumb::rlhf {
namespace {

Json manifest_of(const TextFeatures& features, const TrainingData& data,
                 const FeatureTrainOptions& o) {
  return {{"schema", "plumb.reward-run/1"},
          {"features", features.identity()},
          {"text", feature_text_name(o.text)},
          {"data_sha256", data.hashes.all},
          {"random_labels", o.data.random_labels},
          {"held_out_share", o.data.held_out},
          {"split_seed", o.data.split_seed},
          {"comparisons", data.train.comparisons.size()},
          {"held_out", data.held_out.comparisons.size()},
          {"loss", loss_json(o.fit.loss, o.learnt)},
          {"l2", o.fit.l2}};
}

// From weights and rows, both scores of each comparison.
std::vector<std::array<double, 2>> scores_of(const ComparedTexts& compared, const FeatureRows& rows,
                                             std::span<const double> weights) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < rows.rows(); ++i) scores.push_back(rows.dot(i, weights));
  return compared.pair_scores(scores);
}

Result<FeatureFit> fit_groups(const FeatureRows& rows, const TextGroups& groups,
                              const FeatureTrainOptions& options) {
  FeatureFitOptions how = options.fit;
  how.loss.log_tie_parameter =
      TieParameter(how.loss.ties, share_of_ties(groups.labels), how.loss.log_tie_parameter).value();
  PLUMB_TRY(fit, fit_features(rows, groups, how));
  if (fit.converged) return std::move(fit);
  return fail(ErrorKind::kBadInput,
              fmt::format("no weights of {} features were found that are best: after {} steps the "
                          "loss is {:.6g} and still falls; a higher --l2 holds them",
                          rows.dimension, fit.iterations, fit.last_loss));
}

void fill(RewardTrainReport& report, const FeatureFit& fit, const TrainingData& data,
          const FeatureTrainOptions& options) {
  report.steps = fit.iterations;
  report.parameters = fit.weights.size();
  report.comparisons = data.train.comparisons.size();
  report.unlabelled = data.unlabelled;
  report.first_loss = fit.first_loss;
  report.last_loss = fit.last_loss;
  if (options.fit.loss.ties != TieHandling::kHalfWins) {
    report.tie_parameter = fit.log_tie_parameter;
  }
  report.model = options.run / "model";
  report.finished = true;
}

}  // namespace

Result<RewardTrainReport> train_feature_reward(std::unique_ptr<TextFeatures> features,
                                               const PreferenceData& data,
                                               const FeatureTrainOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  PLUMB_TRY(parts, training_data(data, options.data));
  PLUMB_TRY(compared, compared_texts(parts.train, options.learnt));
  PLUMB_TRY(rows, features_of(*features, options.text, compared.texts, options.threads));
  const Json manifest = manifest_of(*features, parts, options);
  if (auto opened = lm::open_run(options.run, manifest); !opened) {
    return tl::unexpected(opened.error());
  }
  PLUMB_TRY(fit, fit_groups(rows, compared.groups, options));
  RewardTrainReport report;
  fill(report, fit, parts, options);
  std::vector<double> scores;
  for (std::size_t i = 0; i < rows.rows(); ++i) scores.push_back(rows.dot(i, fit.weights));
  const RightVotes votes = right_votes(scores, compared.groups.view());
  report.train_accuracy = votes.decided > 0 ? votes.right / votes.decided : 0;

  RewardCard card{.ties = options.fit.loss.ties, .log_tie_parameter = fit.log_tie_parameter};
  for (const char* field : {"features", "text", "data_sha256", "random_labels", "comparisons",
                            "held_out", "held_out_share", "split_seed", "loss", "l2"}) {
    card.training[field] = manifest[field];
  }
  card.trained_prompts = prompt_marks(parts.train);
  auto measured = compared.pair_scores(scores);
  if (!parts.held_out.comparisons.empty()) {
    PLUMB_TRY(others, compared_texts(parts.held_out, options.learnt));
    PLUMB_TRY(other_rows, features_of(*features, options.text, others.texts, options.threads));
    measured = scores_of(others, other_rows, fit.weights);
  }
  FeatureReward reward(report.model.string(), std::move(features), options.text,
                       std::move(fit.weights), std::move(card));
  PLUMB_TRY(evaluation, put_on_scale(reward, parts, measured, options.evaluation));
  report.evaluation = std::move(evaluation);
  report.held_out = std::move(parts.held_out);
  if (auto saved = save_feature_reward(report.model, reward); !saved) {
    return tl::unexpected(saved.error());
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return report;
}

}  // namespace plumb::rlhf
