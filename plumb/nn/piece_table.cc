// The names of tensors in the files of each architecture.
#include <fmt/format.h>

#include "plumb/nn/checkpoint.h"

namespace plumb::nn {
namespace {

// The pieces of one file layout, in the order in which they are named.
class PieceList {
 public:
  PieceList(const TransformerConfig& of_config, const Layout& of_layout)
      : config(of_config), layout(of_layout) {}

  const TransformerConfig& config;
  const Layout& layout;
  std::vector<Piece> pieces;

  void add(std::string name, Shape shape, std::size_t offset,
           PieceOrder order = PieceOrder::kPlain) {
    if (offset != kAbsent) pieces.push_back({std::move(name), std::move(shape), offset, order});
  }
  void norm(const std::string& name, std::size_t gain, std::size_t bias) {
    add(name + ".weight", {config.width}, gain);
    add(name + ".bias", {config.width}, bias);
  }
  // `rows` of a weight and its bias, from row `first` of the parameter on.
  void linear(const std::string& name, std::size_t rows, std::size_t columns, std::size_t weight,
              std::size_t bias, std::size_t first = 0, PieceOrder order = PieceOrder::kPlain) {
    const Shape shape =
        order == PieceOrder::kTransposed ? Shape{columns, rows} : Shape{rows, columns};
    add(name + ".weight", shape, weight + first * columns, order);
    if (bias != kAbsent) {
      add(name + ".bias", {rows}, bias + first,
          order == PieceOrder::kByHead ? order : PieceOrder::kPlain);
    }
  }
};

struct Sizes {
  explicit Sizes(const TransformerConfig& config)
      : width(config.width),
        hidden(config.hidden),
        queries(config.heads * config.head_width),
        keys(config.key_heads * config.head_width) {}
  std::size_t width, hidden, queries, keys;
};

void add_llama(PieceList& list) {
  const Sizes s(list.config);
  list.add("embed_tokens.weight", {list.config.vocabulary, s.width}, list.layout.token);
  for (std::size_t i = 0; i < list.config.layers; ++i) {
    const LayerLayout& layer = list.layout.layers[i];
    const std::string name = fmt::format("layers.{}.", i);
    list.norm(name + "input_layernorm", layer.norm1_gain, layer.norm1_bias);
    const std::string part = name + "self_attn.";
    list.linear(part + "q_proj", s.queries, s.width, layer.query_weight, layer.query_bias);
    list.linear(part + "k_proj", s.keys, s.width, layer.query_weight, layer.query_bias, s.queries);
    list.linear(part + "v_proj", s.keys, s.width, layer.query_weight, layer.query_bias,
                s.queries + s.keys);
    list.linear(part + "o_proj", s.width, s.queries, layer.out_weight, layer.out_bias);
    list.norm(name + "post_attention_layernorm", layer.norm2_gain, layer.norm2_bias);
    list.linear(name + "mlp.gate_proj", s.hidden, s.width, layer.up_weight, layer.up_bias);
    list.linear(name + "mlp.up_proj", s.hidden, s.width, layer.up_weight, layer.up_bias, s.hidden);
    list.linear(name + "mlp.down_proj", s.width, s.hidden, layer.down_weight, layer.down_bias);
  }
  list.norm("norm", list.layout.final_gain, list.layout.final_bias);
}

void add_gpt2(PieceList& list) {
  const Sizes s(list.config);
  constexpr PieceOrder kFlipped = PieceOrder::kTransposed;
  list.add("wte.weight", {list.config.vocabulary, s.width}, list.layout.token);
  list.add("wpe.weight", {list.config.position_rows, s.width}, list.layout.position);
  for (std::size_t i = 0; i < list.config.layers; ++i) {
    const LayerLayout& layer = list.layout.layers[i];
    const std::string name = fmt::format("h.{}.", i);
    list.norm(name + "ln_1", layer.norm1_gain, layer.norm1_bias);
    list.linear(name + "attn.c_attn", 3 * s.width, s.width, layer.query_weight, layer.query_bias, 0,
                kFlipped);
    list.linear(name + "attn.c_proj", s.width, s.width, layer.out_weight, layer.out_bias, 0,
                kFlipped);
    list.norm(name + "ln_2", layer.norm2_gain, layer.norm2_bias);
    list.linear(name + "mlp.c_fc", s.hidden, s.width, layer.up_weight, layer.up_bias, 0, kFlipped);
    list.linear(name + "mlp.c_proj", s.width, s.hidden, layer.down_weight, layer.down_bias, 0,
                kFlipped);
  }
  list.norm("ln_f", list.layout.final_gain, list.layout.final_bias);
}

void add_neox(PieceList& list) {
  const Sizes s(list.config);
  list.add("embed_in.weight", {list.config.vocabulary, s.width}, list.layout.token);
  for (std::size_t i = 0; i < list.config.layers; ++i) {
    const LayerLayout& layer = list.layout.layers[i];
    const std::string name = fmt::format("layers.{}.", i);
    list.norm(name + "input_layernorm", layer.norm1_gain, layer.norm1_bias);
    list.linear(name + "attention.query_key_value", 3 * s.width, s.width, layer.query_weight,
                layer.query_bias, 0, PieceOrder::kByHead);
    list.linear(name + "attention.dense", s.width, s.width, layer.out_weight, layer.out_bias);
    list.norm(name + "post_attention_layernorm", layer.norm2_gain, layer.norm2_bias);
    list.linear(name + "mlp.dense_h_to_4h", s.hidden, s.width, layer.up_weight, layer.up_bias);
    list.linear(name + "mlp.dense_4h_to_h", s.width, s.hidden, layer.down_weight, layer.down_bias);
  }
  list.norm("final_layer_norm", list.layout.final_gain, list.layout.final_bias);
}

void add_embeddings_of_bert(PieceList& list) {
  const std::size_t width = list.config.width;
  list.add("embeddings.word_embeddings.weight", {list.config.vocabulary, width}, list.layout.token);
  list.add("embeddings.position_embeddings.weight", {list.config.position_rows, width},
           list.layout.position);
  list.add("embeddings.token_type_embeddings.weight", {list.config.segments, width},
           list.layout.segment);
  list.norm("embeddings.LayerNorm", list.layout.embedding_gain, list.layout.embedding_bias);
  list.add("encoder.relative_attention_bias.weight",
           {list.config.relative_buckets, list.config.heads}, list.layout.relative);
}

// BERT and RoBERTa share all names; MPNet has others for attention.
void add_bert(PieceList& list) {
  const Sizes s(list.config);
  const bool mpnet = list.config.architecture == Architecture::kMpnet;
  add_embeddings_of_bert(list);
  for (std::size_t i = 0; i < list.config.layers; ++i) {
    const LayerLayout& layer = list.layout.layers[i];
    const std::string name = fmt::format("encoder.layer.{}.", i);
    const std::string part = name + (mpnet ? "attention.attn." : "attention.self.");
    const char* const parts[] = {mpnet ? "q" : "query", mpnet ? "k" : "key", mpnet ? "v" : "value"};
    for (std::size_t j = 0; j < 3; ++j) {
      list.linear(part + parts[j], s.width, s.width, layer.query_weight, layer.query_bias,
                  j * s.width);
    }
    list.linear(mpnet ? part + "o" : name + "attention.output.dense", s.width, s.width,
                layer.out_weight, layer.out_bias);
    list.norm(name + (mpnet ? "attention.LayerNorm" : "attention.output.LayerNorm"),
              layer.norm1_gain, layer.norm1_bias);
    list.linear(name + "intermediate.dense", s.hidden, s.width, layer.up_weight, layer.up_bias);
    list.linear(name + "output.dense", s.width, s.hidden, layer.down_weight, layer.down_bias);
    list.norm(name + "output.LayerNorm", layer.norm2_gain, layer.norm2_bias);
  }
}

}  // namespace

PieceTable piece_table(const TransformerConfig& config, const Layout& layout) {
  PieceTable table;
  PieceList list(config, layout), heads(config, layout);
  table.head = "lm_head.weight";
  switch (config.architecture) {
    case Architecture::kLlama:
      table.prefix = "model.";
      add_llama(list);
      break;
    case Architecture::kGpt2:
      table.prefix = "transformer.";
      add_gpt2(list);
      break;
    case Architecture::kGptNeoX:
      table.prefix = "gpt_neox.";
      add_neox(list);
      table.head = "embed_out.weight";
      break;
    default:
      table.prefix = fmt::format("{}.", architecture_name(config.architecture));
      add_bert(list);
  }
  if (!config.tied) heads.add(table.head, {config.vocabulary, config.width}, layout.head);
  heads.add("score.weight", {1, config.width}, layout.scalar);
  heads.add("score.bias", {1}, layout.scalar_bias);
  table.pieces = std::move(list.pieces);
  table.without_prefix = std::move(heads.pieces);
  return table;
}

}  // namespace plumb::nn
