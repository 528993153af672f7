// A reward without what length explains of it: the score less slope times the words of the
// completion. The slope is that of a least-squares line within prompts, over completions of the
// base model (the linear case of the calibration of Huang et al. 2024, arXiv 2409.17407). It needs
// no gold; it also takes away what length rightly earns.
//
//   PLUMB_TRY(slope, length_slope(samples, reward, threads));
//   LengthControlled controlled(std::move(reward), slope);
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

// Words between blanks.
double words_of(std::string_view text);

// sum (words - mean of the prompt) (score - mean of the prompt) / sum (words - mean)^2; 0 where no
// prompt has completions of different lengths. prompts: of each, from 0.
double slope_within(std::span<const double> words, std::span<const double> scores,
                    std::span<const std::size_t> prompts);

Result<double> length_slope(std::span<const rlhf::Sample> samples, rlhf::Reward& reward,
                            int threads);

class LengthControlled final : public rlhf::Reward {
 public:
  LengthControlled(std::unique_ptr<rlhf::Reward> reward, double slope);

  const std::string& name() const override { return name_; }
  Json provenance() const override;
  Result<std::vector<double>> score(std::span<const rlhf::Completed> texts, int threads) override;

 private:
  std::unique_ptr<rlhf::Reward> reward_;
  double slope_;
  std::string name_;
};

}  // namespace plumb::mismatch
