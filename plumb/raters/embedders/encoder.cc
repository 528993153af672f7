#include "plumb/raters/embedders/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/trainer.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTextsAtOnce = 16384;  // bounds the memory of tokens
constexpr std::size_t kBatchTokens = 512;    // keeps a batch's activations near the processor

// vector [width] of the hidden states [tokens, width] of one text.
void pool(Pooling pooling, const nn::Kernels& kernels, const float* hidden, std::size_t tokens,
          std::size_t width, float* vector) {
  if (pooling == Pooling::kFirstToken || pooling == Pooling::kLastToken) {
    const std::size_t row = pooling == Pooling::kFirstToken ? 0 : tokens - 1;
    std::copy_n(hidden + row * width, width, vector);
    return;
  }
  std::fill_n(vector, width, 0.0F);
  float total = 0;
  for (std::size_t t = 0; t < tokens; ++t) {
    const float weight = pooling == Pooling::kMean ? 1.0F : static_cast<float>(t + 1);
    kernels.axpy(width, weight, hidden + t * width, vector);
    total += weight;
  }
  kernels.scale(width, 1.0F / total, vector);
}

void normalize(const nn::Kernels& kernels, std::size_t width, float* vector) {
  const double length = std::sqrt(kernels.sum_of_squares(width, vector));
  if (length > 1e-12) kernels.scale(width, static_cast<float>(1 / length), vector);
}

}  // namespace

Encoder::Encoder(std::string name, nn::Transformer transformer, Tokenizer tokenizer,
                 SentenceRecipe recipe)
    : name_(std::move(name)),
      transformer_(std::move(transformer)),
      tokenizer_(std::move(tokenizer)),
      recipe_(std::move(recipe)) {
  max_tokens_ = transformer_.config().context;
  if (recipe_.max_tokens > 0) max_tokens_ = std::min(max_tokens_, recipe_.max_tokens);
  if (const auto own = tokenizer_.model_max_tokens()) max_tokens_ = std::min(max_tokens_, *own);
}

Result<std::unique_ptr<Encoder>> Encoder::open(const fs::path& folder) {
  PLUMB_TRY(transformer, nn::load_transformer(folder, nn::Heads::kNone));
  PLUMB_TRY(tokenizer, load_tokenizer(folder));
  PLUMB_TRY(recipe, read_sentence_recipe(folder));
  if (tokenizer.vocabulary_size() > transformer.config().vocabulary) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("{}: the tokenizer has {} tokens, the model {}; do they belong together?",
                    folder.string(), tokenizer.vocabulary_size(), transformer.config().vocabulary));
  }
  std::error_code ignored;
  std::string name = fs::weakly_canonical(folder, ignored).filename().string();
  auto encoder = std::unique_ptr<Encoder>(new Encoder(std::move(name), std::move(transformer),
                                                      std::move(tokenizer), std::move(recipe)));
  encoder->folder_ = folder;
  return encoder;
}

std::string Encoder::prompt_of(TextRole role) const {
  const auto named = [&](const char* name) {
    const auto found = recipe_.prompts.find(name);
    return found == recipe_.prompts.end() ? std::string() : found->second;
  };
  std::string prompt;
  if (role == TextRole::kQuery) prompt = named("query");
  if (role == TextRole::kDocument) prompt = named("document");
  if (role == TextRole::kDocument && prompt.empty()) prompt = named("passage");
  if (prompt.empty() && !recipe_.default_prompt.empty()) {
    prompt = recipe_.prompts.at(recipe_.default_prompt);
  }
  return prompt;
}

Json Encoder::provenance() const {
  Json files = Json::object();
  std::vector<fs::path> paths = recipe_.files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string file = entry.path().filename().string();
    const bool model = file == "config.json" || file == "vocab.txt" ||
                       file.starts_with("tokenizer") ||
                       file.find(".safetensors") != std::string::npos;
    if (model && entry.is_regular_file(ignored)) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    const auto bytes = read_file(path);
    if (bytes) files[fs::relative(path, folder_, ignored).string()] = sha256(*bytes);
  }
  Json prompts = Json::object();
  for (const auto& [role, name] :
       {std::pair(TextRole::kText, "text"), std::pair(TextRole::kQuery, "query"),
        std::pair(TextRole::kDocument, "document")}) {
    prompts[name] = prompt_of(role);
  }
  return {{"kind", "encoder"},
          {"model", name_},
          {"architecture", nn::architecture_name(transformer_.config().architecture)},
          {"dimension", dimension()},
          {"pooling", pooling_name(recipe_.pooling)},
          {"normalized", recipe_.normalize},
          {"max_tokens", max_tokens_},
          {"prompts", prompts},
          {"precision", "f32"},
          {"sha256", files}};
}

// out: [encodings, dimension]
void Encoder::embed_encoded(std::span<const Encoding> encodings, int threads, float* out) const {
  const std::size_t width = dimension();
  std::vector<std::size_t> order(encodings.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t i) { return encodings[i].ids.size(); });
  while (!order.empty() && encodings[order.back()].ids.empty()) {
    std::fill_n(out + order.back() * width, width, 0.0F);
    order.pop_back();
  }
  std::vector<std::size_t> lengths;
  for (const std::size_t i : order) lengths.push_back(encodings[i].ids.size());
  const auto batches = nn::cut_batches(lengths, kBatchTokens);
  const std::size_t most = std::max(kBatchTokens, lengths.empty() ? 0 : lengths.front());

  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : default_threads());
  const std::size_t workers = std::min(wanted, batches.size());
  std::atomic<std::size_t> next{0};
  parallel_for(workers, 1, static_cast<int>(workers), [&](std::size_t begin, std::size_t end) {
    for (std::size_t worker = begin; worker < end; ++worker) {
      nn::Pass pass(transformer_, most, nn::PassKind::kInference);
      std::vector<std::int32_t> tokens;
      std::vector<std::uint32_t> starts;
      for (std::size_t b = next++; b < batches.size(); b = next++) {
        const auto members = std::span(order).subspan(batches[b].first, batches[b].count);
        tokens.clear();
        starts.assign(1, 0);
        for (const std::size_t i : members) {
          tokens.insert(tokens.end(), encodings[i].ids.begin(), encodings[i].ids.end());
          starts.push_back(static_cast<std::uint32_t>(tokens.size()));
        }
        pass.forward({tokens, starts});
        for (std::size_t m = 0; m < members.size(); ++m) {
          float* vector = out + members[m] * width;
          pool(recipe_.pooling, nn::kernels(), pass.hidden().data() + starts[m] * width,
               starts[m + 1] - starts[m], width, vector);
          if (recipe_.normalize) normalize(nn::kernels(), width, vector);
        }
      }
    }
  });
}

Result<Vectors> Encoder::embed(std::span<const std::string_view> texts,
                               const EmbedOptions& options) {
  const std::string prompt = prompt_of(options.role);
  std::vector<float> vectors(texts.size() * dimension());
  for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    const auto some = texts.subspan(first, std::min(kTextsAtOnce, texts.size() - first));
    std::vector<std::string> prompted;
    std::vector<std::string_view> views(some.begin(), some.end());
    if (!prompt.empty()) {
      for (const std::string_view text : some) prompted.push_back(prompt + std::string(text));
      views.assign(prompted.begin(), prompted.end());
    }
    PLUMB_TRY(encodings,
              tokenizer_.encode_batch(views, {.special_in_text = false, .max_tokens = max_tokens_},
                                      options.threads));
    for (const Encoding& encoding : encodings) truncated_ += encoding.truncated > 0 ? 1 : 0;
    embed_encoded(encodings, options.threads, vectors.data() + first * dimension());
    if (options.progress) options.progress(first + some.size(), texts.size());
  }
  return Vectors::dense(dimension(), std::move(vectors));
}

}  // namespace plumb::raters
