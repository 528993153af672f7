// What a transformer looks like: one description for Llama, GPT-2, GPT-NeoX and the BERT family.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/nn/kernels.h"

namespace plumb::nn {

// The families whose files are read and written; what they compute follows from the other fields
// of TransformerConfig alone.
enum class Architecture : std::uint8_t { kLlama, kGpt2, kGptNeoX, kBert, kRoberta, kMpnet };

std::string_view architecture_name(Architecture architecture);  // "llama", as model_type spells it

enum class Norm : std::uint8_t { kLayer, kRms };

enum class Positions : std::uint8_t {
  kLearned,  // a vector a position, added to the embedding
  kRotary,   // queries and keys are turned (Su et al. 2021)
};

struct TransformerConfig {
  Architecture architecture = Architecture::kLlama;

  std::size_t vocabulary = 0;
  std::size_t width = 0;  // of the residual stream
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t key_heads = 0;  // heads of keys and values; fewer than `heads`: grouped queries
  std::size_t head_width = 0;
  std::size_t hidden = 0;   // of the feed-forward part
  std::size_t context = 0;  // tokens

  Norm norm = Norm::kRms;
  float norm_epsilon = 1e-5F;
  bool norm_first = true;          // before each part (Llama, GPT) or after it (BERT)
  bool parallel_residual = false;  // attention and feed-forward read the same input (GPT-NeoX)
  bool embedding_norm = false;     // BERT family

  Positions positions = Positions::kRotary;
  std::size_t position_offset = 0;  // row of the first position (RoBERTa, MPNet: 2)
  std::size_t position_rows = 0;    // rows of the learned table, 0 with rotary ones
  float rotary_base = 10000.0F;
  std::size_t rotary_width = 0;      // of each head, the first ones
  std::size_t relative_buckets = 0;  // of attention biases by distance (MPNet); 0: none
  std::size_t relative_distance = 128;
  std::size_t segments = 0;  // token types; 0: none

  Activation activation = Activation::kSilu;
  bool gated = true;  // activation(gate) * up
  bool causal = true;
  bool query_bias = false;   // of queries, keys and values
  bool linear_bias = false;  // of all other products

  bool language_head = true;  // logits over the vocabulary
  bool tied = true;           // its weight is the embedding of tokens
  bool scalar_head = false;   // one number a token: a reward, a value

  std::optional<int> begin_token, end_token;  // as the checkpoint names them

  std::size_t query_rows() const { return (heads + 2 * key_heads) * head_width; }
  bool operator==(const TransformerConfig&) const = default;
};

// kBadInput, saying which field: a size is 0 or beyond 2^31, heads do not divide, a product would
// overflow. `where` is the file for the message.
Result<void> check_config(const TransformerConfig& config, const std::string& where);

// The config.json of a Hugging Face folder. kBadInput: it is not JSON, a key is missing or of
// another type, the architecture or a setting of it is not supported; each is named.
Result<TransformerConfig> parse_config(std::string_view json, const std::string& file);
Result<TransformerConfig> read_config(const std::filesystem::path& file);

// The config.json that other tools read for this transformer.
Json config_json(const TransformerConfig& config);

}  // namespace plumb::nn
