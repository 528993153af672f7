#include "plumb/lm/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "plumb/base/parallel.h"
#include "plumb/lm/documents.h"
#include "plumb/nn/inference.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/trainer.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::lm {
namespace {

// Part of a document that fits the context.
struct Window {
  std::size_t document, first, length;
  std::size_t predicted_from;  // the first token of the window that is predicted
};

std::vector<Window> windows_of(const std::vector<std::vector<TokenId>>& texts,
                               std::size_t context) {
  std::vector<Window> windows;
  const std::size_t step = std::max<std::size_t>(context / 2, 1);
  for (std::size_t d = 0; d < texts.size(); ++d) {
    // The last token is predicted, never read.
    const std::size_t inputs = texts[d].size() - 1;
    for (std::size_t first = 0, done = 0; done < inputs; first += step) {
      const std::size_t length = std::min(context, inputs - first);
      windows.push_back({d, first, length, done - first});
      done = first + length;
    }
  }
  return windows;
}

// -log p of the windows' tokens, added up by document.
class Meter {
 public:
  Meter(const nn::InferenceWeights& weights, const std::vector<std::vector<TokenId>>& texts,
        std::size_t max_tokens)
      : texts_(texts), pass_(weights, max_tokens) {}

  void measure(std::span<const Window> windows, std::vector<double>& nats) {
    tokens_.clear();
    targets_.clear();
    starts_.assign(1, 0);
    for (const Window& w : windows) {
      const auto& text = texts_[w.document];
      for (std::size_t i = 0; i < w.length; ++i) {
        tokens_.push_back(text[w.first + i]);
        targets_.push_back(i < w.predicted_from ? nn::kNoTarget : text[w.first + i + 1]);
      }
      starts_.push_back(static_cast<std::uint32_t>(tokens_.size()));
    }
    values_.resize(tokens_.size());
    pass_.forward({tokens_, starts_});
    pass_.log_probabilities(targets_, values_);
    nats.assign(windows.size(), 0.0);
    for (std::size_t w = 0; w < windows.size(); ++w) {
      for (std::uint32_t t = starts_[w]; t < starts_[w + 1]; ++t) {
        nats[w] -= static_cast<double>(values_[t]);
      }
    }
  }

 private:
  const std::vector<std::vector<TokenId>>& texts_;
  nn::Pass pass_;
  std::vector<std::int32_t> tokens_, targets_;
  std::vector<std::uint32_t> starts_;
  std::vector<float> values_;
};

// The ratio of two sums over documents, and its interval.
void score_ratio(const std::vector<double>& nats, const std::vector<double>& units,
                 const EvaluateOptions& options, stats::Score& point, stats::IntervalScore& ci) {
  const auto ratio = [&](stats::Counts counts) -> stats::Score {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < nats.size(); ++i) {
      sum += counts[i] * nats[i];
      count += counts[i] * units[i];
    }
    if (count == 0) return stats::undefined("no tokens were predicted");
    return sum / count;
  };
  const auto drawn = stats::bootstrap(stats::Resampling::of_items(nats.size()), ratio,
                                      {.resamples = options.resamples,
                                       .level = options.level,
                                       .seed = options.seed,
                                       .threads = options.threads});
  point = drawn.point;
  ci = drawn.interval;
}

}  // namespace

Result<Evaluation> evaluate(const LanguageModel& model, const std::vector<std::string>& documents,
                            const EvaluateOptions& options) {
  PLUMB_TRY(weights, nn::InferenceWeights::make(model.transformer, options.precision));
  std::vector<std::vector<TokenId>> texts;
  std::vector<double> tokens, signs;
  Evaluation result;
  result.documents = documents.size();
  const std::size_t context = model.transformer.config().context;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto ids = model.encode(documents[i]);
    if (!ids) {
      return fail(ids.error().kind, fmt::format("document {}: {}", i + 1, ids.error().message));
    }
    texts.push_back(std::move(*ids));
    tokens.push_back(static_cast<double>(texts.back().size() - 1));
    signs.push_back(static_cast<double>(characters(documents[i])));
    result.tokens += texts.back().size() - 1;
    result.characters += characters(documents[i]);
    result.beyond_context += texts.back().size() - 1 > context ? 1 : 0;
  }

  const std::vector<Window> windows = windows_of(texts, context);
  std::vector<std::size_t> lengths;
  for (const Window& w : windows) lengths.push_back(w.length);
  const std::size_t max_tokens = nn::default_batch_tokens(model.transformer.config());
  const auto batches = nn::cut_batches(lengths, max_tokens);
  std::vector<std::vector<double>> nats(batches.size());
  std::mutex mutex;
  std::size_t done = 0;
  const auto threads =
      static_cast<std::size_t>(options.threads > 0 ? options.threads : default_threads());
  const std::size_t grain = (batches.size() + threads - 1) / std::max<std::size_t>(threads, 1);
  parallel_for(batches.size(), grain, options.threads, [&](std::size_t begin, std::size_t end) {
    Meter meter(weights, texts, max_tokens);
    for (std::size_t b = begin; b < end; ++b) {
      meter.measure(std::span(windows).subspan(batches[b].first, batches[b].count), nats[b]);
      if (!options.progress) continue;
      const std::scoped_lock lock(mutex);
      options.progress(++done, batches.size());
    }
  });
  std::vector<double> by_document(documents.size());
  for (std::size_t b = 0; b < batches.size(); ++b) {
    for (std::size_t i = 0; i < batches[b].count; ++i) {
      by_document[windows[batches[b].first + i].document] += nats[b][i];
      result.nats += nats[b][i];
    }
  }
  score_ratio(by_document, tokens, options, result.nats_per_token, result.nats_per_token_ci);
  score_ratio(by_document, signs, options, result.nats_per_character, result.nats_per_character_ci);
  return result;
}

}  // namespace plumb::lm
