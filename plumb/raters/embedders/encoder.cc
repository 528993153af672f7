#include "plumb/raters/embedders/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <system_error>

#include "plumb/base/hash.h"
#include "plumb/base/mapped_file.h"
#include "plumb/base/parallel.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/trainer.h"
#include "plumb/raters/remote/first_error.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

// Bound the memory of tokens.
constexpr std::size_t kTextsAtOnce = 16384, kBytesAtOnce = std::size_t{4} << 20;
constexpr std::size_t kBatchTokens = 512;  // keeps a batch's activations near the processor

std::size_t texts_at_once(std::span<const std::string_view> texts) {
  std::size_t count = 0, bytes = 0;
  while (count < std::min(texts.size(), kTextsAtOnce) && bytes < kBytesAtOnce) {
    bytes += texts[count++].size();
  }
  return count;
}

// The tokens of a batch as a pass takes them.
struct Sequences {
  std::vector<std::int32_t> tokens;
  std::vector<std::uint32_t> starts;

  void gather(std::span<const Encoding> encodings, std::span<const std::size_t> members) {
    tokens.clear();
    starts.assign(1, 0);
    for (const std::size_t i : members) {
      tokens.insert(tokens.end(), encodings[i].ids.begin(), encodings[i].ids.end());
      starts.push_back(static_cast<std::uint32_t>(tokens.size()));
    }
  }
};

// Brings what a cache holds to the disk now and then, so that a killed run loses a second's work.
class Saver {
 public:
  explicit Saver(VectorCache* cache) : cache_(cache) {}

  Result<void> save() {
    {
      const std::lock_guard lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      if (now - last_ < std::chrono::seconds(1)) return {};
      last_ = now;
    }
    return cache_->flush();
  }

 private:
  VectorCache* cache_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// SHA-256 of each file that says what the vectors are, by its path in the folder.
Result<Json> hashes_of(const fs::path& folder, const SentenceRecipe& recipe) {
  std::vector<fs::path> paths = recipe.files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string file = entry.path().filename().string();
    const bool model = file == "config.json" || file == "vocab.txt" ||
                       file.starts_with("tokenizer") ||
                       file.find(".safetensors") != std::string::npos;
    if (model && entry.is_regular_file(ignored)) paths.push_back(entry.path());
  }
  Json hashes = Json::object();
  for (const fs::path& path : paths) {
    PLUMB_TRY(file, MappedFile::open(path));
    hashes[fs::relative(path, folder, ignored).string()] =
        sha256({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  }
  return hashes;
}

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

Result<std::unique_ptr<Encoder>> Encoder::open(const fs::path& folder,
                                               const EncoderOptions& options) {
  PLUMB_TRY(transformer, nn::load_transformer(folder, nn::Heads::kNone));
  PLUMB_TRY(tokenizer, load_tokenizer(folder));
  PLUMB_TRY(recipe, read_sentence_recipe(folder));
  if (tokenizer.vocabulary_size() > transformer.config().vocabulary) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("{}: the tokenizer has {} tokens, the model {}; do they belong together?",
                    folder.string(), tokenizer.vocabulary_size(), transformer.config().vocabulary));
  }
  PLUMB_TRY(files, hashes_of(folder, recipe));
  std::error_code ignored;
  std::string name = fs::weakly_canonical(folder, ignored).filename().string();
  auto encoder = std::unique_ptr<Encoder>(new Encoder(std::move(name), std::move(transformer),
                                                      std::move(tokenizer), std::move(recipe)));
  encoder->files_ = std::move(files);
  PLUMB_TRY(weights, nn::InferenceWeights::make(encoder->transformer_, options.precision));
  encoder->weights_ = std::move(weights);
  if (!options.cache.empty()) {
    PLUMB_TRY(cache, VectorCache::open(options.cache));
    encoder->cache_ = std::move(cache);
    encoder->identity_ = to_text(Json{{"files", encoder->files_},
                                      {"precision", nn::precision_name(options.precision)},
                                      {"kernels", nn::kernels().name}});
  }
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
          {"precision", nn::precision_name(weights_->precision())},
          {"truncated_texts", truncated_},
          {"sha256", files_}};
}

std::vector<std::string> Encoder::notes() const {
  if (truncated_ == 0) return {};
  const bool one = truncated_ == 1;
  return {fmt::format("{} {} longer than the model's {} tokens and {} cut", truncated_,
                      one ? "text is" : "texts are", max_tokens_, one ? "was" : "were")};
}

Result<std::vector<Encoding>> Encoder::encode(std::span<const std::string_view> texts,
                                              const std::string& prompt, int threads) const {
  std::vector<std::string> prompted;
  std::vector<std::string_view> views(texts.begin(), texts.end());
  if (!prompt.empty()) {
    for (const std::string_view text : texts) prompted.push_back(prompt + std::string(text));
    views.assign(prompted.begin(), prompted.end());
  }
  return tokenizer_.encode_batch(views, {.special_in_text = false, .max_tokens = max_tokens_},
                                 threads);
}

// The places of the texts that are not in the cache.
std::vector<std::size_t> Encoder::take_cached(const Part& part) const {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < part.texts.size(); ++i) {
    const auto kept =
        cache_ ? cache_->find(cache_key(identity_, part.prompt, part.texts[i])) : std::nullopt;
    if (kept && kept->size() == dimension()) {
      std::ranges::copy(*kept, part.out + i * dimension());
    } else {
      missing.push_back(i);
    }
  }
  return missing;
}

void Encoder::pool_batch(const Part& part, std::span<const std::size_t> members,
                         const nn::Pass& pass) const {
  const float* hidden = pass.hidden().data();
  for (const std::size_t place : members) {
    const std::size_t tokens = part.encodings[place].ids.size();
    float* vector = part.out + place * dimension();
    pool(recipe_.pooling, nn::kernels(), hidden, tokens, dimension(), vector);
    if (recipe_.normalize) normalize(nn::kernels(), dimension(), vector);
    hidden += tokens * dimension();
  }
}

Result<void> Encoder::keep(const Part& part, std::span<const std::size_t> members) const {
  for (const std::size_t place : members) {
    const std::span<const float> vector(part.out + place * dimension(), dimension());
    if (!std::ranges::all_of(vector, [](float x) { return std::isfinite(x); })) continue;
    const CacheKey key = cache_key(identity_, part.prompt, part.texts[place]);
    if (auto kept = cache_->insert(key, vector); !kept) return kept;
  }
  return {};
}

// The vectors of these places of the part, in batches of texts of like length.
Result<void> Encoder::compute(const Part& part, std::vector<std::size_t> places) const {
  const auto length = [&](std::size_t i) { return part.encodings[i].ids.size(); };
  std::ranges::stable_sort(places, std::greater(), length);
  while (!places.empty() && length(places.back()) == 0) {
    std::fill_n(part.out + places.back() * dimension(), dimension(), 0.0F);
    places.pop_back();
    part.done(1);
  }
  std::vector<std::size_t> lengths;
  for (const std::size_t i : places) lengths.push_back(length(i));
  const auto batches = nn::cut_batches(lengths, kBatchTokens);
  const std::size_t most = std::max(kBatchTokens, lengths.empty() ? 0 : lengths.front());

  const auto wanted = static_cast<std::size_t>(part.threads > 0 ? part.threads : default_threads());
  const std::size_t workers = std::min(wanted, batches.size());
  std::atomic<std::size_t> next{0};
  FirstError first;
  Saver saver(cache_.get());
  parallel_for(workers, 1, static_cast<int>(workers), [&](std::size_t, std::size_t) {
    nn::Pass pass(*weights_, most);
    Sequences sequences;
    for (std::size_t b = next++; b < batches.size() && !first.reported(); b = next++) {
      const auto members = std::span(places).subspan(batches[b].first, batches[b].count);
      sequences.gather(part.encodings, members);
      pass.forward({sequences.tokens, sequences.starts});
      pool_batch(part, members, pass);
      if (cache_) {
        if (auto kept = keep(part, members); !kept) return first.report(kept.error());
        if (auto saved = saver.save(); !saved) return first.report(saved.error());
      }
      part.done(members.size());
    }
  });
  return first.result();
}

Result<Vectors> Encoder::embed(std::span<const std::string_view> texts,
                               const EmbedOptions& options) {
  const std::string prompt = prompt_of(options.role);
  std::vector<float> vectors(texts.size() * dimension());
  std::mutex mutex;
  std::size_t done = 0;
  const auto more = [&](std::size_t count) {
    const std::lock_guard lock(mutex);
    done += count;
    if (options.progress && count > 0) options.progress(done, texts.size());
  };
  for (std::size_t first = 0; first < texts.size();) {
    const auto some = texts.subspan(first, texts_at_once(texts.subspan(first)));
    PLUMB_TRY(encodings, encode(some, prompt, options.threads));
    for (const Encoding& encoding : encodings) truncated_ += encoding.truncated > 0 ? 1 : 0;
    const Part part{some, encodings, prompt, options.threads, vectors.data() + first * dimension(),
                    more};
    std::vector<std::size_t> missing = take_cached(part);
    more(some.size() - missing.size());
    if (auto made = compute(part, std::move(missing)); !made) return tl::unexpected(made.error());
    first += some.size();
  }
  if (cache_) {
    if (auto saved = cache_->flush(); !saved) return tl::unexpected(saved.error());
  }
  return Vectors::dense(dimension(), std::move(vectors));
}

}  // namespace plumb::raters
