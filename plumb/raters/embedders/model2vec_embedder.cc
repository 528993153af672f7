#include "plumb/raters/embedders/model2vec_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/base/utf8.h"
#include "plumb/nn/safetensors.h"
#include "plumb/text/tokenizer.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTokens = 512, kGrain = 64;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

struct Table {
  std::size_t rows = 0, dimension = 0;
  std::vector<float> values = {};         // [rows, dimension]
  std::vector<float> weights = {};        // [tokens]; empty: all 1
  std::vector<std::size_t> mapping = {};  // [tokens]; empty: token t has row t
};

// The first `count` characters.
std::string_view cut(std::string_view text, std::size_t count) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (count-- == 0) return text.substr(0, i);
  }
  return text;
}

Result<std::vector<float>> floats_of(const nn::Tensor& tensor) {
  std::vector<float> values(tensor.elements());
  if (auto copied = tensor.copy_to(values); !copied) return tl::unexpected(copied.error());
  if (auto finite = tensor.check_finite(); !finite) return tl::unexpected(finite.error());
  return values;
}

Result<std::vector<std::size_t>> mapping_of(const nn::Tensor& tensor, std::size_t rows) {
  std::vector<std::size_t> mapping;
  const auto add = [&](auto zero) {
    std::vector<decltype(zero)> values(tensor.elements());
    std::copy(tensor.bytes.begin(), tensor.bytes.end(),
              std::as_writable_bytes(std::span(values)).begin());
    mapping.assign(values.begin(), values.end());  // below zero becomes too large
  };
  if (tensor.type == nn::DataType::kI64) add(std::int64_t{0});
  if (tensor.type == nn::DataType::kI32) add(std::int32_t{0});
  if (mapping.empty() || tensor.shape.size() != 1) {
    return bad(fmt::format("{}: tensor \"mapping\" is {} {}; it must be a list of I64 or I32",
                           tensor.file, nn::data_type_name(tensor.type),
                           nn::shape_text(tensor.shape)));
  }
  for (std::size_t token = 0; token < mapping.size(); ++token) {
    if (mapping[token] < rows) continue;
    return bad(
        fmt::format("{}: tensor \"mapping\" sends token {} to a row outside the {} of the "
                    "table",
                    tensor.file, token, rows));
  }
  return mapping;
}

Result<Table> read_table(const nn::Checkpoint& checkpoint) {
  const nn::Tensor* embeddings = checkpoint.find("embeddings");
  if (embeddings == nullptr) embeddings = checkpoint.find("embedding.weight");
  const std::string file = checkpoint.path().string();
  if (embeddings == nullptr || embeddings->shape.size() != 2 || embeddings->shape[0] == 0 ||
      embeddings->shape[1] == 0) {
    return bad(
        fmt::format("{}: no table \"embeddings\" of a row a token; this is no folder of "
                    "model2vec",
                    file));
  }
  Table table{.rows = embeddings->shape[0], .dimension = embeddings->shape[1]};
  PLUMB_TRY(values, floats_of(*embeddings));
  table.values = std::move(values);
  if (const nn::Tensor* weights = checkpoint.find("weights")) {
    PLUMB_TRY(read, floats_of(*weights));
    table.weights = std::move(read);
  }
  if (const nn::Tensor* mapping = checkpoint.find("mapping")) {
    PLUMB_TRY(read, mapping_of(*mapping, table.rows));
    table.mapping = std::move(read);
  }
  return table;
}

// Every token that the tokenizer can give must have a row.
Result<void> check_sizes(const Table& table, std::size_t tokens, const std::string& file) {
  const std::pair<const char*, std::size_t> sizes[] = {
      {"weights", table.weights.empty() ? tokens : table.weights.size()},
      {"mapping", table.mapping.empty() ? tokens : table.mapping.size()},
      {"embeddings", table.mapping.empty() ? table.rows : tokens}};
  for (const auto& [name, size] : sizes) {
    if (size >= tokens) continue;
    return bad(fmt::format("{}: tensor \"{}\" has {} rows where the tokenizer has {} tokens", file,
                           name, size, tokens));
  }
  return {};
}

// Of config.json, else of modules.json.
Result<bool> reads_normalize(const fs::path& folder) {
  for (const char* name : {"config.json", "modules.json"}) {
    const fs::path path = folder / name;
    if (!fs::exists(path)) continue;
    PLUMB_TRY(bytes, read_file(path));
    const Json json = Json::parse(bytes, nullptr, false);
    if (json.is_discarded()) return bad(fmt::format("{}: is not JSON", path.string()));
    if (json.is_object() && json.contains("normalize")) {
      if (json["normalize"].is_boolean()) return json["normalize"].get<bool>();
      return bad(fmt::format("{}: \"normalize\" is neither true nor false", path.string()));
    }
    if (!json.is_array()) continue;
    return std::any_of(json.begin(), json.end(), [](const Json& module) {
      const auto type = module.is_object() ? module.find("type") : module.end();
      return module.is_object() && type != module.end() && type->is_string() &&
             type->get<std::string>().ends_with("Normalize");
    });
  }
  return false;
}

std::size_t median_token_length(const Tokenizer& tokenizer) {
  std::vector<std::size_t> lengths;
  for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::string_view token = tokenizer.token(static_cast<TokenId>(id));
    if (!token.empty()) lengths.push_back(count_characters(token));
  }
  std::sort(lengths.begin(), lengths.end());
  if (lengths.empty()) return 1;
  const std::size_t n = lengths.size();
  return std::max<std::size_t>((lengths[(n - 1) / 2] + lengths[n / 2]) / 2, 1);
}

class Model2vec : public Embedder {
 public:
  Model2vec(std::string name, Table table, Tokenizer tokenizer, bool normalize, Json files)
      : name_(std::move(name)),
        table_(std::move(table)),
        tokenizer_(std::move(tokenizer)),
        normalize_(normalize),
        most_characters_(kMostTokens * median_token_length(tokenizer_)),
        files_(std::move(files)) {}

  const std::string& name() const override { return name_; }

  Json provenance() const override {
    return {{"model", name_},          {"format", "model2vec"},         {"files", files_},
            {"rows", table_.rows},     {"dimension", table_.dimension}, {"pooling", "mean"},
            {"normalize", normalize_}, {"max_tokens", kMostTokens},     {"prompt", ""}};
  }

  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override {
    std::vector<float> values(texts.size() * table_.dimension);
    std::vector<std::optional<Error>> errors(texts.size());
    parallel_for(texts.size(), kGrain, options.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto row = std::span(values).subspan(i * table_.dimension, table_.dimension);
        if (auto done = embed_text(texts[i], row); !done) errors[i] = done.error();
      }
    });
    for (const auto& error : errors) {
      if (error) return tl::unexpected(*error);
    }
    return Vectors::dense(table_.dimension, std::move(values));
  }

 private:
  Result<void> embed_text(std::string_view text, std::span<float> row) const {
    PLUMB_TRY(encoding, tokenizer_.encode(cut(text, most_characters_),
                                          {.add_special = false, .max_tokens = kNoLimit}));
    std::vector<double> sum(table_.dimension);
    std::size_t count = 0;
    for (const TokenId id : encoding.ids) {
      if (id == tokenizer_.special().unk) continue;
      add(static_cast<std::size_t>(id), sum);
      if (++count == kMostTokens) break;
    }
    if (count == 0) return {};
    double squares = 0;
    for (double& value : sum) {
      value /= static_cast<double>(count);
      squares += value * value;
    }
    const double length = normalize_ && squares > 0 ? std::sqrt(squares) : 1;
    for (std::size_t d = 0; d < row.size(); ++d) row[d] = static_cast<float>(sum[d] / length);
    return {};
  }

  void add(std::size_t token, std::span<double> sum) const {
    const std::size_t place = table_.mapping.empty() ? token : table_.mapping[token];
    const double weight = table_.weights.empty() ? 1 : static_cast<double>(table_.weights[token]);
    const float* row = table_.values.data() + place * table_.dimension;
    for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += weight * static_cast<double>(row[d]);
  }

  std::string name_;
  Table table_;
  Tokenizer tokenizer_;
  bool normalize_;
  std::size_t most_characters_;
  Json files_;
};

}  // namespace

Result<std::unique_ptr<Embedder>> make_model2vec(const fs::path& folder) {
  const fs::path weights = folder / "model.safetensors";
  PLUMB_TRY(checkpoint, nn::Checkpoint::open(weights));
  PLUMB_TRY(table, read_table(checkpoint));
  PLUMB_TRY(tokenizer, load_tokenizer(folder));
  if (auto fits = check_sizes(table, tokenizer.vocabulary_size(), weights.string()); !fits) {
    return tl::unexpected(fits.error());
  }
  PLUMB_TRY(normalize, reads_normalize(folder));
  Json files = Json::object();
  for (const char* name : {"model.safetensors", "tokenizer.json", "config.json", "modules.json"}) {
    if (!fs::exists(folder / name)) continue;
    PLUMB_TRY(bytes, read_file(folder / name));
    files[name] = sha256(bytes);
  }
  std::string name = folder.filename().string();
  if (name.empty()) name = folder.parent_path().filename().string();
  return std::make_unique<Model2vec>(std::move(name), std::move(table), std::move(tokenizer),
                                     normalize, std::move(files));
}

}  // namespace plumb::raters
