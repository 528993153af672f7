// Encoders of all-MiniLM-L6-v2's shape, random weights: products in three precisions, sorted ragged
// batches beside padding, and what a run over many texts needs.
//
//   encoder_bench precision PRECISION TEXTS LENGTH THREADS   beside f32 and a large f32 product
//   encoder_bench loss PRECISION [MODEL TEXTS]               cosine to f32's vectors
//   encoder_bench padding TOKENIZER TEXTS BATCH THREADS      a file of texts, one a line
//   encoder_bench make FOLDER TEXTS                          FOLDER/model and FOLDER/task.jsonl
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/inference.h"
#include "plumb/nn/matmul.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/trainer.h"
#include "plumb/text/tokenizer.h"

namespace {

namespace fs = std::filesystem;
using plumb::nn::InferenceWeights;
using plumb::nn::Pass;
using plumb::nn::Precision;
using plumb::nn::Transformer;
using plumb::nn::TransformerConfig;

constexpr std::size_t kBatchTokens = 512;  // as the encoder takes them

[[noreturn]] void stop(const std::string& words) {
  fmt::print(stderr, "{}\n", words);
  std::exit(1);
}

template <typename T>
T required(plumb::Result<T> result) {
  if (!result) stop(result.error().message);
  return std::move(*result);
}

TransformerConfig minilm() {
  TransformerConfig c;
  c.architecture = plumb::nn::Architecture::kBert;
  c.vocabulary = 30522;
  c.width = 384;
  c.layers = 6;
  c.heads = c.key_heads = 12;
  c.head_width = 32;
  c.hidden = 1536;
  c.context = c.position_rows = 512;
  c.norm = plumb::nn::Norm::kLayer;
  c.norm_first = c.gated = c.causal = c.language_head = c.tied = false;
  c.embedding_norm = c.query_bias = c.linear_bias = true;
  c.positions = plumb::nn::Positions::kLearned;
  c.rotary_width = 0;
  c.segments = 2;
  c.activation = plumb::nn::Activation::kGeluErf;
  return c;
}

Transformer random_minilm() {
  Transformer model(minilm());
  plumb::nn::initialise(model, 1);
  return model;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// GFLOP/s of f32 products 2048 x 2048 x 2048, one in each thread.
double ceiling(int threads) {
  constexpr std::size_t kSize = 2048;
  const auto count = static_cast<std::size_t>(threads);
  const std::vector<float> a(kSize * kSize, 0.5F), b(kSize * kSize, 0.25F);
  std::vector<std::vector<float>> c(count, std::vector<float>(kSize * kSize));
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    best = std::min(best, seconds_of([&] {
                      plumb::parallel_for(count, 1, threads, [&](std::size_t first, std::size_t) {
                        plumb::nn::product_nn(kSize, kSize, kSize, a.data(), b.data(),
                                              c[first].data());
                      });
                    }));
  }
  return 2e-9 * static_cast<double>(kSize * kSize * kSize * count) / best;
}

// Multiplications and additions of the layers, a token.
double flops(const TransformerConfig& c, std::size_t length) {
  const auto d = [](std::size_t x) { return static_cast<double>(x); };
  const double weights = d(c.width) * d(c.query_rows() + c.width + 2 * c.hidden);
  return d(c.layers) * (2 * weights + 4 * d(c.width) * d(length));
}

// Texts as tokens.
using Texts = std::vector<std::vector<std::int32_t>>;

Texts random_texts(std::size_t count, std::size_t length) {
  Texts texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    plumb::Stream stream(1, "bench", i);
    for (std::size_t t = 0; t < length; ++t) {
      texts[i].push_back(static_cast<std::int32_t>(stream.below(30522)));
    }
  }
  return texts;
}

// Forwards over the texts in their order, cut into batches; `see` gets each text's hidden states.
struct Run {
  const InferenceWeights& weights;
  const Texts& texts;
  std::vector<plumb::nn::SequenceRange> batches;
  int threads = 1;

  void all(const std::function<void(std::size_t, std::span<const float>)>& see = {}) const {
    std::size_t most = 0;
    for (const auto& batch : batches) most = std::max(most, tokens_of(batch));
    std::atomic<std::size_t> next{0};
    plumb::parallel_for(static_cast<std::size_t>(threads), 1, threads,
                        [&](std::size_t, std::size_t) {
                          Pass pass(weights, most);
                          for (std::size_t b = next++; b < batches.size(); b = next++)
                            one(pass, batches[b], see);
                        });
  }
  std::size_t tokens_of(const plumb::nn::SequenceRange& batch) const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < batch.count; ++i) sum += texts[batch.first + i].size();
    return sum;
  }
  void one(Pass& pass, const plumb::nn::SequenceRange& batch,
           const std::function<void(std::size_t, std::span<const float>)>& see) const {
    std::vector<std::int32_t> tokens;
    std::vector<std::uint32_t> starts = {0};
    for (std::size_t i = 0; i < batch.count; ++i) {
      const auto& text = texts[batch.first + i];
      tokens.insert(tokens.end(), text.begin(), text.end());
      starts.push_back(static_cast<std::uint32_t>(tokens.size()));
    }
    pass.forward({tokens, starts});
    if (!see) return;
    const std::size_t width = weights.model().config().width;
    for (std::size_t i = 0; i < batch.count; ++i) {
      see(batch.first + i,
          pass.hidden().subspan(starts[i] * width, (starts[i + 1] - starts[i]) * width));
    }
  }
};

std::vector<plumb::nn::SequenceRange> cut(const Texts& texts) {
  std::vector<std::size_t> lengths;
  for (const auto& text : texts) lengths.push_back(text.size());
  return plumb::nn::cut_batches(lengths, kBatchTokens);
}

// Both precisions in turn in the same minute; the fastest of each counts.
void precision(const std::string& name, std::size_t count, std::size_t length, int threads) {
  const Transformer model = random_minilm();
  const auto reference = required(InferenceWeights::make(model, Precision::kF32));
  const auto rounded = required(InferenceWeights::make(model, *plumb::nn::parse_precision(name)));
  const Texts texts = random_texts(count, length);
  const auto batches = cut(texts);
  const Run slow{reference, texts, batches, threads}, fast{rounded, texts, batches, threads};
  double f32 = 1e9, own = 1e9;
  for (int i = 0; i < 6; ++i) {
    f32 = std::min(f32, seconds_of([&] { slow.all(); }));
    own = std::min(own, seconds_of([&] { fast.all(); }));
  }
  const double work = 1e-9 * flops(model.config(), length) * static_cast<double>(count * length);
  const double top = ceiling(threads);
  fmt::print(
      "{{\"precision\":\"{}\",\"seconds\":{:.4f},\"f32_seconds\":{:.4f},\"factor\":{:.3f},"
      "\"gflops\":{:.1f},\"ceiling\":{:.1f},\"share\":{:.3f}}}\n",
      name, own, f32, f32 / own, work / own, top, work / own / top);
}

// The mean of the hidden states of each text.
std::vector<std::vector<double>> pooled(const InferenceWeights& weights, const Texts& texts) {
  const std::size_t width = weights.model().config().width;
  std::vector<std::vector<double>> vectors(texts.size(), std::vector<double>(width));
  Run{weights, texts, cut(texts), 1}.all([&](std::size_t i, std::span<const float> hidden) {
    for (std::size_t at = 0; at < hidden.size(); ++at) {
      vectors[i][at % width] += static_cast<double>(hidden[at]);
    }
  });
  return vectors;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

Texts texts_of(const plumb::Tokenizer& tokenizer, const std::string& file, std::size_t context) {
  Texts texts;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    texts.push_back(required(tokenizer.encode(line, {.max_tokens = context})).ids);
  }
  return texts;
}

// How far vectors move: to their own in f32, and how far a pair's cosine moves.
void loss(const std::string& name, const std::string& folder, const std::string& file) {
  const Transformer model =
      folder.empty() ? random_minilm()
                     : required(plumb::nn::load_transformer(folder, plumb::nn::Heads::kNone));
  const Texts texts =
      folder.empty()
          ? random_texts(200, 32)
          : texts_of(
                required(plumb::load_tokenizer(
                    fs::is_directory(folder) ? fs::path(folder) : fs::path(folder).parent_path())),
                file, std::min<std::size_t>(model.config().context, 256));
  const auto f32 = pooled(required(InferenceWeights::make(model, Precision::kF32)), texts);
  const auto own =
      pooled(required(InferenceWeights::make(model, *plumb::nn::parse_precision(name))), texts);
  double sum = 0, least = 1, moved = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const double same = cosine(f32[i], own[i]);
    sum += same;
    least = std::min(least, same);
    if (i > 0) {
      moved = std::max(moved, std::abs(cosine(f32[i], f32[i - 1]) - cosine(own[i], own[i - 1])));
    }
  }
  fmt::print(
      "{{\"precision\":\"{}\",\"texts\":{},\"mean_cosine\":{:.6f},\"least_cosine\":{:.6f},"
      "\"most_moved\":{:.6f}}}\n",
      name, texts.size(), sum / static_cast<double>(texts.size()), least, moved);
}

// Padded to the longest of each batch: the same work as texts of that length.
Texts padded(const Texts& texts, std::size_t batch) {
  Texts all = texts;
  for (std::size_t first = 0; first < all.size(); first += batch) {
    const std::size_t end = std::min(first + batch, all.size());
    std::size_t longest = 0;
    for (std::size_t i = first; i < end; ++i) longest = std::max(longest, all[i].size());
    for (std::size_t i = first; i < end; ++i) all[i].resize(longest, 0);
  }
  return all;
}

std::vector<plumb::nn::SequenceRange> batches_of(std::size_t count, std::size_t batch) {
  std::vector<plumb::nn::SequenceRange> all;
  for (std::size_t first = 0; first < count; first += batch) {
    all.push_back({first, std::min(batch, count - first)});
  }
  return all;
}

std::size_t tokens_in(const Texts& texts) {
  std::size_t sum = 0;
  for (const auto& text : texts) sum += text.size();
  return sum;
}

void padding(const std::string& tokenizer, const std::string& file, std::size_t batch,
             int threads) {
  const Transformer model = random_minilm();
  const auto weights = required(InferenceWeights::make(model, Precision::kF32));
  const Texts texts = texts_of(required(plumb::load_tokenizer(tokenizer)), file, 512);
  Texts sorted = texts;
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& text) { return text.size(); });
  const Texts unsorted_padded = padded(texts, batch), sorted_padded = padded(sorted, batch);
  const Run ragged{weights, sorted, cut(sorted), threads};
  const Run worst{weights, unsorted_padded, batches_of(texts.size(), batch), threads};
  const Run better{weights, sorted_padded, batches_of(texts.size(), batch), threads};
  const double own = seconds_of([&] { ragged.all(); });
  const double unsorted = seconds_of([&] { worst.all(); });
  const double by_length = seconds_of([&] { better.all(); });
  fmt::print(
      "{{\"texts\":{},\"tokens\":{},\"padded_tokens\":{},\"sorted_padded_tokens\":{},"
      "\"seconds\":{:.3f},\"padded_seconds\":{:.3f},\"sorted_padded_seconds\":{:.3f}}}\n",
      texts.size(), tokens_in(texts), tokens_in(unsorted_padded), tokens_in(sorted_padded), own,
      unsorted, by_length);
}

// A model's folder and a task of so many texts of 4 to 12 words, no two alike.
void make(const fs::path& folder, std::size_t texts) {
  constexpr std::size_t kWords = 30517;
  const auto word = [](std::size_t i) {
    std::string made;
    for (std::size_t n = i + 26; n > 0; n /= 26) made += static_cast<char>('a' + n % 26);
    return made;
  };
  if (!fs::exists(folder / "model")) {
    fs::create_directories(folder / "model");
    std::ofstream vocabulary(folder / "model" / "vocab.txt");
    vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (std::size_t i = 0; i < kWords; ++i) vocabulary << word(i) << "\n";
    if (const auto saved = plumb::nn::save_transformer(folder / "model", random_minilm()); !saved) {
      stop(saved.error().message);
    }
  }
  std::ofstream task(folder / "task.jsonl");
  task << R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"made"})"
       << "\n";
  for (std::size_t i = 0; i < texts; i += 2) {
    std::string pair[2];
    for (std::size_t side = 0; side < 2; ++side) {
      plumb::Stream stream(1, "text", i + side);
      for (std::uint32_t left = 3 + stream.below(9); left > 0; --left) {
        pair[side] += word(stream.below(kWords)) + " ";
      }
      pair[side] += fmt::format("{} {}", word((i + side) % kWords), word((i + side) / kWords));
    }
    task << fmt::format(R"({{"id":"{}","text1":"{}","text2":"{}","rating":{}}})", i, pair[0],
                        pair[1], i % 6)
         << "\n";
  }
  fmt::print("{{\"texts\":{},\"vector_bytes\":{}}}\n", texts, texts * 384 * sizeof(float));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string what = words.empty() ? "" : words[0];
  const auto count = [&](std::size_t i) { return std::strtoul(words[i].c_str(), nullptr, 10); };
  if (what == "precision" && words.size() == 5) {
    precision(words[1], count(2), count(3), static_cast<int>(count(4)));
  } else if (what == "loss" && (words.size() == 2 || words.size() == 4)) {
    loss(words[1], words.size() == 4 ? words[2] : "", words.size() == 4 ? words[3] : "");
  } else if (what == "padding" && words.size() == 5) {
    padding(words[1], words[2], count(3), static_cast<int>(count(4)));
  } else if (what == "make" && words.size() == 3) {
    make(words[1], count(2));
  } else {
    return 2;
  }
  return 0;
}
