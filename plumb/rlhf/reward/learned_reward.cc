#include "plumb/rlhf/reward/learned_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <unordered_set>

#include "plumb/base/files.h"
#include "plumb/rlhf/preferences/preference_split.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

constexpr const char* kSchema = "plumb.reward-model/1";
constexpr const char *kPromptsFile = "trained-prompts.json",
                     *kPromptsSchema = "plumb.trained-prompts/1";
constexpr const char* kTieNames[] = {"half wins", "rao-kupper", "davidson"};

std::optional<TieHandling> parse_ties(const Json& json) {
  for (std::size_t i = 0; i < std::size(kTieNames); ++i) {
    if (json == kTieNames[i]) return static_cast<TieHandling>(i);
  }
  return std::nullopt;
}

Result<std::optional<TokenId>> optional_token(const Json& frame, const char* field) {
  const auto found = frame.find(field);
  if (found == frame.end() || found->is_null()) return std::nullopt;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() >= std::uint64_t{1} << 31) {
    return bad(fmt::format("\"{}\" of \"frame\" is no token", field));
  }
  return found->get<TokenId>();
}

Result<std::optional<double>> optional_number(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return std::nullopt;
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    return bad(fmt::format("\"{}\" is not a number", field));
  }
  return found->get<double>();
}

Result<std::vector<std::string>> parse_prompts(const Json& json) {
  if (!json.is_object() || json.value("schema", Json()) != kPromptsSchema) {
    return bad(fmt::format("\"schema\" is not {}", kPromptsSchema));
  }
  const auto marks = json.find("prompts");
  if (marks == json.end() || !marks->is_array() ||
      !std::ranges::all_of(*marks, [](const Json& mark) { return mark.is_string(); })) {
    return bad("\"prompts\" is not a list of texts");
  }
  return marks->get<std::vector<std::string>>();
}

Result<std::optional<std::vector<std::string>>> read_prompt_marks(const fs::path& model) {
  std::error_code ignored;
  const fs::path file = model / kPromptsFile;
  if (!fs::exists(file, ignored)) return std::nullopt;
  PLUMB_TRY(text, read_file(file));
  auto marks = parse_prompts(Json::parse(text, nullptr, false));
  if (!marks) return bad(fmt::format("{}: {}", file.string(), marks.error().message));
  return std::optional(std::move(*marks));
}

// What a training learnt from that kept the split and the hash of its comparisons alone.
std::optional<std::vector<std::string>> marks_by_split(const PreferenceData& data,
                                                       const RewardCard& card) {
  const Json share = card.training.value("held_out_share", Json()),
             seed = card.training.value("split_seed", Json());
  if (!share.is_number() || !seed.is_number_unsigned()) return std::nullopt;
  if (card.training.value("data_sha256", Json()) != hashes_of(data).all) return std::nullopt;
  const PreferenceSplit split =
      split_by_prompt(data, share.get<double>(), seed.get<std::uint64_t>());
  return prompt_marks(subset_of(data, split.train));
}

}  // namespace

Json card_json(const RewardCard& card) {
  const lm::TextFrame frame = card.frame.value_or(lm::TextFrame{});
  const auto token = [](const std::optional<TokenId>& id) { return id ? Json(*id) : Json(); };
  return {{"schema", kSchema},
          {"frame", {{"begin", token(frame.begin)}, {"end", token(frame.end)}}},
          {"normalisation",
           card.normalisation ? normalisation_json(*card.normalisation) : Json(nullptr)},
          {"ties", kTieNames[static_cast<std::size_t>(card.ties)]},
          {"log_tie_parameter", card.log_tie_parameter},
          {"temperature", card.temperature ? Json(*card.temperature) : Json(nullptr)},
          {"training", card.training}};
}

Result<RewardCard> parse_card(const Json& json) {
  if (!json.is_object()) return bad("not a JSON object");
  if (json.value("schema", Json()) != kSchema) {
    return bad(fmt::format("\"schema\" is not {}", kSchema));
  }
  RewardCard card;
  if (const auto frame = json.find("frame"); frame != json.end() && frame->is_object()) {
    PLUMB_TRY(begin, optional_token(*frame, "begin"));
    PLUMB_TRY(end, optional_token(*frame, "end"));
    card.frame = lm::TextFrame{begin, end};
  }
  if (const auto found = json.find("normalisation"); found != json.end() && !found->is_null()) {
    auto normalisation = parse_normalisation(*found);
    if (!normalisation) {
      return bad(fmt::format("\"normalisation\": {}", normalisation.error().message));
    }
    card.normalisation = std::move(*normalisation);
  }
  const auto ties = parse_ties(json.value("ties", Json(kTieNames[0])));
  if (!ties) return bad("\"ties\" is none of half wins, rao-kupper, davidson");
  card.ties = *ties;
  PLUMB_TRY(tie, optional_number(json, "log_tie_parameter"));
  card.log_tie_parameter = tie.value_or(0);
  if (card.ties == TieHandling::kRaoKupper && card.log_tie_parameter < 0) {
    return bad("\"log_tie_parameter\" is below 0");
  }
  PLUMB_TRY(temperature, optional_number(json, "temperature"));
  card.temperature = temperature;
  card.training = json.value("training", Json::object());
  if (!card.training.is_object()) return bad("\"training\" is not an object");
  return card;
}

Result<RewardCard> read_card(const fs::path& model) {
  std::error_code ignored;
  const fs::path file = model / "reward.json";
  if (!fs::is_directory(model, ignored) || !fs::exists(file, ignored)) return RewardCard{};
  PLUMB_TRY(text, read_file(file));
  auto card = parse_card(Json::parse(text, nullptr, false));
  if (card) {
    PLUMB_TRY(marks, read_prompt_marks(model));
    card->trained_prompts = std::move(marks);
    return card;
  }
  return bad(fmt::format("{}: {}; the scores of a damaged model are not used", file.string(),
                         card.error().message));
}

Result<void> write_card(const fs::path& model, const RewardCard& card) {
  if (card.trained_prompts) {
    const Json prompts = {{"schema", kPromptsSchema}, {"prompts", *card.trained_prompts}};
    auto written = write_file_atomic(model / kPromptsFile, to_text(prompts) + "\n");
    if (!written) return written;
  }
  return write_file_atomic(model / "reward.json", to_text(card_json(card), 2) + "\n");
}

double SingleReward::logit_scale() const {
  return card_.normalisation ? card_.normalisation->standard_deviation : 1;
}

PairLabel SingleReward::outcome_probabilities(double difference) const {
  const double delta = logit_scale() * difference, tie = card_.log_tie_parameter;
  if (card_.ties == TieHandling::kHalfWins) return {sigmoid(delta), 0, sigmoid(-delta)};
  const auto probability = [&](PairOutcome outcome) {
    const bool davidson_ties = card_.ties == TieHandling::kDavidson;
    return std::exp(
        -(davidson_ties ? davidson(delta, tie, outcome) : rao_kupper(delta, tie, outcome)).value);
  };
  const double win = probability(PairOutcome::kWin), loss = probability(PairOutcome::kLoss);
  return {win, std::max(0.0, 1 - win - loss), loss};
}

Result<CountedScores> SingleReward::unnormalised(std::span<const Completed> texts, int threads) {
  PLUMB_TRY(scores, raw_scores(texts, threads));
  const auto wild =
      std::ranges::find_if_not(scores.values, [](double x) { return std::isfinite(x); });
  if (wild == scores.values.end()) return std::move(scores);
  return bad(fmt::format("{}: the score of text {} is not a finite number", name_,
                         wild - scores.values.begin() + 1));
}

Result<CountedScores> SingleReward::score_counted(std::span<const Completed> texts, int threads) {
  PLUMB_TRY(scores, unnormalised(texts, threads));
  if (card_.normalisation) {
    std::ranges::transform(scores.values, scores.values.begin(), *card_.normalisation);
  }
  return std::move(scores);
}

Result<void> SingleReward::normalise(std::span<const Completed> texts, const std::string& policy,
                                     const std::string& prompts, int threads) {
  PLUMB_TRY(scores, unnormalised(texts, threads));
  PLUMB_TRY(fitted, fit_normalisation(scores.values, policy, prompts));
  card_.normalisation = std::move(fitted);
  return {};
}

Unseen unseen_by(const PreferenceData& data,
                 std::span<const std::unique_ptr<LearnedReward>> rewards) {
  std::unordered_set<std::string> learnt;
  Unseen unseen;
  for (const auto& reward : rewards) {
    bool says = true;
    for (const RewardCard* card : reward->cards()) {
      const auto marks =
          card->trained_prompts ? card->trained_prompts : marks_by_split(data, *card);
      says = says && marks;
      if (marks) learnt.insert(marks->begin(), marks->end());
    }
    if (!says) unseen.unchecked.push_back(reward->name());
  }
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    if (!learnt.contains(prompt_mark(data.comparisons[i]))) unseen.places.push_back(i);
  }
  return unseen;
}

Result<ComparisonScores> score_comparisons(LearnedReward& reward, const PreferenceData& data,
                                           int threads) {
  std::vector<ComparisonTexts> texts;
  for (const Comparison& one : data.comparisons) texts.push_back(comparison_texts(one));
  std::vector<Completed> completed;
  for (const ComparisonTexts& one : texts) {
    for (const std::string& side : one.completions) completed.push_back({one.prompt, side, true});
  }
  PLUMB_TRY(scores, reward.score_counted(completed, threads));
  ComparisonScores result{{}, scores.truncated};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    result.values.push_back({scores.values[2 * i], scores.values[2 * i + 1]});
  }
  return result;
}

}  // namespace plumb::rlhf
