#include "plumb/rlhf/reward/feature_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

constexpr const char* kSchema = "plumb.feature-reward/1";
constexpr std::string_view kTexts[] = {"whole", "completion"};

Result<std::vector<double>> parse_weights(const Json& json) {
  const auto found = json.find("weights");
  if (found == json.end() || !found->is_array() || found->empty()) {
    return bad("\"weights\" is not a list of numbers");
  }
  std::vector<double> weights;
  for (const Json& weight : *found) {
    if (!weight.is_number() || !std::isfinite(weight.get<double>())) {
      return bad(fmt::format("weight {} is not a number", weights.size() + 1));
    }
    weights.push_back(weight);
  }
  return weights;
}

// What a folder says of its reward.
struct Stored {
  Json spec, identity;
  FeatureText text;
  std::vector<double> weights;
};

Result<Stored> parse_stored(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", Json()) != kSchema) {
    return bad(fmt::format("\"schema\" is not {}", kSchema));
  }
  const Json name = json.value("text", Json());
  const auto which = name.is_string() ? parse_feature_text(name.get<std::string>()) : std::nullopt;
  if (!which) return bad("\"text\" is neither whole nor completion");
  for (const char* field : {"features", "identity"}) {
    if (!json.contains(field)) return bad(fmt::format("\"{}\" is missing", field));
  }
  PLUMB_TRY(weights, parse_weights(json));
  return Stored{json["features"], json["identity"], *which, std::move(weights)};
}

}  // namespace

double FeatureRows::dot(std::size_t i, std::span<const double> weights) const {
  double sum = 0;
  for (const Entry& entry : row(i)) sum += static_cast<double>(entry.value) * weights[entry.column];
  return sum;
}

void FeatureRows::add_to(std::size_t i, double scale, std::span<double> sum) const {
  for (const Entry& entry : row(i)) sum[entry.column] += scale * static_cast<double>(entry.value);
}

std::string_view feature_text_name(FeatureText text) {
  return kTexts[static_cast<std::size_t>(text)];
}

std::optional<FeatureText> parse_feature_text(std::string_view name) {
  const auto* found = std::ranges::find(kTexts, name);
  if (found == std::end(kTexts)) return std::nullopt;
  return static_cast<FeatureText>(found - std::begin(kTexts));
}

Result<FeatureRows> features_of(TextFeatures& features, FeatureText text,
                                std::span<const Completed> texts, int threads) {
  std::vector<std::string> whole;
  std::vector<std::string_view> views;
  whole.reserve(texts.size());
  for (const Completed& one : texts) {
    if (text == FeatureText::kCompletion) {
      views.push_back(one.completion);
      continue;
    }
    views.emplace_back(whole.emplace_back(std::string(one.prompt) + std::string(one.completion)));
  }
  return features.rows(views, threads);
}

FeatureReward::FeatureReward(std::string name, std::unique_ptr<TextFeatures> features,
                             FeatureText text, std::vector<double> weights, RewardCard card)
    : SingleReward(std::move(name), std::move(card)),
      features_(std::move(features)),
      text_(text),
      weights_(std::move(weights)) {}

Json FeatureReward::provenance() const {
  return {{"reward", "features"},
          {"model", name()},
          {"features", features_->identity()},
          {"text", feature_text_name(text_)},
          {"weights_sha256", sha256(to_text(Json(weights_)))},
          {"normalisation",
           card().normalisation ? normalisation_json(*card().normalisation) : Json(nullptr)}};
}

Result<CountedScores> FeatureReward::raw_scores(std::span<const Completed> texts, int threads) {
  CountedScores scores;
  if (texts.empty()) return scores;
  PLUMB_TRY(rows, features_of(*features_, text_, texts, threads));
  if (rows.dimension != weights_.size()) {
    return bad(fmt::format("{}: features of {} numbers, and weights for {}", name(), rows.dimension,
                           weights_.size()));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) scores.values.push_back(rows.dot(i, weights_));
  return scores;
}

bool is_feature_reward(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "features.json", ignored);
}

Result<void> save_feature_reward(const fs::path& folder, const FeatureReward& reward) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("make", folder, code.value()));
  if (auto written = write_card(folder, reward.card()); !written) return written;
  const Json json = {{"schema", kSchema},
                     {"features", reward.features().spec()},
                     {"identity", reward.features().identity()},
                     {"text", feature_text_name(reward.text())},
                     {"weights", reward.weights()}};
  return write_file_atomic(folder / "features.json", to_text(json) + "\n");
}

Result<std::unique_ptr<FeatureReward>> load_feature_reward(const fs::path& folder,
                                                           const FeatureOpener& open) {
  const fs::path file = folder / "features.json";
  PLUMB_TRY(text, read_file(file));
  auto stored = parse_stored(text);
  if (!stored) return bad(fmt::format("{}: {}", file.string(), stored.error().message));
  PLUMB_TRY(card, read_card(folder));
  if (!open) {
    return fail(ErrorKind::kNotAllowed,
                fmt::format("{}: a reward on features, and nothing here makes features of texts",
                            folder.string()));
  }
  auto features = open(stored->spec);
  if (!features) {
    return fail(features.error().kind,
                fmt::format("{}: its features: {}", folder.string(), features.error().message));
  }
  if ((*features)->identity() != stored->identity) {
    return bad(fmt::format("{}: its features are no longer those it learnt from: {}, not {}",
                           folder.string(), to_text((*features)->identity()),
                           to_text(stored->identity)));
  }
  return std::make_unique<FeatureReward>(folder.string(), std::move(*features), stored->text,
                                         std::move(stored->weights), std::move(card));
}

}  // namespace plumb::rlhf
