#include "plumb/nn/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "plumb/base/files.h"
#include "plumb/nn/llama2c.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

namespace fs = std::filesystem;

class Checkpoints : public FolderTest {
 protected:
  // Expects the error to hold these words, and no other kind than bad input unless told.
  void expect_refusal(const fs::path& path, const std::string& words,
                      ErrorKind kind = ErrorKind::kBadInput) const {
    const auto model = load_transformer(path);
    ASSERT_FALSE(model) << words;
    EXPECT_EQ(model.error().kind, kind) << model.error().message;
    EXPECT_NE(model.error().message.find(words), std::string::npos) << model.error().message;
  }
  void write(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(write_file_atomic(folder_ / name, bytes));
  }
  // A sound folder, whose config.json or tensors a test then changes.
  Json save() const {
    EXPECT_TRUE(save_transformer(folder_, tiny_decoder(Architecture::kLlama)));
    return Json::parse(*read_file(folder_ / "config.json"));
  }
  void rewrite(const std::function<void(std::vector<Tensor>&)>& change) const {
    const auto checkpoint = Checkpoint::open(folder_ / "model.safetensors");
    std::vector<Tensor> tensors(checkpoint->tensors().begin(), checkpoint->tensors().end());
    change(tensors);
    ASSERT_TRUE(write_safetensors(folder_ / "model.safetensors", tensors));
  }
};

TEST_F(Checkpoints, OfNothingArePlainlyRefused) {
  expect_refusal(folder_ / "none", "none: cannot read", ErrorKind::kNotFound);
  expect_refusal(folder_, "no config.json there", ErrorKind::kNotFound);
  write("config.json", to_text(config_json(tiny_decoder(Architecture::kLlama).config())));
  expect_refusal(folder_, "no model.safetensors there", ErrorKind::kNotFound);
  write("model.safetensors", "nothing");
  expect_refusal(folder_, "7 bytes are too few for a header");
}

TEST_F(Checkpoints, ThatArePicklesAreRefusedWithTheConversion) {
  write("config.json", to_text(config_json(tiny_decoder(Architecture::kLlama).config())));
  write("pytorch_model.bin", "PK\x03\x04....");
  expect_refusal(folder_, "safe_serialization=True");
  expect_refusal(folder_ / "pytorch_model.bin", "a pickle can run any code");
  write("old.pt", "\x80\x02}q");
  expect_refusal(folder_ / "old.pt", "safe_serialization=True");
}

TEST_F(Checkpoints, NameATensorThatIsMissingOfAnotherShapeUnknownOrNotFinite) {
  save();
  const std::string name = "model.layers.1.self_attn.k_proj.weight";
  const auto of_name = [&](std::vector<Tensor>& tensors) {
    return std::ranges::find(tensors, name, &Tensor::name);
  };
  rewrite([&](auto& tensors) { of_name(tensors)->shape = {16, 8}; });
  expect_refusal(folder_, "\"" + name + "\" has shape [16, 8], the configuration asks for [8, 16]");
  save();
  rewrite([&](auto& tensors) { tensors.erase(of_name(tensors)); });
  expect_refusal(folder_, "tensor \"" + name + "\" is missing");
  save();
  std::vector<float> bad(128, 1.0F), bias(8);
  bad[77] = std::numeric_limits<float>::infinity();
  rewrite([&](auto& tensors) { *of_name(tensors) = tensor_of(name, {8, 16}, bad); });
  expect_refusal(folder_, "\"" + name + "\" of shape [8, 16] holds inf at element 77");
  save();
  rewrite([&](auto& tensors) {
    tensors.push_back(tensor_of("model.layers.1.self_attn.k_proj.bias", {8}, bias));
  });
  expect_refusal(folder_, "k_proj.bias\" belongs to no layer");
  save();
  rewrite([&](auto& tensors) {
    tensors.push_back(tensor_of("model.layers.1.self_attn.rotary_emb.inv_freq", {8}, bias));
  });
  EXPECT_TRUE(load_transformer(folder_));
}

TEST_F(Checkpoints, InHalfPrecisionAreRead) {
  save();
  const auto whole = load_transformer(folder_);
  std::vector<std::vector<std::uint16_t>> halves;
  rewrite([&](auto& tensors) {
    for (Tensor& tensor : tensors) {
      std::vector<float> values(tensor.elements());
      ASSERT_TRUE(tensor.copy_to(values));
      auto& half = halves.emplace_back();
      for (const float value : values) half.push_back(bf16_of_float(value));
      tensor.type = DataType::kBF16;
      tensor.bytes = std::as_bytes(std::span(half));
    }
  });
  const auto read = load_transformer(folder_);
  ASSERT_TRUE(read) << read.error().message;
  for (std::size_t i = 0; i < read->values().size(); ++i) {
    EXPECT_NEAR(read->values()[i], whole->values()[i], std::abs(whole->values()[i]) / 256);
  }
}

TEST_F(Checkpoints, OfSeveralShardsAreRead) {
  save();
  const auto checkpoint = Checkpoint::open(folder_ / "model.safetensors");
  std::vector<Tensor> parts[2];
  Json map = Json::object();
  for (std::size_t i = 0; i < checkpoint->tensors().size(); ++i) {
    parts[i % 2].push_back(checkpoint->tensors()[i]);
    map[checkpoint->tensors()[i].name] = i % 2 == 0 ? "one.safetensors" : "two.safetensors";
  }
  const auto whole = load_transformer(folder_);
  ASSERT_TRUE(write_safetensors(folder_ / "one.safetensors", parts[0]));
  ASSERT_TRUE(write_safetensors(folder_ / "two.safetensors", parts[1]));
  write("model.safetensors.index.json", to_text(Json{{"weight_map", map}}));
  fs::remove(folder_ / "model.safetensors");
  const auto read = load_transformer(folder_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(std::ranges::equal(read->values(), whole->values()));
}

TEST(ConfigJson, RefusesWhatItDoesNotKnowByName) {
  const Json good = config_json(tiny_decoder(Architecture::kLlama).config());
  ASSERT_TRUE(parse_config(to_text(good), "c"));
  struct Change {
    const char* key;
    Json value;
    const char* words;
  };
  const Change changes[] = {
      {"model_type", "mamba", "architecture \"mamba\" is not supported"},
      {"model_type", nullptr, "architecture \"\" is not supported"},
      {"model_type", 3, "\"model_type\" is 3, not a string"},
      {"vocab_size", nullptr, "\"vocab_size\" is missing"},
      {"vocab_size", 0, "the vocabulary is 0"},
      {"vocab_size", 1e3, "\"vocab_size\" is 1000.0, not a whole number"},
      {"vocab_size", 4294967296, "the vocabulary is 4294967296"},
      {"hidden_size", -4, "\"hidden_size\" is -4, not a whole number"},
      {"hidden_size", "16", "\"hidden_size\" is \"16\", not a whole number"},
      {"num_hidden_layers", 0, "the number of layers is 0"},
      {"num_attention_heads", 0, "the number of heads is 0"},
      {"num_key_value_heads", 3, "4 heads cannot share 3 key heads"},
      {"head_dim", 5, "5 rotary dimensions"},
      {"hidden_act", "mish", "\"hidden_act\": \"mish\" is not supported"},
      {"rms_norm_eps", "x", "\"rms_norm_eps\" is \"x\", not a number"},
      {"tie_word_embeddings", 1, "\"tie_word_embeddings\" is 1, not true or false"},
      {"attention_bias", true, "\"attention_bias\": true is not supported"},
      {"rope_scaling", Json{{"rope_type", "yarn"}, {"factor", 2.0}}, "only the default rotary"},
      {"rope_scaling", "linear", "\"rope_scaling\": \"linear\" is not supported"},
  };
  for (const Change& change : changes) {
    Json json = good;
    json[change.key] = change.value;
    const auto config = parse_config(to_text(json), "c");
    ASSERT_FALSE(config) << change.words;
    EXPECT_TRUE(config.error().message.starts_with("c: ")) << config.error().message;
    EXPECT_NE(config.error().message.find(change.words), std::string::npos)
        << config.error().message;
  }
  for (const char* text : {"", "[]", "{", "null", "3"}) {
    EXPECT_FALSE(parse_config(text, "c")) << text;
  }
}

TEST(ConfigJson, NamesXlmRobertaAndReadsItsPositions) {
  const auto config = parse_config(
      R"({"model_type":"xlm-roberta","vocab_size":9,"hidden_size":8,"num_hidden_layers":1,
          "num_attention_heads":2,"intermediate_size":4,"max_position_embeddings":514,
          "type_vocab_size":1,"pad_token_id":1})",
      "c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->context, 512U);
  EXPECT_EQ(config->position_offset, 2U);
  EXPECT_FALSE(config->causal);
}

// The bytes of a llama2.c file: its sizes, and floats as many as asked for.
std::string llama2c(const std::vector<std::int32_t>& sizes, std::size_t floats) {
  std::string bytes(sizes.size() * 4 + floats * 4, '\0');
  std::memcpy(bytes.data(), sizes.data(), sizes.size() * 4);
  return bytes;
}

TEST_F(Checkpoints, OfLlama2cThatAreCutOrWrongAreRefused) {
  const std::vector<std::int32_t> sizes = {8, 12, 1, 2, 1, 10, 6};
  const std::size_t floats = 10 * 8 + 8 + 64 + 2 * 32 + 64 + 8 + 3 * 96 + 8 + 2 * 6 * 2;
  write("good.bin", llama2c(sizes, floats));
  EXPECT_TRUE(load_transformer(folder_ / "good.bin"));
  const auto refuse = [&](const std::string& bytes, const std::string& words) {
    write("bad.bin", bytes);
    expect_refusal(folder_ / "bad.bin", words);
  };
  refuse("", "0 bytes are too few for a header of 28");
  refuse(llama2c({1, 2, 3}, 0), "12 bytes are too few");
  refuse(llama2c(sizes, floats - 1), "where its sizes (1 layers of 8, vocabulary 10) make");
  refuse(llama2c(sizes, floats + 1), "where its sizes (1 layers of 8, vocabulary 10) make");
  refuse(llama2c({0x616b3432, 1, 8, 12, 1, 2, 1, 10, 6}, 50), "export.py --version 0");
  const char* const names[] = {"dim",        "hidden_dim", "n_layers",   "n_heads",
                               "n_kv_heads", "vocab_size", "max_seq_len"};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto wrong = sizes;
    wrong[i] = 0;
    refuse(llama2c(wrong, floats), std::string(names[i]) + " is 0");
    wrong[i] = std::numeric_limits<std::int32_t>::min();
    refuse(llama2c(wrong, floats), std::string(names[i]) + " is -2147483648");
    wrong[i] = std::numeric_limits<std::int32_t>::max();
    refuse(llama2c(wrong, floats), std::string(names[i]) + " is 2147483647");
  }
  refuse(llama2c({8, 12, 1, 3, 1, 10, 6}, floats), "n_heads 3 does not divide dim 8");
  std::string nan = llama2c(sizes, floats);
  std::memset(nan.data() + 28, 0xff, 4);
  refuse(nan, "\"embedding.token\" of shape [10, 8] holds");
}

// PyTorch 1.13 on the same file and tokens (the loss, and norms of gradients).
TEST(Stories260k, HasTheLossAndGradientsThatPyTorchGives) {
  const fs::path path = "../shared/data/models/stories260k/stories260K.bin";
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = load_transformer(path);
  ASSERT_TRUE(model) << model.error().message;
  const Json golden = Json::parse(*read_file("tests/golden/stories260k.json"));
  const std::vector<std::int32_t> ids = golden["ids"];
  const std::vector<std::int32_t> tokens(ids.begin(), ids.end() - 1),
      targets(ids.begin() + 1, ids.end());
  const std::vector<std::uint32_t> starts = {0, static_cast<std::uint32_t>(tokens.size())};
  Transformer gradient(model->config());
  Pass pass(*model, tokens.size(), PassKind::kTraining);
  pass.forward({tokens, starts});
  const auto count = static_cast<double>(tokens.size());
  const double loss =
      pass.add_cross_entropy(targets, static_cast<float>(1 / count), gradient.values()) / count;
  pass.backward(gradient.values());
  EXPECT_NEAR(loss, golden["loss"], 1e-5);

  const auto norm_of = [&](std::size_t offset, std::size_t size) {
    double squares = 0;
    for (const float g : gradient.values().subspan(offset, size))
      squares += static_cast<double>(g) * static_cast<double>(g);
    return std::sqrt(squares);
  };
  const auto expect = [&](const std::string& name, std::size_t offset, std::size_t size) {
    const double expected = golden["grad_norm"][name];
    EXPECT_NEAR(norm_of(offset, size), expected, 1e-4 * expected) << name;
  };
  const Layout& layout = model->layout();
  expect("embed", layout.token, 512 * 64);
  expect("norm", layout.final_gain, 64);
  for (std::size_t i = 0; i < 5; ++i) {
    const LayerLayout& l = layout.layers[i];
    const std::string at = std::to_string(i) + ".";
    expect(at + "norm1", l.norm1_gain, 64);
    expect(at + "q", l.query_weight, 64 * 64);
    expect(at + "k", l.query_weight + 64 * 64, 32 * 64);
    expect(at + "v", l.query_weight + 96 * 64, 32 * 64);
    expect(at + "o", l.out_weight, 64 * 64);
    expect(at + "norm2", l.norm2_gain, 64);
    expect(at + "gate", l.up_weight, 172 * 64);
    expect(at + "up", l.up_weight + 172 * 64, 172 * 64);
    expect(at + "down", l.down_weight, 172 * 64);
  }
}

}  // namespace
}  // namespace plumb::nn
