#include "plumb/nn/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "plumb/base/files.h"

namespace plumb::nn {
namespace {

constexpr std::array<std::string_view, 6> kArchitectures = {"llama", "gpt2",    "gpt_neox",
                                                            "bert",  "roberta", "mpnet"};
constexpr std::size_t kMaxSize = std::size_t{1} << 31;

// Fields of config.json; the first error stays.
class Fields {
 public:
  Fields(const Json& json, const std::string& file) : json_(json), file_(file) {}

  const std::optional<Error>& error() const { return error_; }
  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

  std::size_t size(const char* key, std::optional<std::size_t> fallback = std::nullopt) {
    if (!has(key) && fallback) return *fallback;
    if (!has(key)) return refuse(fmt::format("\"{}\" is missing", key)), 0;
    if (!json_[key].is_number_unsigned()) return refuse_type(key, "a whole number"), 0;
    return json_[key].get<std::size_t>();
  }
  float number(const char* key, float fallback) {
    if (!has(key)) return fallback;
    if (!json_[key].is_number()) return refuse_type(key, "a number"), fallback;
    return json_[key].get<float>();
  }
  bool flag(const char* key, bool fallback) {
    if (!has(key)) return fallback;
    if (!json_[key].is_boolean()) return refuse_type(key, "true or false"), fallback;
    return json_[key].get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) {
    if (!has(key)) return fallback;
    if (!json_[key].is_string()) return refuse_type(key, "a string"), fallback;
    return json_[key].get<std::string>();
  }
  // A token id, the first where there are several.
  std::optional<int> token(const char* key) {
    if (!has(key)) return std::nullopt;
    const Json& value = json_[key].is_array() && !json_[key].empty() ? json_[key][0] : json_[key];
    if (!value.is_number_unsigned()) return std::nullopt;
    const auto id = value.get<std::size_t>();
    if (id >= kMaxSize) return std::nullopt;
    return static_cast<int>(id);
  }
  void refuse(const std::string& why) {
    if (!error_) error_ = Error{ErrorKind::kBadInput, fmt::format("{}: {}", file_, why)};
  }
  // A setting that must be what the engine computes.
  void only(const char* key, bool holds, std::string_view supported) {
    if (holds) return;
    refuse(fmt::format("\"{}\": {} is not supported; only {} is", key, to_text(json_[key]),
                       supported));
  }

 private:
  void refuse_type(const char* key, std::string_view what) {
    refuse(fmt::format("\"{}\" is {}, not {}", key, to_text(json_[key]), what));
  }

  const Json& json_;
  const std::string& file_;
  std::optional<Error> error_;
};

Activation activation_of(Fields& fields, const char* key, const std::string& fallback) {
  const std::string name = fields.text(key, fallback);
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "gelu") return Activation::kGeluErf;
  if (name == "gelu_new" || name == "gelu_fast" || name == "gelu_pytorch_tanh") {
    return Activation::kGeluTanh;
  }
  if (name == "relu") return Activation::kRelu;
  fields.only(key, false, "silu, gelu, gelu_new, gelu_pytorch_tanh or relu");
  return Activation::kSilu;
}

std::string_view activation_name(Activation activation) {
  constexpr std::array<std::string_view, 4> kNames = {"silu", "gelu_new", "gelu", "relu"};
  return kNames[static_cast<std::size_t>(activation)];
}

// The base of the rotary angles, in the old and in the new spelling.
float rotary_base_of(const Json& json, Fields& fields) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!fields.has(key)) continue;
    const Json& rope = json[key];
    if (!rope.is_object()) {
      fields.only(key, false, "an object");
      return 0;
    }
    const Json type = rope.contains("rope_type") ? rope["rope_type"] : rope.value("type", Json());
    fields.only(key, type.is_null() || type == "default", "the default rotary embedding");
    if (rope.contains("rope_theta") && rope["rope_theta"].is_number()) {
      return rope["rope_theta"].get<float>();
    }
  }
  return fields.number("rope_theta", fields.number("rotary_emb_base", 10000.0F));
}

void read_llama(const Json& json, Fields& fields, TransformerConfig& config) {
  config.width = fields.size("hidden_size");
  config.layers = fields.size("num_hidden_layers");
  config.heads = fields.size("num_attention_heads");
  config.key_heads = fields.size("num_key_value_heads", config.heads);
  config.head_width =
      fields.size("head_dim", config.width / std::max<std::size_t>(config.heads, 1));
  config.hidden = fields.size("intermediate_size");
  config.context = fields.size("max_position_embeddings");
  config.norm_epsilon = fields.number("rms_norm_eps", 1e-6F);
  config.rotary_base = rotary_base_of(json, fields);
  config.rotary_width = config.head_width;
  config.activation = activation_of(fields, "hidden_act", "silu");
  config.tied = fields.flag("tie_word_embeddings", false);
  fields.only("attention_bias", !fields.flag("attention_bias", false), "false");
  fields.only("mlp_bias", !fields.flag("mlp_bias", false), "false");
}

void read_gpt2(const Json&, Fields& fields, TransformerConfig& config) {
  config.width = fields.size("n_embd");
  config.layers = fields.size("n_layer");
  config.heads = config.key_heads = fields.size("n_head");
  config.head_width = config.width / std::max<std::size_t>(config.heads, 1);
  config.hidden = fields.size("n_inner", 4 * config.width);
  config.context = fields.size("n_positions", fields.size("n_ctx", 1024));
  config.position_rows = config.context;
  config.norm = Norm::kLayer;
  config.norm_epsilon = fields.number("layer_norm_epsilon", 1e-5F);
  config.positions = Positions::kLearned;
  config.activation = activation_of(fields, "activation_function", "gelu_new");
  config.gated = false;
  config.query_bias = config.linear_bias = true;
  config.tied = fields.flag("tie_word_embeddings", true);
  fields.only("scale_attn_weights", fields.flag("scale_attn_weights", true), "true");
  fields.only("scale_attn_by_inverse_layer_idx",
              !fields.flag("scale_attn_by_inverse_layer_idx", false), "false");
  fields.only("add_cross_attention", !fields.flag("add_cross_attention", false), "false");
}

void read_neox(const Json& json, Fields& fields, TransformerConfig& config) {
  config.width = fields.size("hidden_size");
  config.layers = fields.size("num_hidden_layers");
  config.heads = config.key_heads = fields.size("num_attention_heads");
  config.head_width = config.width / std::max<std::size_t>(config.heads, 1);
  config.hidden = fields.size("intermediate_size");
  config.context = fields.size("max_position_embeddings");
  config.norm = Norm::kLayer;
  config.norm_epsilon = fields.number("layer_norm_eps", 1e-5F);
  config.parallel_residual = fields.flag("use_parallel_residual", true);
  config.rotary_base = rotary_base_of(json, fields);
  const float share = fields.number("rotary_pct", 0.25F);
  config.rotary_width = static_cast<std::size_t>(static_cast<float>(config.head_width) *
                                                 std::clamp(share, 0.0F, 1.0F));
  config.activation = activation_of(fields, "hidden_act", "gelu");
  config.gated = false;
  config.query_bias = config.linear_bias = true;
  config.tied = fields.flag("tie_word_embeddings", false);
  fields.only("attention_bias", fields.flag("attention_bias", true), "true");
}

// BERT, RoBERTa (and XLM-R), MPNet.
void read_bert(Fields& fields, TransformerConfig& config) {
  config.width = fields.size("hidden_size");
  config.layers = fields.size("num_hidden_layers");
  config.heads = config.key_heads = fields.size("num_attention_heads");
  config.head_width = config.width / std::max<std::size_t>(config.heads, 1);
  config.hidden = fields.size("intermediate_size");
  config.position_rows = fields.size("max_position_embeddings");
  config.norm = Norm::kLayer;
  config.norm_epsilon = fields.number("layer_norm_eps", 1e-12F);
  config.norm_first = false;
  config.embedding_norm = true;
  config.positions = Positions::kLearned;
  config.activation = activation_of(fields, "hidden_act", "gelu");
  config.gated = false;
  config.causal = false;
  config.query_bias = config.linear_bias = true;
  config.language_head = config.tied = false;
  if (config.architecture != Architecture::kBert) {
    config.position_offset = fields.size("pad_token_id", 1) + 1;
  }
  if (config.architecture == Architecture::kMpnet) {
    config.relative_buckets = fields.size("relative_attention_num_buckets", 32);
  } else {
    config.segments = fields.size("type_vocab_size", 2);
    const std::string positions = fields.text("position_embedding_type", "absolute");
    fields.only("position_embedding_type", positions == "absolute", "absolute");
  }
  fields.only("is_decoder", !fields.flag("is_decoder", false), "false");
  config.context = config.position_rows - std::min(config.position_rows, config.position_offset);
}

std::optional<Architecture> architecture_of(const std::string& model_type) {
  const std::string& name = model_type == "xlm-roberta" ? "roberta" : model_type;
  const auto* found = std::ranges::find(kArchitectures, name);
  if (found == kArchitectures.end()) return std::nullopt;
  return static_cast<Architecture>(found - kArchitectures.begin());
}

// A class with a scalar head: one label over a decoder ("LlamaForSequenceClassification").
bool has_scalar_head(const Json& json, Fields& fields, const TransformerConfig& config) {
  if (!fields.has("architectures") || !json["architectures"].is_array() ||
      json["architectures"].empty() || !json["architectures"][0].is_string()) {
    return false;
  }
  const auto name = json["architectures"][0].get<std::string>();
  if (name.find("ForSequenceClassification") == std::string::npos || !config.causal) return false;
  const std::size_t labels = fields.has("id2label") && json["id2label"].is_object()
                                 ? json["id2label"].size()
                                 : fields.size("num_labels", 2);
  if (labels != 1) fields.refuse(fmt::format("{} has {} labels, not 1", name, labels));
  return true;
}

Json bert_json(const TransformerConfig& config) {
  Json json = {{"hidden_size", config.width},
               {"num_hidden_layers", config.layers},
               {"num_attention_heads", config.heads},
               {"intermediate_size", config.hidden},
               {"max_position_embeddings", config.position_rows},
               {"layer_norm_eps", config.norm_epsilon},
               {"hidden_act", activation_name(config.activation)}};
  if (config.segments > 0) json["type_vocab_size"] = config.segments;
  if (config.position_offset > 0) json["pad_token_id"] = config.position_offset - 1;
  if (config.relative_buckets > 0) json["relative_attention_num_buckets"] = config.relative_buckets;
  return json;
}

Json decoder_json(const TransformerConfig& config) {
  switch (config.architecture) {
    case Architecture::kLlama:
      return {{"hidden_size", config.width},
              {"num_hidden_layers", config.layers},
              {"num_attention_heads", config.heads},
              {"num_key_value_heads", config.key_heads},
              {"head_dim", config.head_width},
              {"intermediate_size", config.hidden},
              {"max_position_embeddings", config.context},
              {"rms_norm_eps", config.norm_epsilon},
              {"rope_theta", config.rotary_base},
              {"hidden_act", activation_name(config.activation)},
              {"attention_bias", false},
              {"mlp_bias", false}};
    case Architecture::kGpt2:
      return {{"n_embd", config.width},
              {"n_layer", config.layers},
              {"n_head", config.heads},
              {"n_inner", config.hidden},
              {"n_positions", config.context},
              {"layer_norm_epsilon", config.norm_epsilon},
              {"activation_function", activation_name(config.activation)}};
    case Architecture::kGptNeoX:
      return {{"hidden_size", config.width},
              {"num_hidden_layers", config.layers},
              {"num_attention_heads", config.heads},
              {"intermediate_size", config.hidden},
              {"max_position_embeddings", config.context},
              {"layer_norm_eps", config.norm_epsilon},
              {"use_parallel_residual", config.parallel_residual},
              {"rotary_emb_base", config.rotary_base},
              {"rotary_pct",
               static_cast<double>(config.rotary_width) / static_cast<double>(config.head_width)},
              {"hidden_act", activation_name(config.activation)}};
    default:
      return bert_json(config);
  }
}

std::string class_name(const TransformerConfig& config) {
  constexpr std::array<std::string_view, 6> kStems = {"Llama", "GPT2",    "GPTNeoX",
                                                      "Bert",  "Roberta", "MPNet"};
  const std::string stem(kStems[static_cast<std::size_t>(config.architecture)]);
  if (config.scalar_head) return stem + "ForSequenceClassification";
  if (!config.language_head) return stem + "Model";
  return stem + (config.architecture == Architecture::kGpt2 ? "LMHeadModel" : "ForCausalLM");
}

}  // namespace

std::string_view architecture_name(Architecture architecture) {
  return kArchitectures[static_cast<std::size_t>(architecture)];
}

Result<void> check_config(const TransformerConfig& config, const std::string& where) {
  const auto wrong = [&](const std::string& why) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where, why));
  };
  const std::pair<const char*, std::size_t> sizes[] = {
      {"vocabulary", config.vocabulary},         {"width", config.width},
      {"number of layers", config.layers},       {"number of heads", config.heads},
      {"number of key heads", config.key_heads}, {"width of a head", config.head_width},
      {"hidden width", config.hidden},           {"context", config.context}};
  for (const auto& [name, size] : sizes) {
    if (size == 0 || size >= kMaxSize) return wrong(fmt::format("the {} is {}", name, size));
  }
  if (config.heads % config.key_heads != 0) {
    return wrong(fmt::format("{} heads cannot share {} key heads", config.heads, config.key_heads));
  }
  if (config.architecture != Architecture::kLlama &&
      config.heads * config.head_width != config.width) {
    return wrong(fmt::format("{} heads do not divide a width of {}", config.heads, config.width));
  }
  if (config.rotary_width % 2 != 0 || config.rotary_width > config.head_width) {
    return wrong(fmt::format("{} rotary dimensions of a head of {} are not an even part of it",
                             config.rotary_width, config.head_width));
  }
  const double parameters =
      static_cast<double>(config.vocabulary) * static_cast<double>(config.width) +
      static_cast<double>(config.layers) * static_cast<double>(config.width) *
          (static_cast<double>(config.query_rows()) + 3.0 * static_cast<double>(config.hidden));
  if (!(parameters < 1e12)) return wrong(fmt::format("{:.3g} parameters are too many", parameters));
  return {};
}

Result<TransformerConfig> parse_config(std::string_view text, const std::string& file) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: not a JSON object", file));
  }
  Fields fields(json, file);
  const std::string type = fields.text("model_type", "");
  const std::optional<Architecture> architecture = architecture_of(type);
  if (!architecture && !fields.error()) {
    fields.refuse(fmt::format(
        "the architecture \"{}\" is not supported; there are llama, gpt2, gpt_neox, bert, roberta, "
        "xlm-roberta and mpnet",
        type));
  }
  if (fields.error()) return tl::unexpected(*fields.error());

  TransformerConfig config;
  config.architecture = *architecture;
  config.vocabulary = fields.size("vocab_size");
  switch (*architecture) {
    case Architecture::kLlama:
      read_llama(json, fields, config);
      break;
    case Architecture::kGpt2:
      read_gpt2(json, fields, config);
      break;
    case Architecture::kGptNeoX:
      read_neox(json, fields, config);
      break;
    default:
      read_bert(fields, config);
  }
  config.scalar_head = has_scalar_head(json, fields, config);
  if (config.scalar_head) config.language_head = false;
  config.begin_token = fields.token("bos_token_id");
  config.end_token = fields.token("eos_token_id");
  if (fields.error()) return tl::unexpected(*fields.error());
  if (auto sound = check_config(config, file); !sound) return tl::unexpected(sound.error());
  return config;
}

Result<TransformerConfig> read_config(const std::filesystem::path& file) {
  PLUMB_TRY(text, read_file(file));
  return parse_config(text, file.string());
}

Json config_json(const TransformerConfig& config) {
  Json json = {{"architectures", {class_name(config)}},
               {"model_type", architecture_name(config.architecture)},
               {"vocab_size", config.vocabulary},
               {"torch_dtype", "float32"}};
  json.update(decoder_json(config));
  if (config.causal) json["tie_word_embeddings"] = config.tied;
  if (config.scalar_head) json["id2label"] = {{"0", "LABEL_0"}};
  if (config.begin_token) json["bos_token_id"] = *config.begin_token;
  if (config.end_token) json["eos_token_id"] = *config.end_token;
  return json;
}

}  // namespace plumb::nn
