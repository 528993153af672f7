#include "plumb/rlhf/reward/reward_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumb/rlhf/preferences/preference_split.h"

namespace plumb::rlhf {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

constexpr double kTieRate = 0.02;

}  // namespace

std::span<const EncodedText> EncodedGroups::of(std::size_t group) const {
  return std::span(texts).subspan(groups.starts[group],
                                  groups.starts[group + 1] - groups.starts[group]);
}

std::size_t EncodedGroups::tokens_of(std::size_t group) const {
  std::size_t count = 0;
  for (const EncodedText& text : of(group)) count += text.tokens.size();
  return count;
}

Result<EncodedGroups> encode_groups(const ComparedTexts& compared, const RewardModel& model) {
  EncodedGroups encoded;
  encoded.groups = compared.groups;
  encoded.places = compared.places;
  const std::size_t context = model.transformer().config().context;
  for (std::size_t g = 0; g < compared.groups.size(); ++g) {
    for (std::size_t i = compared.groups.starts[g]; i < compared.groups.starts[g + 1]; ++i) {
      auto text = encode_completed(compared.texts[i], model.tokenizer(), model.frame(), context);
      if (!text) return bad(fmt::format("{}: {}", compared.where[g], text.error().message));
      encoded.truncated += text->truncated ? 1 : 0;
      encoded.texts.push_back(std::move(*text));
    }
    const std::size_t tokens = encoded.tokens_of(g);
    encoded.tokens += tokens;
    encoded.longest = std::max(encoded.longest, tokens);
  }
  return encoded;
}

Json loss_json(const RewardLossOptions& loss, Learnt learnt) {
  if (learnt == Learnt::kRankings) return {{"rankings", "plackett-luce"}};
  constexpr const char* kTies[] = {"half wins", "rao-kupper", "davidson"};
  return {{"ties", kTies[static_cast<std::size_t>(loss.ties)]},
          {"tie_start", loss.log_tie_parameter},
          {"margin", loss.margin},
          {"label_smoothing", loss.label_smoothing},
          {"flip_rate", loss.flip_rate},
          {"centre", loss.centre},
          {"decay", loss.decay}};
}

double share_of_ties(std::span<const PairLabel> labels) {
  double ties = 0;
  for (const PairLabel& label : labels) ties += label.tie;
  return labels.empty() ? 0 : ties / static_cast<double>(labels.size());
}

StepSums& StepSums::operator+=(const StepSums& other) {
  loss += other.loss;
  tie_slope += other.tie_slope;
  votes += other.votes;
  return *this;
}

TieParameter::TieParameter(TieHandling ties, double share_of_ties, double given) : ties_(ties) {
  const double share = std::clamp(share_of_ties, 0.01, 0.9);
  if (ties == TieHandling::kRaoKupper) {
    const double start = given > 0 ? given : std::log((1 + share) / (1 - share));
    raw_ = std::log(std::expm1(start));
  } else if (ties == TieHandling::kDavidson) {
    raw_ = given != 0 ? given : std::log(2 * share / (1 - share));
  }
}

double TieParameter::value() const {
  if (ties_ != TieHandling::kRaoKupper) return raw_;
  return std::max(softplus(raw_), std::numeric_limits<double>::min());
}

void TieParameter::step(double slope, double share_of_rate, std::size_t number) {
  if (ties_ == TieHandling::kHalfWins) return;
  constexpr double kBeta1 = 0.9, kBeta2 = 0.95, kEpsilon = 1e-8;
  const double gradient = ties_ == TieHandling::kRaoKupper ? slope * sigmoid(raw_) : slope;
  const auto steps = static_cast<double>(number);
  first_ = kBeta1 * first_ + (1 - kBeta1) * gradient;
  second_ = kBeta2 * second_ + (1 - kBeta2) * gradient * gradient;
  const double mean = first_ / (1 - std::pow(kBeta1, steps)),
               square = second_ / (1 - std::pow(kBeta2, steps));
  raw_ -= kTieRate * share_of_rate * mean / (std::sqrt(square) + kEpsilon);
}

std::string TieParameter::text() const { return to_text(Json{raw_, first_, second_}); }

Result<void> TieParameter::read(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  const bool whole = json.is_array() && json.size() == 3 &&
                     std::ranges::all_of(json, [](const Json& one) { return one.is_number(); });
  if (!whole) return bad("its note \"tie\" is not three numbers");
  raw_ = json[0];
  first_ = json[1];
  second_ = json[2];
  return {};
}

StepSums add_group_gradient(nn::Pass& pass, const nn::Transformer& model,
                            std::span<const EncodedText> texts, const GroupView& groups,
                            const RewardLossOptions& loss, std::size_t batch,
                            std::span<float> gradient) {
  std::vector<std::int32_t> tokens;
  std::vector<std::uint32_t> starts = {0};
  for (const EncodedText& text : texts) {
    tokens.insert(tokens.end(), text.tokens.begin(), text.tokens.end());
    starts.push_back(static_cast<std::uint32_t>(tokens.size()));
  }
  pass.forward({tokens, starts});
  std::vector<float> scalars(tokens.size());
  pass.scalars(scalars);
  std::vector<double> scores(texts.size()), slopes(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    scores[i] = static_cast<double>(scalars[starts[i + 1] - 1]);
  }
  const RewardLoss result = group_loss(scores, groups, loss, slopes);
  const auto count = static_cast<double>(groups.size());
  std::ranges::fill(scalars, 0.0F);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    scalars[starts[i + 1] - 1] = static_cast<float>(slopes[i] * count / static_cast<double>(batch));
  }
  pass.add_scalar_gradient(scalars, gradient);
  pass.backward(gradient);
  // Differences say nothing of the head's bias; what rounding leaves there Adam would make large.
  if (loss.centre == 0 && loss.decay == 0) gradient[model.layout().scalar_bias] = 0;
  return {result.value * count, result.tie_slope * count, right_votes(scores, groups)};
}

}  // namespace plumb::rlhf
