#include "plumb/rlhf/reward/reward_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <numeric>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/lm/run_folder.h"
#include "plumb/lm/tokenizer_fit.h"
#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/pass.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

void draw_head(nn::Transformer& model, std::uint64_t seed) {
  constexpr double kDeviation = 0.02;
  const double width = kDeviation * std::sqrt(3.0);
  Stream stream(seed, "reward-head", 0);
  float* head = model.at(model.layout().scalar);
  for (std::size_t i = 0; i < model.config().width; ++i) {
    head[i] = static_cast<float>(width * (2 * stream.uniform() - 1));
  }
}

// The same layers under a scalar head.
nn::Transformer with_scalar_head(const nn::Transformer& base, std::uint64_t seed) {
  nn::TransformerConfig config = base.config();
  config.scalar_head = true;
  config.language_head = config.tied = false;
  nn::Transformer model(config);
  for (const nn::Parameter& to : model.layout().parameters) {
    const auto from = std::ranges::find(base.layout().parameters, to.name, &nn::Parameter::name);
    if (from == base.layout().parameters.end()) continue;
    std::ranges::copy(base.values().subspan(from->offset, from->size),
                      model.values().subspan(to.offset, to.size).begin());
  }
  draw_head(model, seed);
  return model;
}

Result<std::unique_ptr<RewardModel>> assemble(const lm::ModelFiles& files,
                                              nn::Transformer transformer, RewardCard card) {
  PLUMB_TRY(tokenizer, load_tokenizer(lm::tokenizer_path(files)));
  if (!card.frame) card.frame = lm::frame_of(transformer.config(), tokenizer);
  if (auto fits = lm::check_fit(files, transformer.config(), tokenizer, *card.frame); !fits) {
    return tl::unexpected(fits.error());
  }
  return std::make_unique<RewardModel>(files.model.string(), std::move(transformer),
                                       std::move(tokenizer), std::move(card));
}

}  // namespace

Result<EncodedText> encode_completed(const Completed& text, const Tokenizer& tokenizer,
                                     const lm::TextFrame& frame, std::size_t context) {
  std::string whole(text.prompt);
  whole += text.completion;
  PLUMB_TRY(ids, lm::encode_text(tokenizer, frame, whole));
  if (frame.end) ids.push_back(*frame.end);
  EncodedText encoded{std::move(ids)};
  if (encoded.tokens.size() <= context) return encoded;
  encoded.truncated = true;
  const std::size_t kept = frame.begin && context > 1 ? 1 : 0;
  const auto first = encoded.tokens.begin() + static_cast<std::ptrdiff_t>(kept);
  const std::size_t beyond = encoded.tokens.size() - context;
  encoded.tokens.erase(first, first + static_cast<std::ptrdiff_t>(beyond));
  return encoded;
}

std::vector<double> scalars_of(const nn::Transformer& model, std::span<const EncodedText> texts,
                               int threads) {
  std::vector<double> values(texts.size());
  if (texts.empty()) return values;
  std::size_t longest = 0;
  for (const EncodedText& text : texts) longest = std::max(longest, text.tokens.size());
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : default_threads());
  const std::size_t workers = std::min(wanted, texts.size());
  std::atomic<std::size_t> next{0};
  parallel_for(workers, 1, static_cast<int>(workers), [&](std::size_t, std::size_t) {
    nn::Pass pass(model, longest, nn::PassKind::kInference);
    std::vector<float> scalars;
    for (std::size_t i = next++; i < texts.size(); i = next++) {
      const auto& tokens = texts[i].tokens;
      const std::uint32_t starts[] = {0, static_cast<std::uint32_t>(tokens.size())};
      pass.forward({tokens, starts});
      scalars.resize(tokens.size());
      pass.scalars(scalars);
      values[i] = static_cast<double>(scalars.back());
    }
  });
  return values;
}

RewardModel::RewardModel(std::string name, nn::Transformer transformer, Tokenizer tokenizer,
                         RewardCard card)
    : SingleReward(std::move(name), std::move(card)),
      transformer_(std::move(transformer)),
      tokenizer_(std::move(tokenizer)) {
  assert(this->card().frame && transformer_.config().scalar_head);
}

Json RewardModel::provenance() const {
  return {{"reward", "model"},
          {"model", name()},
          {"architecture", nn::architecture_name(transformer_.config().architecture)},
          {"weights_sha256", lm::weights_hash(transformer_)},
          {"normalisation",
           card().normalisation ? normalisation_json(*card().normalisation) : Json(nullptr)}};
}

Result<CountedScores> RewardModel::raw_scores(std::span<const Completed> texts, int threads) {
  std::vector<EncodedText> encoded;
  CountedScores scores;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto text = encode_completed(texts[i], tokenizer_, frame(), transformer_.config().context);
    if (!text) return bad(fmt::format("{}: text {}: {}", name(), i + 1, text.error().message));
    scores.truncated += text->truncated ? 1 : 0;
    encoded.push_back(std::move(*text));
  }
  scores.values = scalars_of(transformer_, encoded, threads);
  return scores;
}

Result<std::unique_ptr<RewardModel>> load_reward_model(const lm::ModelFiles& files) {
  PLUMB_TRY(transformer, nn::load_transformer(files.model));
  if (!transformer.config().scalar_head || !transformer.config().causal) {
    return bad(fmt::format(
        "{}: no reward model: a {} without a scalar head; `plumb reward train` makes one of it",
        files.model.string(), nn::architecture_name(transformer.config().architecture)));
  }
  PLUMB_TRY(card, read_card(files.model));
  return assemble(files, std::move(transformer), std::move(card));
}

Result<void> save_reward_model(const fs::path& folder, const RewardModel& model,
                               const fs::path& tokenizer_files) {
  if (auto saved = nn::save_transformer(folder, model.transformer()); !saved) return saved;
  if (auto copied = lm::copy_tokenizer(tokenizer_files, folder); !copied) return copied;
  return write_card(folder, model.card());
}

Result<std::unique_ptr<RewardModel>> reward_model_from(const lm::ModelFiles& base,
                                                       std::uint64_t seed) {
  PLUMB_TRY(transformer, nn::load_transformer(base.model));
  if (!transformer.config().causal) {
    return bad(fmt::format("{}: a {} model reads both ways; a reward model is made of a causal one",
                           base.model.string(),
                           nn::architecture_name(transformer.config().architecture)));
  }
  if (transformer.config().scalar_head) return assemble(base, std::move(transformer), {});
  return assemble(base, with_scalar_head(transformer, seed), {});
}

}  // namespace plumb::rlhf
