// Reward models: a transformer with a scalar head, which reads a completion and gives it a number.
//
// Who uses it: policies and best of n as their proxy or gold, `plumb reward`, raters of preference
// tasks. A text is read as the begin token, prompt and completion as one text, and the end token;
// its number is the head's at that token. The end token stands there also where a limit cut the
// completion off: preference data do not tell one from the other, so no model has learnt it. Each
// text is a
// forward of its own: rows of oneDNN's products differ in the last bits with the number of rows,
// and a score must not depend on what stands beside it. (Measured on stories260k, texts of 100
// tokens on average: 93,000 tokens/s so, 100,000 packed together.)
//
//   PLUMB_TRY(model, load_reward_model({.model = "runs/rm/model"}));
//   PLUMB_TRY(scores, model->score(texts, 0));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plumb/lm/language_model.h"
#include "plumb/rlhf/reward/learned_reward.h"

namespace plumb::rlhf {

// A text in tokens, framed.
struct EncodedText {
  std::vector<TokenId> tokens;
  bool truncated = false;
};

// A text beyond the context keeps its begin token and its end: what is left out is the beginning of
// the prompt, and of the completion only where that alone is too long. kBadInput: what the
// tokenizer refuses; no token at all.
Result<EncodedText> encode_completed(const Completed& text, const Tokenizer& tokenizer,
                                     const lm::TextFrame& frame, std::size_t context);

// The scalar head at each text's last token, unnormalised. REQUIRES: a scalar head, texts of one
// token or more within the context. Numbers need not be finite where the weights are not sound.
std::vector<double> scalars_of(const nn::Transformer& model, std::span<const EncodedText> texts,
                               int threads);

class RewardModel final : public SingleReward {
 public:
  // REQUIRES: a causal transformer with a scalar head; the tokenizer fits it; the card has a frame.
  RewardModel(std::string name, nn::Transformer transformer, Tokenizer tokenizer, RewardCard card);

  Json provenance() const override;

  nn::Transformer& transformer() { return transformer_; }
  const nn::Transformer& transformer() const { return transformer_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const lm::TextFrame& frame() const { return *card().frame; }

 private:
  Result<CountedScores> raw_scores(std::span<const Completed> texts, int threads) override;

  nn::Transformer transformer_;
  Tokenizer tokenizer_;
};

// A folder as save_reward_model writes it, or any other checkpoint with a scalar head (of class
// ...ForSequenceClassification with one label), whose scores are then as they are. kNotFound;
// kBadInput: what load_transformer and load_tokenizer refuse, no scalar head, a tokenizer that does
// not fit the model, a damaged reward.json (with the field).
Result<std::unique_ptr<RewardModel>> load_reward_model(const lm::ModelFiles& files);

// config.json, model.safetensors, reward.json and the tokenizer's files.
Result<void> save_reward_model(const std::filesystem::path& folder, const RewardModel& model,
                               const std::filesystem::path& tokenizer_files);

// A reward model to be trained, from any causal checkpoint: its layers, without its language head,
// and a scalar head with uniform weights of deviation 0.02, drawn by the seed. A checkpoint that
// has a scalar head keeps it. kBadInput as above, and a tokenizer with less than half of the
// model's tokens, which is another model's.
Result<std::unique_ptr<RewardModel>> reward_model_from(const lm::ModelFiles& base,
                                                       std::uint64_t seed);

}  // namespace plumb::rlhf
