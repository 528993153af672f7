#include "plumb/raters/embedders/static_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "plumb/base/parallel.h"
#include "plumb/raters/embedders/principal_component.h"
#include "plumb/raters/embedders/word_counts.h"
#include "plumb/raters/embedders/word_vectors.h"
#include "plumb/text/byte_reader.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kGrain = 64;

struct Frequencies {
  std::unordered_map<std::string, double> counts;
  double total = 0;
  std::string sha256;  // of the file, if there is one
};

Result<Frequencies> read_frequencies(const std::string& path) {
  PLUMB_TRY(bytes, ByteReader::open(path));
  Frequencies frequencies;
  for (std::size_t number = 1;; ++number) {
    PLUMB_TRY(line, bytes.until('\n'));
    if (!line) break;
    std::string_view text = line->substr(0, line->find_last_not_of(" \t\r") + 1);
    if (text.empty()) continue;
    const std::size_t at = text.find_last_of(" \t");
    double count = 0;
    const char* end = text.data() + text.size();
    const auto parsed = at == std::string_view::npos
                            ? std::from_chars_result{end, std::errc::invalid_argument}
                            : std::from_chars(text.data() + at + 1, end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end || !(count >= 0) || !std::isfinite(count)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}:{}: the line is not \"WORD COUNT\" with a count of 0 or more",
                              path, number));
    }
    frequencies.counts[std::string(text.substr(0, at))] += count;
    frequencies.total += count;
  }
  if (frequencies.total <= 0) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: holds no counts of words", path));
  }
  PLUMB_TRY(hash, bytes.sha256());
  frequencies.sha256 = hash;
  return frequencies;
}

class StaticEmbedder : public Embedder {
 public:
  StaticEmbedder(std::filesystem::path path, StaticOptions options, Frequencies from_file)
      : path_(std::move(path)), options_(std::move(options)), from_file_(std::move(from_file)) {
    name_ = path_.filename().string();
    if (options_.pooling == WordPooling::kSif) name_ += " (sif)";
  }

  const std::string& name() const override { return name_; }
  Json provenance() const override;
  Result<void> prepare(std::span<const std::string_view> all_texts) override;
  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override;

 private:
  std::optional<std::uint32_t> find(std::string_view word) const;
  void weigh_words(const WordCounts& counts);
  double share(const std::string& word, std::uint32_t place, const WordCounts& counts) const;
  std::vector<float> pooled(std::span<const std::string_view> texts, int threads) const;

  std::filesystem::path path_;
  StaticOptions options_;
  Frequencies from_file_;
  std::string name_;
  WordVectors vectors_;
  std::vector<double> weights_;  // [rows of vectors_]
  std::vector<double> component_;
  std::size_t words_in_texts_ = 0;
  double harmonic_ = 0;  // 1 + 1/2 + ... + 1/words_in_file
};

std::optional<std::uint32_t> StaticEmbedder::find(std::string_view word) const {
  auto found = vectors_.places.find(std::string(word));
  if (found == vectors_.places.end()) found = vectors_.places.find(lower_case(word));
  if (found == vectors_.places.end()) return std::nullopt;
  return found->second;
}

Result<void> StaticEmbedder::prepare(std::span<const std::string_view> all_texts) {
  std::unordered_set<std::string> wanted;
  std::unordered_set<std::string_view> written;
  WordSplitter splitter(options_.words);
  for (const std::string_view text : all_texts) {
    for (const std::string_view word : splitter.split(text)) {
      if (!written.insert(word).second) continue;
      wanted.emplace(word);
      wanted.insert(lower_case(word));
    }
  }
  PLUMB_TRY(vectors, read_word_vectors(path_, wanted, {}));
  vectors_ = std::move(vectors);
  if (vectors_.places.empty() && !written.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: has none of the {} words of the texts, such as \"{}\"; take "
                            "vectors of the texts' language",
                            path_.string(), written.size(), *written.begin()));
  }
  const WordCounts counts = count_words(all_texts, options_.words, 0);
  words_in_texts_ = counts.words.size();
  weigh_words(counts);
  if (!options_.remove_component) return {};
  component_.clear();
  component_ = principal_component(pooled(all_texts, 0), vectors_.dimension);
  return {};
}

void StaticEmbedder::weigh_words(const WordCounts& counts) {
  weights_.assign(vectors_.order.size(), 1);
  if (options_.pooling == WordPooling::kMean) return;
  harmonic_ = 0;
  for (std::uint64_t rank = vectors_.words_in_file; rank > 0; --rank) {
    harmonic_ += 1 / static_cast<double>(rank);
  }
  for (const auto& [word, place] : vectors_.places) {
    weights_[place] = options_.sif_a / (options_.sif_a + share(word, place, counts));
  }
}

// p(word)
double StaticEmbedder::share(const std::string& word, std::uint32_t place,
                             const WordCounts& counts) const {
  if (options_.frequencies == "order") {
    return 1 / (static_cast<double>(vectors_.order[place] + 1) * harmonic_);
  }
  if (options_.frequencies == "texts") {
    const auto found = counts.words.find(lower_case(word));
    if (found == counts.words.end()) return 0;
    return static_cast<double>(found->second.occurrences) / static_cast<double>(counts.occurrences);
  }
  auto found = from_file_.counts.find(word);
  if (found == from_file_.counts.end()) found = from_file_.counts.find(lower_case(word));
  return found == from_file_.counts.end() ? 0 : found->second / from_file_.total;
}

// [texts, dimension]
std::vector<float> StaticEmbedder::pooled(std::span<const std::string_view> texts,
                                          int threads) const {
  const std::size_t dimension = vectors_.dimension;
  std::vector<float> values(texts.size() * dimension);
  parallel_for(texts.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
    WordSplitter splitter(options_.words);
    std::vector<double> sum(dimension);
    for (std::size_t i = begin; i < end; ++i) {
      std::fill(sum.begin(), sum.end(), 0);
      std::size_t known = 0;
      for (const std::string_view word : splitter.split(texts[i])) {
        const auto place = find(word);
        if (!place) continue;
        ++known;
        const auto row = vectors_.row(*place);
        for (std::size_t d = 0; d < dimension; ++d) {
          sum[d] += weights_[*place] * static_cast<double>(row[d]);
        }
      }
      if (known == 0) continue;
      for (double& value : sum) value /= static_cast<double>(known);
      if (!component_.empty()) remove_component(sum, component_);
      for (std::size_t d = 0; d < dimension; ++d) {
        values[i * dimension + d] = static_cast<float>(sum[d]);
      }
    }
  });
  return values;
}

Result<Vectors> StaticEmbedder::embed(std::span<const std::string_view> texts,
                                      const EmbedOptions& options) {
  if (vectors_.dimension == 0) {
    return fail(ErrorKind::kInternal, fmt::format("{}: embed() before prepare()", name_));
  }
  return Vectors::dense(vectors_.dimension, pooled(texts, options.threads));
}

Json StaticEmbedder::provenance() const {
  Json result = {{"model", path_.filename().string()},
                 {"format", vectors_.format},
                 {"sha256", vectors_.sha256},
                 {"dimension", vectors_.dimension},
                 {"words", word_rule_name(options_.words)},
                 {"words_in_file", vectors_.words_in_file},
                 {"words_of_texts", words_in_texts_},
                 {"words_known", vectors_.places.size()},
                 {"prompt", ""},
                 {"pooling", options_.pooling == WordPooling::kMean ? "mean" : "sif"},
                 {"remove_component", options_.remove_component}};
  if (options_.pooling == WordPooling::kSif) {
    result["a"] = options_.sif_a;
    result["frequencies"] = options_.frequencies;
    if (!from_file_.sha256.empty()) result["frequencies_sha256"] = from_file_.sha256;
  }
  return result;
}

}  // namespace

Result<std::unique_ptr<Embedder>> make_static_embedder(const std::filesystem::path& path,
                                                       const StaticOptions& options) {
  if (!(options.sif_a > 0) || !std::isfinite(options.sif_a)) {
    return fail(ErrorKind::kUsage, fmt::format("a of smooth inverse frequency is {}; it must be "
                                               "above 0, 0.001 is usual",
                                               options.sif_a));
  }
  if (auto readable = ByteReader::open(path); !readable) {
    return tl::unexpected(readable.error());
  }
  Frequencies frequencies;
  const bool named = options.frequencies == "texts" || options.frequencies == "order";
  if (options.pooling == WordPooling::kSif && !named) {
    PLUMB_TRY(read, read_frequencies(options.frequencies));
    frequencies = std::move(read);
  }
  return std::make_unique<StaticEmbedder>(path, options, std::move(frequencies));
}

}  // namespace plumb::raters
