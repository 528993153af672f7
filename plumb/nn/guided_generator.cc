#include "plumb/nn/guided_generator.h"

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

constexpr std::size_t kSlots = 32, kMaxRows = 64;

struct Growing {
  const std::vector<std::int32_t>* prompt = nullptr;
  GuidedCompletion* out = nullptr;
  Stream stream{0, "", 0};
  std::uint32_t position = 0;  // of `current`
  std::int32_t current = 0;    // the last token, which no network has read yet
  bool active = false;
  std::vector<std::int32_t> candidates = {};
  float value = 0;                 // of the text
  std::vector<float> values = {};  // [candidates]
};

// The likeliest tokens, equals by their number, in the order of their numbers.
std::vector<std::int32_t> likeliest(std::span<const float> logits, std::size_t count) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  if (count >= order.size()) return order;
  const auto likelier = [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                   likelier);
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

double log_sum_of(std::span<const float> logits) {
  const auto most = static_cast<double>(std::ranges::max(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  return most + std::log(sum);
}

// Some completions beside each other, from their prompts to their ends.
class Wave {
 public:
  Wave(const Transformer& model, const Generator::Weights& model_weights, const Transformer& values,
       const Generator::Weights& value_weights, std::size_t capacity, const SampleOptions& options,
       const Guidance& guidance)
      : vocabulary_(model.config().vocabulary),
        context_(model.config().context),
        options_(options),
        guidance_(guidance),
        model_(model, model_weights, kSlots, capacity, kMaxRows),
        values_(values, value_weights, kSlots, capacity, kMaxRows),
        logits_(kSlots * vocabulary_),
        guided_(vocabulary_) {}

  void run(std::span<const std::vector<std::int32_t>> prompts, std::size_t first,
           std::span<GuidedCompletion> out) {
    growing_.assign(prompts.size(), {});
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      growing_[i].prompt = &prompts[i];
      growing_[i].out = &out[i];
      growing_[i].stream = Stream(options_.seed, "sample", options_.first_index + first + i);
      growing_[i].position = static_cast<std::uint32_t>(prompts[i].size() - 1);
      growing_[i].current = prompts[i].back();
      growing_[i].active = options_.max_tokens > 0;
      if (prompts[i].size() < context_) continue;
      growing_[i].active = false;
      out[i].completion.ending = Ending::kContext;
    }
    read_prompts();
    while (read_current()) {
      ask_values();
      for (std::size_t i = 0; i < slots_.size(); ++i) {
        take_token(growing_[slots_[i]], {logits_.data() + i * vocabulary_, vocabulary_});
      }
    }
  }

 private:
  // All but the last token of each.
  void read_prompts() {
    std::vector<DecoderRow> rows;
    const auto read = [&] {
      if (rows.empty()) return;
      model_.step(rows);
      values_.step(rows);
      rows.clear();
    };
    for (std::size_t slot = 0; slot < growing_.size(); ++slot) {
      if (!growing_[slot].active) continue;
      for (std::uint32_t at = 0; at < growing_[slot].position; ++at) {
        rows.push_back({slot, at, (*growing_[slot].prompt)[at]});
        if (rows.size() == kMaxRows) read();
      }
    }
    read();
  }

  // Both networks read what each completion ends with, and the candidates are chosen.
  bool read_current() {
    slots_.clear();
    rows_.clear();
    for (std::size_t slot = 0; slot < growing_.size(); ++slot) {
      const Growing& one = growing_[slot];
      if (!one.active) continue;
      slots_.push_back(slot);
      rows_.push_back({slot, one.position, one.current});
    }
    if (slots_.empty()) return false;
    all_.resize(slots_.size());
    std::iota(all_.begin(), all_.end(), 0);
    model_.step(rows_);
    model_.logits(all_, {logits_.data(), all_.size() * vocabulary_});
    values_.step(rows_);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Growing& one = growing_[slots_[i]];
      const std::span<float> logits(logits_.data() + i * vocabulary_, vocabulary_);
      one.candidates = likeliest(logits, guidance_.tokens);
      one.values.assign(one.candidates.size(), 0.0F);
    }
    return true;
  }

  // A candidate of each at a time, all in the place after the text; the next overwrites it.
  void ask_values() {
    if (guidance_.strength == 0) return;
    std::vector<float> scalars(slots_.size());
    values_.scalars(all_, scalars);
    for (std::size_t i = 0; i < slots_.size(); ++i) growing_[slots_[i]].value = scalars[i];
    const std::size_t count = growing_[slots_[0]].candidates.size();
    for (std::size_t c = 0; c < count; ++c) {
      for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Growing& one = growing_[slots_[i]];
        rows_[i] = {slots_[i], one.position + 1, one.candidates[c]};
      }
      values_.step(rows_);
      values_.scalars(all_, scalars);
      for (std::size_t i = 0; i < slots_.size(); ++i) growing_[slots_[i]].values[c] = scalars[i];
    }
    for (const std::size_t slot : slots_) growing_[slot].out->asked += count + 1;
  }

  void take_token(Growing& one, std::span<const float> logits) {
    std::ranges::copy(logits, guided_.data());
    for (std::size_t c = 0; c < one.candidates.size(); ++c) {
      guided_.data()[one.candidates[c]] +=
          static_cast<float>(guidance_.strength) * (one.values[c] - one.value);
    }
    const double log_sum = log_sum_of(guided_.span()), log_sum_before = log_sum_of(logits);
    double kl = 0, others = 1;
    for (const std::int32_t token : one.candidates) {
      const double log_q = static_cast<double>(guided_.data()[token]) - log_sum;
      const double log_p =
          static_cast<double>(logits[static_cast<std::size_t>(token)]) - log_sum_before;
      kl += std::exp(log_q) * (log_q - log_p);
      others -= std::exp(log_q);
    }
    kl += others * (log_sum_before - log_sum);
    GuidedCompletion& out = *one.out;
    out.kl += std::max(kl, 0.0);  // rounding
    std::vector<float> lifted(guided_.span().begin(), guided_.span().end());
    const std::int32_t token = pick_token(guided_.span(), {}, one.stream.uniform());
    const auto at = static_cast<std::size_t>(token);
    out.log_q += static_cast<double>(lifted[at]) - log_sum;
    out.completion.tokens.push_back(token);
    out.completion.log_probabilities.push_back(
        static_cast<float>(static_cast<double>(logits[at]) - log_sum_before));
    ++one.position;
    one.current = token;
    one.active = false;
    if (std::ranges::find(options_.stop_tokens, token) != options_.stop_tokens.end()) {
      out.completion.ending = Ending::kStopToken;
    } else if (out.completion.tokens.size() == options_.max_tokens) {
      out.completion.ending = Ending::kMaxTokens;
    } else if (one.position + 1 == context_) {
      out.completion.ending = Ending::kContext;
    } else {
      one.active = true;
    }
  }

  std::size_t vocabulary_, context_;
  const SampleOptions& options_;
  const Guidance& guidance_;
  Decoder model_, values_;
  Buffer logits_, guided_;
  std::vector<Growing> growing_;
  std::vector<std::size_t> slots_, all_;  // those that are active; 0, 1, ... as many
  std::vector<DecoderRow> rows_;          // [slots_]
};

}  // namespace

GuidedGenerator::GuidedGenerator(const Transformer& model, const Transformer& values)
    : model_(model), values_(values) {
  assert(model.config().language_head && values.config().scalar_head);
  assert(model.config().vocabulary == values.config().vocabulary);
  assert(model.config().context == values.config().context);
  model_weights_ = pack_weights(model);
  value_weights_ = pack_weights(values);
}

GuidedGenerator::~GuidedGenerator() = default;

std::vector<GuidedCompletion> GuidedGenerator::generate(
    std::span<const std::vector<std::int32_t>> prompts, const SampleOptions& options,
    const Guidance& guidance) const {
  std::vector<GuidedCompletion> completions(prompts.size());
  std::size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  const std::size_t capacity = std::min(longest + options.max_tokens, model_.config().context);
  const std::size_t waves = (prompts.size() + kSlots - 1) / kSlots;
  const auto wanted =
      static_cast<std::size_t>(options.threads > 0 ? options.threads : default_threads());
  const std::size_t workers = std::min(wanted, waves);
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::mutex mutex;
  const auto work = [&](std::size_t, std::size_t) {
    Wave wave(model_, *model_weights_, values_, *value_weights_, capacity, options, guidance);
    for (std::size_t i = next++; i < waves; i = next++) {
      const std::size_t first = i * kSlots, count = std::min(kSlots, prompts.size() - first);
      wave.run(prompts.subspan(first, count), first, std::span(completions).subspan(first, count));
      if (!options.progress) continue;
      const std::scoped_lock lock(mutex);
      options.progress(done += count, prompts.size());
    }
  };
  if (workers > 0) parallel_for(workers, 1, static_cast<int>(workers), work);
  return completions;
}

}  // namespace plumb::nn
