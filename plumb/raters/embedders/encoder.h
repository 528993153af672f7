// Embeddings from a transformer: the Hugging Face folders of BERT-family models (MiniLM, BGE, E5,
// MPNet, XLM-R) and of decoders that are pooled, with the pooling that the folder names.
//
// Texts are sorted by length and computed in ragged batches with no padding; a text's vector does
// not depend on the others beyond rounding (1e-5), and never on the number of threads.
//
//   PLUMB_TRY(encoder, Encoder::open("all-MiniLM-L6-v2"));
//   PLUMB_TRY(vectors, encoder->embed(texts, {}));
//   encoder->truncated()   // texts that were longer than the model takes
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "plumb/nn/transformer.h"
#include "plumb/raters/embedders/embedder.h"
#include "plumb/raters/embedders/sentence_files.h"
#include "plumb/text/tokenizer.h"

namespace plumb::raters {

class Encoder : public Embedder {
 public:
  // kNotFound; kBadInput: what load_transformer, load_tokenizer and read_sentence_recipe refuse, or
  // a tokenizer that does not fit the model.
  static Result<std::unique_ptr<Encoder>> open(const std::filesystem::path& folder);

  const std::string& name() const override { return name_; }
  Json provenance() const override;

  // The prompt of the role ("query", "document", "passage") or the folder's default one stands
  // before each text. kBadInput: a text that the tokenizer refuses.
  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override;

  std::size_t max_tokens() const { return max_tokens_; }
  std::size_t dimension() const { return transformer_.config().width; }

  // Texts so far that were cut at max_tokens().
  std::size_t truncated() const { return truncated_; }

 private:
  Encoder(std::string name, nn::Transformer transformer, Tokenizer tokenizer,
          SentenceRecipe recipe);

  std::string prompt_of(TextRole role) const;
  void embed_encoded(std::span<const Encoding> encodings, int threads, float* out) const;

  std::string name_;
  std::filesystem::path folder_;
  nn::Transformer transformer_;
  Tokenizer tokenizer_;
  SentenceRecipe recipe_;
  std::size_t max_tokens_ = 0;
  std::size_t truncated_ = 0;
};

}  // namespace plumb::raters
