#include "plumb/mismatch/remedies/soft_best_of_n.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/stats/best_of_n.h"

namespace plumb::mismatch {
namespace {

std::vector<double> shares_of(std::span<const double> scores, double temperature) {
  const double most = std::ranges::max(scores);
  std::vector<double> shares;
  double sum = 0;
  for (const double score : scores) {
    shares.push_back(std::exp((score - most) / temperature));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

struct Pool {
  std::vector<double> proxy, gold;  // [prompts, samples]
  std::size_t samples = 0, prompts = 0;
  double tokens = 0;  // of one sample of each prompt

  double deviation() const;  // of the proxy, pooled within prompts
};

double Pool::deviation() const {
  double squares = 0;
  for (std::size_t p = 0; p < prompts; ++p) {
    const auto own = std::span(proxy).subspan(p * samples, samples);
    double sum = 0;
    for (const double score : own) sum += score;
    const double mean = sum / static_cast<double>(samples);
    for (const double score : own) squares += (score - mean) * (score - mean);
  }
  return std::sqrt(squares / static_cast<double>(proxy.size()));
}

Result<Pool> pool_of(RemedyStudy& study) {
  PLUMB_TRY(samples, study.pool());
  Pool pool;
  pool.samples = study.options().samples;
  pool.prompts = samples.size() / pool.samples;
  for (const rlhf::Sample& sample : samples) {
    pool.proxy.push_back(*sample.proxy);
    pool.gold.push_back(*sample.gold);
  }
  pool.tokens = tokens_of(samples) / static_cast<double>(pool.samples);
  return pool;
}

PathPoint start_of(const Pool& pool, double spent) {
  PathPoint point{.step = 1, .tokens = spent + pool.tokens, .kl = 0, .gold = {}};
  for (std::size_t p = 0; p < pool.prompts; ++p) {
    double sum = 0;
    for (std::size_t j = 0; j < pool.samples; ++j) sum += pool.gold[p * pool.samples + j];
    point.gold.push_back(sum / static_cast<double>(pool.samples));
  }
  return point;
}

std::string note_of(const Pool& pool) {
  return fmt::format(
      "nothing is trained after the reward model, and every completion costs {} samples anew: "
      "tokens are those of one answer to each of {} prompts",
      pool.samples, pool.prompts);
}

}  // namespace

double soft_best_gold(std::span<const double> scores, std::span<const double> gold,
                      double temperature) {
  const std::vector<double> shares = shares_of(scores, temperature);
  double sum = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) sum += shares[i] * gold[i];
  return sum;
}

double soft_best_kl(std::span<const double> scores, double temperature) {
  double kl = 0;
  for (const double share : shares_of(scores, temperature)) {
    if (share > 0) kl += share * std::log(share * static_cast<double>(scores.size()));
  }
  return kl;
}

Result<RemedyPath> best_of_n(RemedyStudy& study) {
  PLUMB_TRY(pool, pool_of(study));
  const auto sizes = stats::powers_of_two(pool.samples);
  const auto curves = stats::best_of_n_curves(
      {.prompts = pool.prompts, .samples = pool.samples, .proxy = pool.proxy, .gold = pool.gold},
      sizes, study.options().threads);
  RemedyPath path{.name = "best-of-n"};
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const auto n = static_cast<double>(sizes[k]);
    PathPoint point{.step = sizes[k],
                    .tokens = study.proxy().tokens + n * pool.tokens,
                    .kl = stats::best_of_n_kl(n),
                    .gold = {}};
    for (std::size_t p = 0; p < pool.prompts; ++p) {
      point.gold.push_back(curves.gold[p * sizes.size() + k]);
    }
    path.points.push_back(std::move(point));
  }
  path.scored = static_cast<double>(pool.samples) * pool.tokens;
  path.note = note_of(pool);
  return path;
}

Result<RemedyPath> soft_best_of_n(RemedyStudy& study) {
  PLUMB_TRY(pool, pool_of(study));
  const double temperature = study.options().temperature * std::max(pool.deviation(), 1e-12);
  RemedyPath path{.name = "soft-best-of-n", .baseline = "best-of-n"};
  path.points.push_back(start_of(pool, study.proxy().tokens));
  PathPoint point{.step = pool.samples,
                  .tokens = study.proxy().tokens + static_cast<double>(pool.samples) * pool.tokens,
                  .kl = 0,
                  .gold = {}};
  for (std::size_t p = 0; p < pool.prompts; ++p) {
    const auto own = std::span(pool.proxy).subspan(p * pool.samples, pool.samples);
    const auto gold = std::span(pool.gold).subspan(p * pool.samples, pool.samples);
    point.gold.push_back(soft_best_gold(own, gold, temperature));
    point.kl += soft_best_kl(own, temperature) / static_cast<double>(pool.prompts);
  }
  path.points.push_back(std::move(point));
  path.scored = static_cast<double>(pool.samples) * pool.tokens;
  path.note = fmt::format("temperature {:.3f}; {}", temperature, note_of(pool));
  return path;
}

}  // namespace plumb::mismatch
