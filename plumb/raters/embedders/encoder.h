// Embeddings from a transformer: the Hugging Face folders of BERT-family models (MiniLM, BGE, E5,
// MPNet, XLM-R) and of decoders that are pooled, with the pooling that the folder names.
//
// Texts are sorted by length and computed in ragged batches with no padding; a text's vector
// depends neither on the others (where the processor has AVX-512 not in one bit, else within 1e-5)
// nor on the number of threads. With a cache (vector_cache.h) every vector is kept under the hashes
// of the model's files, the precision, the prompt and the text: a run that was stopped computes the
// rest. Memory beyond the vectors does not grow with the number of texts.
//
//   PLUMB_TRY(encoder, Encoder::open("all-MiniLM-L6-v2", {.cache = folder / "vectors.cache"}));
//   PLUMB_TRY(vectors, encoder->embed(texts, {}));
//   encoder->truncated()   // texts that were longer than the model takes
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/nn/inference.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/transformer.h"
#include "plumb/raters/embedders/embedder.h"
#include "plumb/raters/embedders/sentence_files.h"
#include "plumb/raters/embedders/vector_cache.h"
#include "plumb/text/tokenizer.h"

namespace plumb::raters {

struct EncoderOptions {
  nn::Precision precision = nn::Precision::kF32;
  std::filesystem::path cache = {};  // a file; "": nothing is kept
};

class Encoder : public Embedder {
 public:
  // kNotFound; kBadInput: what load_transformer, load_tokenizer and read_sentence_recipe refuse, or
  // a tokenizer that does not fit the model. kUsage: a precision that this processor lacks. Errors
  // of VectorCache::open().
  static Result<std::unique_ptr<Encoder>> open(const std::filesystem::path& folder,
                                               const EncoderOptions& options = {});

  const std::string& name() const override { return name_; }
  Json provenance() const override;

  // The prompt of the role ("query", "document", "passage") or the folder's default one stands
  // before each text. kBadInput: a text that the tokenizer refuses. Errors of the cache.
  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override;

  std::size_t max_tokens() const { return max_tokens_; }
  std::size_t dimension() const { return transformer_.config().width; }

  // Texts so far that were cut at max_tokens().
  std::size_t truncated() const { return truncated_; }
  std::vector<std::string> notes() const override;

 private:
  Encoder(std::string name, nn::Transformer transformer, Tokenizer tokenizer,
          SentenceRecipe recipe);

  // Some of the texts of a call, all with one prompt.
  struct Part {
    std::span<const std::string_view> texts;
    std::span<const Encoding> encodings;
    std::string_view prompt;
    int threads;
    float* out;                             // [texts, dimension]
    std::function<void(std::size_t)> done;  // so many texts more; from any thread
  };

  std::string prompt_of(TextRole role) const;
  Result<std::vector<Encoding>> encode(std::span<const std::string_view> texts,
                                       const std::string& prompt, int threads) const;
  std::vector<std::size_t> take_cached(const Part& part) const;
  Result<void> compute(const Part& part, std::vector<std::size_t> places) const;
  void pool_batch(const Part& part, std::span<const std::size_t> members,
                  const nn::Pass& pass) const;
  Result<void> keep(const Part& part, std::span<const std::size_t> members) const;

  std::string name_;
  Json files_;  // their hashes
  nn::Transformer transformer_;
  std::optional<nn::InferenceWeights> weights_;  // of transformer_
  Tokenizer tokenizer_;
  SentenceRecipe recipe_;
  std::unique_ptr<VectorCache> cache_;  // null: none
  std::string identity_;                // of the model, in the cache
  std::size_t max_tokens_ = 0;
  std::size_t truncated_ = 0;
};

}  // namespace plumb::raters
