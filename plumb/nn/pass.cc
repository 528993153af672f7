#include "plumb/nn/pass.h"

#include <cassert>
#include <cmath>

#include "plumb/nn/pass_state.h"

namespace plumb::nn {
namespace {

constexpr std::size_t kLogitFloats = std::size_t{1} << 23;  // of a chunk: 32 MB

LayerActivations layer_places(Arena& arena, const TransformerConfig& c, std::size_t tokens) {
  const std::size_t wide = tokens * c.width;
  LayerActivations a{};
  a.norm1_out = arena.take(wide);
  a.mean1 = arena.take(tokens);
  a.inverse1 = arena.take(tokens);
  a.query = arena.take(tokens * c.query_rows());
  a.mixed = arena.take(tokens * c.heads * c.head_width);
  a.log_sum = arena.take(tokens * c.heads);
  a.middle = arena.take(wide);
  a.norm2_out = arena.take(wide);
  a.mean2 = arena.take(tokens);
  a.inverse2 = arena.take(tokens);
  a.up = arena.take(tokens * c.hidden * (c.gated ? 2 : 1));
  a.active = arena.take(tokens * c.hidden);
  a.out = arena.take(wide);
  a.next = c.norm_first ? a.out : a.norm2_out;
  return a;
}

Gradients gradient_places(Arena& arena, const TransformerConfig& c, std::size_t tokens) {
  Gradients g{};
  g.stream = arena.take(tokens * c.width);
  g.part = arena.take(tokens * c.width);
  g.mixed = arena.take(tokens * c.heads * c.head_width);
  g.query = arena.take(tokens * c.query_rows());
  g.active = arena.take(tokens * c.hidden);
  g.up = arena.take(tokens * c.hidden * (c.gated ? 2 : 1));
  return g;
}

// In inference a layer's output must not lie where the next one writes.
void share_layers(Arena& arena, const TransformerConfig& c, std::size_t tokens, Places& places) {
  LayerActivations even = layer_places(arena, c, tokens);
  even.log_sum = nullptr;
  LayerActivations odd = even;
  float* other = arena.take(tokens * c.width);
  (c.norm_first ? odd.out : odd.norm2_out) = other;
  odd.next = other;
  for (std::size_t i = 0; i < c.layers; ++i) places.layers.push_back(i % 2 == 0 ? even : odd);
}

}  // namespace

Places places_in(Arena& arena, const TransformerConfig& c, std::size_t tokens, PassKind kind) {
  if (kind == PassKind::kInference) tokens = round_rows(tokens);
  const std::size_t wide = tokens * c.width;
  Places places{};
  places.embedded = arena.take(wide);
  places.sum = c.embedding_norm ? arena.take(wide) : places.embedded;
  places.mean = arena.take(tokens);
  places.inverse = arena.take(tokens);
  if (kind == PassKind::kTraining) {
    for (std::size_t i = 0; i < c.layers; ++i) {
      places.layers.push_back(layer_places(arena, c, tokens));
    }
    places.gradients = gradient_places(arena, c, tokens);
  } else {
    share_layers(arena, c, tokens, places);
  }
  if (c.norm_first) places.final_out = arena.take(wide);
  places.final_mean = arena.take(tokens);
  places.final_inverse = arena.take(tokens);
  places.scratch = arena.take(attention_scratch(c.head_width));
  if (c.language_head) {
    places.chunk = std::min(tokens, std::max<std::size_t>(16, kLogitFloats / c.vocabulary));
    if (kind == PassKind::kInference) places.chunk = places.chunk / kRowStep * kRowStep;
    places.head_rows = arena.take(places.chunk * c.width);
    places.d_head_rows = arena.take(places.chunk * c.width);
    places.logits = arena.take(places.chunk * c.vocabulary);
  }
  return places;
}

std::size_t pass_floats(const TransformerConfig& config, std::size_t max_tokens, PassKind kind) {
  Arena counter(nullptr);
  places_in(counter, config, max_tokens, kind);
  return counter.used();
}

Pass::State::State(const Transformer& transformer, std::size_t most_tokens, PassKind pass_kind,
                   const InferenceWeights* weights)
    : model(transformer),
      config(transformer.config()),
      layout(transformer.layout()),
      kernels(nn::kernels()),
      max_tokens(most_tokens),
      kind(pass_kind),
      prepared(weights),
      arena(pass_floats(config, most_tokens, pass_kind)) {
  Arena pieces(arena.data());
  places = places_in(pieces, config, max_tokens, kind);
  if (prepared != nullptr) scratch.emplace(*prepared);
  if (config.positions != Positions::kRotary) return;
  const std::size_t half = config.rotary_width / 2;
  cosine = Buffer(config.context * half);
  sine = Buffer(config.context * half);
  rotary_tables(config, cosine.data(), sine.data());
}

Pass::Pass(const Transformer& model, std::size_t max_tokens, PassKind kind)
    : state_(std::make_unique<State>(model, max_tokens, kind)) {}
Pass::Pass(const InferenceWeights& weights, std::size_t max_tokens)
    : state_(std::make_unique<State>(weights.model(), max_tokens, PassKind::kInference, &weights)) {
}
Pass::Pass(Pass&&) noexcept = default;
Pass::~Pass() = default;

std::size_t Pass::max_tokens() const { return state_->max_tokens; }

void Pass::State::begin(const Batch& batch) {
  assert(!batch.tokens.empty() && batch.tokens.size() <= max_tokens);
  tokens.assign(batch.tokens.begin(), batch.tokens.end());
  segments.assign(batch.segments.begin(), batch.segments.end());
  starts.assign(batch.starts.begin(), batch.starts.end());
  positions.resize(count());
  std::size_t most = 0;
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    for (std::uint32_t t = starts[s]; t < starts[s + 1]; ++t) positions[t] = t - starts[s];
    most = std::max<std::size_t>(most, starts[s + 1] - starts[s]);
  }
  assert(starts.back() == count() && most <= config.context);
  longest = most;
}

}  // namespace plumb::nn
