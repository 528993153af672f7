#include "plumb/rlhf/reward_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumb/rlhf/preference_split.h"

namespace plumb::rlhf {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

constexpr double kTieRate = 0.02;

}  // namespace

Result<EncodedPairs> encode_pairs(const PreferenceData& data, const RewardModel& model) {
  EncodedPairs pairs;
  const std::size_t context = model.transformer().config().context;
  for (const Comparison& one : data.comparisons) {
    const ComparisonTexts texts = comparison_texts(one);
    std::size_t both = 0;
    for (const std::string& side : texts.completions) {
      auto text =
          encode_completed({texts.prompt, side, true}, model.tokenizer(), model.frame(), context);
      if (!text) return bad(fmt::format("{}: {}", one.where, text.error().message));
      both += text->tokens.size();
      pairs.truncated += text->truncated ? 1 : 0;
      pairs.texts.push_back(std::move(*text));
    }
    pairs.labels.push_back(*label_of(one));
    pairs.tokens += both;
    pairs.longest = std::max(pairs.longest, both);
  }
  return pairs;
}

PairStep& PairStep::operator+=(const PairStep& other) {
  loss += other.loss;
  tie_slope += other.tie_slope;
  right += other.right;
  decided += other.decided;
  return *this;
}

void PairStep::count(double difference, const PairLabel& label) {
  const double votes = label.win + label.loss;
  if (votes == 0) return;
  right += (difference > 0 ? label.win : difference < 0 ? label.loss : votes / 2) / votes;
  decided += 1;
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

PairStep add_pair_gradient(nn::Pass& pass, const nn::Transformer& model,
                           std::span<const EncodedText> texts, std::span<const PairLabel> labels,
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
  const std::size_t n = labels.size();
  std::vector<double> score[2], slope[2] = {std::vector<double>(n), std::vector<double>(n)};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    score[i % 2].push_back(static_cast<double>(scalars[starts[i + 1] - 1]));
  }
  const RewardLoss result = reward_loss(score[0], score[1], labels, loss, slope[0], slope[1]);
  const auto count = static_cast<double>(n);
  std::ranges::fill(scalars, 0.0F);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    scalars[starts[i + 1] - 1] =
        static_cast<float>(slope[i % 2][i / 2] * count / static_cast<double>(batch));
  }
  pass.add_scalar_gradient(scalars, gradient);
  pass.backward(gradient);
  // Differences say nothing of the head's bias; what rounding leaves there Adam would make large.
  if (loss.centre == 0 && loss.decay == 0) gradient[model.layout().scalar_bias] = 0;
  PairStep step{result.value * count, result.tie_slope * count};
  for (std::size_t i = 0; i < n; ++i) step.count(score[0][i] - score[1][i], labels[i]);
  return step;
}

}  // namespace plumb::rlhf
