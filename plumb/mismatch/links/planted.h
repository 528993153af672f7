// Logs with a planted truth, for tests: what the measures of links must find in them is known in
// closed form.
//
//   const PlantedLog log = noise_world({.gold_variance = 1, .noise_variance = 1});
//   SampleTable table = log.draw(stream);
//   noise_efficiency(...)   // the truth
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "plumb/mismatch/links/inputs/style.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/mismatch/testing.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch::testing {

// One sample, relative to its prompt's own level.
struct Planted {
  double gold = 0, proxy = 0, tokens = 20;
  bool refuses = false;
  double kl = 0, k1 = 0;  // exact; log-probability less the reference's of this sample
};

struct PlantedLog {
  std::size_t prompts = 60, each = 8, checkpoints = 10;
  double prompt_spread = 1;  // of the prompts' own level of gold and proxy
  std::function<Planted(Stream&, double share)> sample;  // share: 0 at the start, 1 at the end

  SampleTable draw(Stream& stream) const {
    SampleTableBuilder builder;
    std::vector<double> level(prompts);
    for (double& own : level) own = prompt_spread * normal(stream);
    std::array<float, kStyles> style{};
    for (std::size_t k = 0; k <= checkpoints; ++k) {
      const double share = static_cast<double>(k) / static_cast<double>(checkpoints);
      for (std::size_t p = 0; p < prompts; ++p) {
        for (std::size_t i = 0; i < each; ++i) {
          const Planted one = sample(stream, share);
          const rlhf::Sample record{
              .step = 10 * k,
              .prompt = "prompt " + std::to_string(p),
              .completion = one.refuses ? "I cannot help with that." : "Here is what you want.",
              .tokens = static_cast<std::size_t>(std::max(1.0, std::round(one.tokens))),
              .ended = true,
              .proxy = level[p] + one.proxy,
              .gold = level[p] + one.gold,
              .kl = one.kl,
              .log_probability = one.k1 - 10,
              .reference_log_probability = -10};
          describe_style(record, style);
          builder.add(record, style);
        }
      }
    }
    return builder.finish();
  }
};

// A policy that is N(mean, 1) where its start is N(0, 1): a draw and its divergence.
struct Shifted {
  double value, kl, k1;

  Shifted(Stream& stream, double mean)
      : value(mean + normal(stream)), kl(mean * mean / 2), k1(mean * value - mean * mean / 2) {}
};

// S1. Gold has nothing to do with what is optimised.
inline PlantedLog random_world(double reach = 3) {
  return {.sample = [reach](Stream& stream, double share) {
    const Shifted proxy(stream, reach * share);
    return Planted{.gold = normal(stream), .proxy = proxy.value, .kl = proxy.kl, .k1 = proxy.k1};
  }};
}

// S2 (no noise) and S3. The proxy is gold plus noise, both normal; the policy is tilted by
// exp(lambda proxy), which moves the gold by lambda v and the noise by lambda t.
struct NoiseWorld {
  double gold_variance = 1, noise_variance = 1, reach = 3;  // of the proxy, in its deviations

  double share() const { return gold_variance / (gold_variance + noise_variance); }
  double efficiency() const { return std::sqrt(share()); }  // in deviations of the start
  double end_gold() const { return reach * std::sqrt(gold_variance * share()); }

  PlantedLog log() const {
    return {.sample = [*this](Stream& stream, double part) {
      const double along = reach * part;
      const Shifted proxy(stream, along);
      const double spread = std::sqrt(gold_variance + noise_variance);
      const double rest = std::sqrt(gold_variance * (1 - share()));
      return Planted{.gold = share() * spread * proxy.value + rest * normal(stream),
                     .proxy = spread * proxy.value,
                     .kl = proxy.kl,
                     .k1 = proxy.k1};
    }};
  }
};

// S4. Beyond a threshold more of the proxy is less gold: x - c max(0, x - t)^2.
struct ExtremalWorld {
  double curvature = 0.5, threshold = 1, reach = 4;

  // Expected gold where the policy's mean is `mean`: E max(0, y)^2 = (m^2 + 1) F(m) + m f(m).
  double gold(double mean) const {
    const double m = mean - threshold;
    const double density = std::exp(-m * m / 2) / std::sqrt(2 * std::acos(-1.0));
    return mean - curvature * ((m * m + 1) * stats::normal_cdf(m) + m * density);
  }
  double end_gold() const { return gold(reach) - gold(0); }

  PlantedLog log() const {
    return {.sample = [*this](Stream& stream, double share) {
      const Shifted x(stream, reach * share);
      const double over = std::max(0.0, x.value - threshold);
      return Planted{
          .gold = x.value - curvature * over * over, .proxy = x.value, .kl = x.kl, .k1 = x.k1};
    }};
  }
};

// S5. The proxy pays for tokens, the gold does not; the policy grows longer, and nothing else.
inline PlantedLog length_world(double per_token = 0.1, double noise = 0.5) {
  return {.sample = [=](Stream& stream, double share) {
    const Shifted length(stream, 3 * share);
    const double tokens = std::max(1.0, std::round(30 + 6 * length.value));
    const double gold = normal(stream);
    return Planted{.gold = gold,
                   .proxy = gold + per_token * tokens + noise * normal(stream),
                   .tokens = tokens,
                   .kl = length.kl,
                   .k1 = length.k1};
  }};
}

// S6. The proxy pays for opening like a refusal; the policy refuses more and more.
inline PlantedLog refusal_world(double bonus = 1, double noise = 0.5) {
  return {.sample = [=](Stream& stream, double share) {
    const double before = 0.2, now = before + 0.6 * share;
    const bool refuses = stream.uniform() < now;
    const double gold = normal(stream);
    const double odds = std::log(now / before), others = std::log((1 - now) / (1 - before));
    return Planted{.gold = gold,
                   .proxy = gold + (refuses ? bonus : 0) + noise * normal(stream),
                   .tokens = 20 + 3 * normal(stream),
                   .refuses = refuses,
                   .kl = now * odds + (1 - now) * others,
                   .k1 = refuses ? odds : others};
  }};
}

// S9. A chain that loses gold at three stages. The pool of the start is normal: best of 16 by gold
// earns e(16), by the proxy (gold plus noise of the same size) e(16) / sqrt(2), and the run ends at
// the proxy gain of best of 16.
struct SwapWorld {
  double reward_loss = 0.4, optimiser_loss = 0.3, evaluation_loss = 0.5;
  std::size_t prompts = 80, pool = 64, each = 8, checkpoints = 4;

  static constexpr double kBestOf16 = 1.7659914;  // the mean largest of 16 standard normals

  double by_proxy() const { return kBestOf16 / std::sqrt(2.0); }
  double run_gold() const { return by_proxy() - optimiser_loss; }
  double total() const { return kBestOf16 - run_gold() + evaluation_loss; }
  double remainder() const { return total() - reward_loss - optimiser_loss - evaluation_loss; }

  struct Logs {
    SampleTable run, gold_run, relabelled;
  };
  Logs draw(Stream& stream) const {
    std::vector<double> level(prompts), own(prompts);
    for (double& value : level) value = normal(stream);
    for (double& value : own) value = 0.3 * normal(stream);  // of what a prompt's run gains
    SampleTableBuilder run, gold_run, relabelled;
    for (std::size_t k = 0; k <= checkpoints; ++k) {
      const double share = static_cast<double>(k) / static_cast<double>(checkpoints);
      for (std::size_t p = 0; p < prompts; ++p) {
        const double proxy = share * std::sqrt(2.0) * kBestOf16;
        for (std::size_t i = 0; i < (k == 0 ? pool : each); ++i) {
          const double x = normal(stream), z = normal(stream);
          const double gold = level[p] + share * (run_gold() + own[p]) + x;
          const double other = level[p] + share * (run_gold() + reward_loss + own[p]);
          const double labels = gold - share * evaluation_loss + 0.5 * normal(stream);
          add(run, k, p, level[p] + proxy + x + z, gold);
          add(gold_run, k, p, 0, other + normal(stream));
          add(relabelled, k, p, 0, labels);
        }
      }
    }
    return {run.finish(), gold_run.finish(), relabelled.finish()};
  }

 private:
  static void add(SampleTableBuilder& builder, std::size_t k, std::size_t p, double proxy,
                  double gold) {
    builder.add({.step = 10 * k,
                 .prompt = "prompt " + std::to_string(p),
                 .completion = "text",
                 .proxy = proxy,
                 .gold = gold});
  }
};

}  // namespace plumb::mismatch::testing
