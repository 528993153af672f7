#include "plumb/nn/llama2c.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace plumb::nn {
namespace {

constexpr std::array<const char*, 7> kFields = {"dim",        "hidden_dim", "n_layers",   "n_heads",
                                                "n_kv_heads", "vocab_size", "max_seq_len"};
using Header = std::array<std::int32_t, kFields.size()>;
constexpr std::uint32_t kLaterVersions = 0x616b3432;  // "ak42"

tl::unexpected<Error> wrong(const std::string& file, const std::string& why) {
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: {}; is it a whole llama2.c checkpoint?", file, why));
}

Result<Header> read_header(std::span<const std::byte> bytes, const std::string& file) {
  Header header{};
  if (bytes.size() < sizeof(header)) {
    return wrong(file, fmt::format("{} bytes are too few for a header of 28", bytes.size()));
  }
  std::memcpy(header.data(), bytes.data(), sizeof(header));
  if (static_cast<std::uint32_t>(header[0]) == kLaterVersions) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a llama2.c checkpoint of version {}; export it with `export.py "
                            "--version 0`",
                            file, header[1]));
  }
  constexpr std::int32_t kLimit = 1 << 24;
  for (std::size_t i = 0; i < header.size(); ++i) {
    // A negative vocabulary says that the classifier has weights of its own.
    const bool sound = i == 5 ? header[i] != 0 && header[i] > -kLimit && header[i] < kLimit
                              : header[i] > 0 && header[i] < kLimit;
    if (!sound) return wrong(file, fmt::format("{} is {}", kFields[i], header[i]));
  }
  return header;
}

TransformerConfig config_of(const Header& header) {
  const auto size = [&](std::size_t i) {
    return static_cast<std::size_t>(header[i] < 0 ? -header[i] : header[i]);
  };
  TransformerConfig config;
  config.width = size(0);
  config.hidden = size(1);
  config.layers = size(2);
  config.heads = size(3);
  config.key_heads = size(4);
  config.vocabulary = size(5);
  config.context = size(6);
  config.head_width = config.rotary_width = config.width / config.heads;
  config.tied = header[5] > 0;
  config.begin_token = 1;
  config.end_token = 2;
  return config;
}

// The floats of the file, one tensor after another.
class Floats {
 public:
  explicit Floats(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void copy(std::size_t count, float* to) {
    std::memcpy(to, bytes_.data() + at_, count * sizeof(float));
    at_ += count * sizeof(float);
  }
  void skip(std::size_t count) { at_ += count * sizeof(float); }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = sizeof(Header);
};

// llama2.c turns neighbouring rows of a head as a pair; here row i and row i + half are one.
void copy_rotated(Floats& floats, std::size_t heads, std::size_t head_width, std::size_t columns,
                  float* to) {
  const std::size_t half = head_width / 2;
  for (std::size_t head = 0; head < heads; ++head, to += head_width * columns) {
    for (std::size_t row = 0; row < head_width; ++row) {
      floats.copy(columns, to + (row / 2 + (row % 2) * half) * columns);
    }
  }
}

void fill(Transformer& model, Floats floats) {
  const TransformerConfig& c = model.config();
  const Layout& layout = model.layout();
  const std::size_t queries = c.heads * c.head_width, keys = c.key_heads * c.head_width;
  floats.copy(c.vocabulary * c.width, model.at(layout.token));
  const auto each_layer = [&](const auto& body) {
    for (const LayerLayout& layer : layout.layers) body(layer);
  };
  each_layer([&](const LayerLayout& l) { floats.copy(c.width, model.at(l.norm1_gain)); });
  each_layer([&](const LayerLayout& l) {
    copy_rotated(floats, c.heads, c.head_width, c.width, model.at(l.query_weight));
  });
  each_layer([&](const LayerLayout& l) {
    copy_rotated(floats, c.key_heads, c.head_width, c.width,
                 model.at(l.query_weight) + queries * c.width);
  });
  each_layer([&](const LayerLayout& l) {
    floats.copy(keys * c.width, model.at(l.query_weight) + (queries + keys) * c.width);
  });
  each_layer([&](const LayerLayout& l) { floats.copy(c.width * queries, model.at(l.out_weight)); });
  each_layer([&](const LayerLayout& l) { floats.copy(c.width, model.at(l.norm2_gain)); });
  each_layer([&](const LayerLayout& l) { floats.copy(c.hidden * c.width, model.at(l.up_weight)); });
  each_layer(
      [&](const LayerLayout& l) { floats.copy(c.width * c.hidden, model.at(l.down_weight)); });
  each_layer([&](const LayerLayout& l) {
    floats.copy(c.hidden * c.width, model.at(l.up_weight) + c.hidden * c.width);
  });
  floats.copy(c.width, model.at(layout.final_gain));
  floats.skip(c.context * c.head_width);  // the angles' cosines and sines, which we compute
  if (!c.tied) floats.copy(c.vocabulary * c.width, model.at(layout.head));
}

// Floats behind the header. Doubles, so that no size overflows.
double expected_floats(const TransformerConfig& c) {
  const auto d = [](std::size_t x) { return static_cast<double>(x); };
  const double layer = 2 * d(c.width) + d(c.width) * d(c.query_rows()) + d(c.width) * d(c.width) +
                       3 * d(c.hidden) * d(c.width);
  return (c.tied ? 1 : 2) * d(c.vocabulary) * d(c.width) + d(c.layers) * layer + d(c.width) +
         d(c.context) * d(c.head_width);
}

}  // namespace

Result<Transformer> parse_llama2c(std::span<const std::byte> bytes, const std::string& file) {
  PLUMB_TRY(header, read_header(bytes, file));
  const TransformerConfig config = config_of(header);
  if (config.width % config.heads != 0) {
    return wrong(file, fmt::format("n_heads {} does not divide dim {}", header[3], header[0]));
  }
  if (auto sound = check_config(config, file); !sound) return tl::unexpected(sound.error());
  const double expected = 28 + 4 * expected_floats(config);
  if (static_cast<double>(bytes.size()) != expected) {
    return wrong(
        file, fmt::format("{} bytes, where its sizes ({} layers of {}, vocabulary {}) make "
                          "{:.0f}",
                          bytes.size(), config.layers, config.width, config.vocabulary, expected));
  }
  Transformer model(config);
  fill(model, Floats(bytes));
  return model;
}

}  // namespace plumb::nn
