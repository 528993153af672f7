#include "plumb/nn/generator.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <mutex>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/nn/decoder.h"

namespace plumb::nn {
namespace {

constexpr std::size_t kMaxRows = 64;

// The sequences that a worker has at once. A small model and their caches should fit the cache of
// a core; the weights of a large one are read once for all of them.
std::size_t slots_for(const TransformerConfig& config, std::size_t weights, std::size_t capacity) {
  constexpr std::size_t kCoreFloats = std::size_t{1} << 19;  // 2 MB
  const std::size_t cache = 2 * config.layers * config.key_heads * config.head_width * capacity;
  if (weights > 2 * kCoreFloats) return kMaxRows / 2;
  const std::size_t left = weights < kCoreFloats ? kCoreFloats - weights : 0;
  return std::clamp<std::size_t>(left / cache, 4, kMaxRows / 2);
}

// The likeliest tokens, in order, that top_k and top_p leave; equals by their number.
std::vector<std::int32_t> candidates(std::span<const float> p, const SampleOptions& options) {
  std::vector<std::int32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto likelier = [&](std::int32_t a, std::int32_t b) {
    const float x = p[static_cast<std::size_t>(a)], y = p[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const std::size_t most =
      options.top_k == 0 ? order.size() : std::min(options.top_k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                    likelier);
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < most; ++i) {
    total += static_cast<double>(p[static_cast<std::size_t>(order[i])]);
  }
  std::size_t kept = 0;
  while (kept < most && (kept == 0 || sum < static_cast<double>(options.top_p) * total)) {
    sum += static_cast<double>(p[static_cast<std::size_t>(order[kept++])]);
  }
  order.resize(kept);
  return order;
}

// In four partial sums.
double sum_of(std::span<const float> p) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= p.size(); i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(p[i + j]);
  }
  for (; i < p.size(); ++i) sums[0] += static_cast<double>(p[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// The first token at which the sum of the probabilities passes draw * their total, found by blocks.
// The last that has any, where rounding leaves none.
std::int32_t pick_of_all(std::span<const float> p, double draw) {
  constexpr std::size_t kBlock = 64;
  const double goal = draw * sum_of(p);
  double below = 0;
  std::size_t i = 0;
  for (; i + kBlock < p.size(); i += kBlock) {
    const double block = sum_of(p.subspan(i, kBlock));
    if (goal < below + block) break;
    below += block;
  }
  for (; i < p.size(); ++i) {
    below += static_cast<double>(p[i]);
    if (p[i] > 0 && goal < below) return static_cast<std::int32_t>(i);
  }
  std::size_t last = p.size() - 1;
  while (last > 0 && p[last] <= 0) --last;
  return static_cast<std::int32_t>(last);
}

std::int32_t pick_of(std::span<const float> p, const SampleOptions& options, double draw) {
  if (options.top_k == 0 && options.top_p >= 1.0F) return pick_of_all(p, draw);
  const std::vector<std::int32_t> kept = candidates(p, options);
  std::vector<float> of_kept;
  for (const std::int32_t token : kept) of_kept.push_back(p[static_cast<std::size_t>(token)]);
  return kept[static_cast<std::size_t>(pick_of_all(of_kept, draw))];
}

// A completion as it grows, in a slot of a worker.
struct Growing {
  std::size_t index = 0;
  std::uint32_t position = 0;  // tokens that are in the cache
  Completion* completion = nullptr;
  Stream stream{0, "", 0};
  bool active = false;
};

// One thread's part of the work: takes prompts from a shared counter until none is left.
class Worker {
 public:
  Worker(const Transformer& model, const Generator::Weights& weights,
         std::span<const std::vector<std::int32_t>> prompts, const SampleOptions& options,
         std::size_t slots, std::size_t capacity)
      : model_(model),
        prompts_(prompts),
        options_(options),
        decoder_(model, weights, slots, capacity, kMaxRows),
        growing_(slots),
        logits_(slots * model.config().vocabulary),
        scratch_(model.config().vocabulary) {}

  template <typename Next>
  void run(const Next& next, std::vector<Completion>& completions,
           const std::function<void()>& finished) {
    for (;;) {
      for (Growing& one : growing_) {
        if (!one.active) start(one, next, completions);
      }
      collect_rows();
      if (rows_.empty()) return;
      decoder_.step(rows_);
      decoder_.logits(last_rows_, {logits_.data(), last_rows_.size() * scratch_.size()});
      for (std::size_t i = 0; i < last_rows_.size(); ++i) {
        Growing& one = growing_[rows_[last_rows_[i]].slot];
        take_token(one, {logits_.data() + i * scratch_.size(), scratch_.size()});
        if (!one.active) finished();
      }
    }
  }

 private:
  template <typename Next>
  void start(Growing& one, const Next& next, std::vector<Completion>& completions) {
    const std::size_t index = next();
    if (index >= prompts_.size()) return;
    one = {index, 0, &completions[index],
           Stream(options_.seed, "sample", options_.first_index + index), true};
    if (options_.max_tokens == 0) one.active = false;
  }

  // The next tokens of every sequence: one that was drawn, or as much of a prompt as there is room.
  void collect_rows() {
    rows_.clear();
    last_rows_.clear();
    std::size_t waiting = 0;
    for (const Growing& one : growing_) waiting += one.active ? 1 : 0;
    for (std::size_t slot = 0; slot < growing_.size(); ++slot) {
      Growing& one = growing_[slot];
      if (!one.active) continue;
      --waiting;
      const auto& prompt = prompts_[one.index];
      const std::size_t room = kMaxRows - rows_.size() - waiting;
      const std::size_t known = prompt.size() + one.completion->tokens.size();
      const std::size_t count = std::min(room, known - one.position);
      for (std::size_t i = 0; i < count; ++i, ++one.position) {
        const std::size_t at = one.position;
        rows_.push_back(
            {slot, one.position,
             at < prompt.size() ? prompt[at] : one.completion->tokens[at - prompt.size()]});
      }
      if (one.position == known) last_rows_.push_back(rows_.size() - 1);
    }
  }

  // scratch_: the probabilities at temperature 1.
  std::int32_t pick(std::span<const float> logits, double draw) {
    if (options_.temperature == 1.0F) return pick_of(scratch_.span(), options_, draw);
    std::ranges::copy(logits, scratch_.data());
    return pick_token(scratch_.span(), options_, draw);
  }

  void take_token(Growing& one, std::span<float> logits) {
    Completion& completion = *one.completion;
    std::ranges::copy(logits, scratch_.data());
    const float log_sum = kernels().softmax(scratch_.size(), scratch_.data());
    const std::int32_t token = pick(logits, options_.temperature > 0 ? one.stream.uniform() : 0.0);
    completion.tokens.push_back(token);
    completion.log_probabilities.push_back(logits[static_cast<std::size_t>(token)] - log_sum);
    one.active = false;
    if (std::ranges::find(options_.stop_tokens, token) != options_.stop_tokens.end()) {
      completion.ending = Ending::kStopToken;
    } else if (completion.tokens.size() == options_.max_tokens) {
      completion.ending = Ending::kMaxTokens;
    } else if (one.position == model_.config().context) {
      completion.ending = Ending::kContext;
    } else {
      one.active = true;
    }
  }

  const Transformer& model_;
  std::span<const std::vector<std::int32_t>> prompts_;
  const SampleOptions& options_;
  Decoder decoder_;
  std::vector<Growing> growing_;
  Buffer logits_, scratch_;
  std::vector<DecoderRow> rows_;
  std::vector<std::size_t> last_rows_;  // of rows_: those whose logits choose a token
};

}  // namespace

std::int32_t pick_token(std::span<float> logits, const SampleOptions& options, double draw) {
  if (options.temperature <= 0) {
    return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
  }
  kernels().scale(logits.size(), 1.0F / options.temperature, logits.data());
  kernels().softmax(logits.size(), logits.data());
  return pick_of(logits, options, draw);
}

Generator::Generator(const Transformer& model) : model_(model) {
  assert(model.config().causal && model.config().norm_first && model.config().language_head);
  refresh();
}

Generator::Generator(Generator&&) noexcept = default;
Generator::~Generator() = default;

void Generator::refresh() { weights_ = pack_weights(model_); }

std::vector<Completion> Generator::generate(std::span<const std::vector<std::int32_t>> prompts,
                                            const SampleOptions& options) const {
  std::vector<Completion> completions(prompts.size());
  std::size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  assert(longest <= model_.config().context);
  const std::size_t capacity = std::min(longest + options.max_tokens, model_.config().context);
  const auto wanted =
      static_cast<std::size_t>(options.threads > 0 ? options.threads : default_threads());
  const std::size_t workers = std::min(wanted, prompts.size());
  if (workers == 0) return completions;
  const std::size_t slots = std::min(slots_for(model_.config(), model_.layout().size, capacity),
                                     (prompts.size() + workers - 1) / workers);
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::mutex mutex;
  parallel_for(workers, 1, static_cast<int>(workers), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Worker worker(model_, *weights_, prompts, options, slots, capacity);
      worker.run([&] { return next++; }, completions,
                 [&] {
                   if (!options.progress) return;
                   const std::scoped_lock lock(mutex);
                   options.progress(++done, prompts.size());
                 });
    }
  });
  return completions;
}

std::vector<float> Generator::logits(std::span<const std::int32_t> tokens) const {
  const std::size_t vocabulary = model_.config().vocabulary;
  std::vector<float> result(tokens.size() * vocabulary);
  Decoder decoder(model_, *weights_, 1, tokens.size(), kMaxRows);
  std::vector<DecoderRow> rows;
  std::vector<std::size_t> all;
  for (std::size_t first = 0; first < tokens.size(); first += rows.size()) {
    rows.clear();
    all.clear();
    for (std::size_t t = first; t < std::min(first + kMaxRows, tokens.size()); ++t) {
      all.push_back(rows.size());
      rows.push_back({0, static_cast<std::uint32_t>(t), tokens[t]});
    }
    decoder.step(rows);
    decoder.logits(all, std::span(result).subspan(first * vocabulary, rows.size() * vocabulary));
  }
  return result;
}

}  // namespace plumb::nn
