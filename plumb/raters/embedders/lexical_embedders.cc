#include "plumb/raters/embedders/lexical_embedders.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/raters/embedders/murmur_hash.h"
#include "plumb/raters/embedders/word_counts.h"

namespace plumb::raters {
namespace {

using Entries = std::vector<Vectors::Entry>;

// The rows one after another.
Vectors joined(const std::vector<Entries>& rows, std::size_t dimension) {
  Entries entries;
  std::vector<std::size_t> starts = {0};
  for (const Entries& row : rows) {
    entries.insert(entries.end(), row.begin(), row.end());
    starts.push_back(entries.size());
  }
  return Vectors::sparse(dimension, std::move(entries), std::move(starts));
}

struct Weighted {
  std::uint32_t column;
  double weight;
};

double length_of(std::span<const Weighted> row) {
  double squares = 0;
  for (const Weighted& entry : row) squares += entry.weight * entry.weight;
  return std::sqrt(squares);
}

// Divided by `length`, where that is not 0.
Entries to_entries(std::span<const Weighted> row, double length = 1) {
  Entries entries;
  for (const Weighted& entry : row) {
    const auto value = static_cast<float>(length > 0 ? entry.weight / length : entry.weight);
    if (value != 0) entries.push_back({entry.column, value});
  }
  return entries;
}

// Columns are words; how they are weighed is left to the two below.
class WordEmbedder : public Embedder {
 public:
  WordEmbedder(std::string name, WordRule rule) : name_(std::move(name)), rule_(rule) {}

  const std::string& name() const override { return name_; }

  Result<void> prepare(std::span<const std::string_view> all_texts) override {
    counts_ = count_words(all_texts, rule_, 0);
    learn(all_texts);
    return {};
  }

  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override {
    const auto words = lower_words(texts, rule_, options.threads);
    std::vector<Entries> rows(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      rows[i] = weigh(words[i], options.role);
    }
    return joined(rows, counts_.words.size() + 1);
  }

 protected:
  struct Term {
    const WordCount* word;
    double count;
  };

  virtual void learn(std::span<const std::string_view> all_texts) = 0;
  virtual Entries weigh(const std::vector<std::string>& words, TextRole role) const = 0;

  // Known words with their counts, by column.
  std::vector<Term> terms(const std::vector<std::string>& words) const {
    std::vector<Term> result;
    for (const std::string& word : words) {
      const auto found = counts_.words.find(word);
      if (found != counts_.words.end()) result.push_back({&found->second, 1});
    }
    std::sort(result.begin(), result.end(),
              [](const Term& a, const Term& b) { return a.word->column < b.word->column; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (kept > 0 && result[kept - 1].word == result[i].word) {
        ++result[kept - 1].count;
      } else {
        result[kept++] = result[i];
      }
    }
    result.resize(kept);
    return result;
  }

  Json common_provenance() const {
    return {{"model", name_},
            {"words", word_rule_name(rule_)},
            {"lower_case", true},
            {"prompt", ""},
            {"counted", {{"texts", counts_.texts}, {"words", counts_.words.size()}}}};
  }

  const WordCounts& counts() const { return counts_; }
  WordRule rule() const { return rule_; }

 private:
  std::string name_;
  WordRule rule_;
  WordCounts counts_;
};

class Tfidf : public WordEmbedder {
 public:
  explicit Tfidf(WordRule rule) : WordEmbedder("tfidf", rule) {}

  Json provenance() const override {
    Json result = common_provenance();
    result["formula"] = "count * (ln((1 + n) / (1 + df)) + 1), l2";
    return result;
  }

 private:
  void learn(std::span<const std::string_view> /*all_texts*/) override {}

  Entries weigh(const std::vector<std::string>& words, TextRole /*role*/) const override {
    const double n = static_cast<double>(counts().texts);
    std::vector<Weighted> row;
    for (const Term& term : terms(words)) {
      const double idf = std::log((1 + n) / (1 + static_cast<double>(term.word->texts))) + 1;
      row.push_back({term.word->column, term.count * idf});
    }
    return to_entries(row, length_of(row));
  }
};

class Bm25 : public WordEmbedder {
 public:
  Bm25(const Bm25Options& options, WordRule rule) : WordEmbedder("bm25", rule), options_(options) {}

  Json provenance() const override {
    Json result = common_provenance();
    result["k1"] = options_.k1;
    result["b"] = options_.b;
    result["idf"] = "ln(1 + (n - df + 0.5) / (df + 0.5))";
    result["mean_length"] = mean_length_;
    return result;
  }

 private:
  void learn(std::span<const std::string_view> all_texts) override {
    const double texts = static_cast<double>(std::max<std::uint64_t>(counts().texts, 1));
    mean_length_ = static_cast<double>(counts().occurrences) / texts;
    longest_ = 0;
    WordSplitter splitter(rule());
    for (const std::string_view text : all_texts) {
      std::vector<std::string> words;
      for (const std::string_view word : splitter.split(text)) words.push_back(lower_case(word));
      longest_ = std::max(longest_, length_of(document(words)));
    }
  }

  Entries weigh(const std::vector<std::string>& words, TextRole role) const override {
    if (role == TextRole::kDocument) {
      std::vector<Weighted> row = document(words);
      const double length = length_of(row);
      const double missing = longest_ * longest_ - length * length;
      row.push_back(
          {static_cast<std::uint32_t>(counts().words.size()), std::sqrt(std::max(missing, 0.0))});
      return to_entries(row);
    }
    std::vector<Weighted> row;
    const double norm = length_norm(words.size());
    for (const Term& term : terms(words)) {
      row.push_back(
          {term.word->column, role == TextRole::kQuery
                                  ? term.count * idf(*term.word)
                                  : std::sqrt(idf(*term.word)) * term.count / (term.count + norm)});
    }
    return to_entries(row);
  }

  std::vector<Weighted> document(const std::vector<std::string>& words) const {
    std::vector<Weighted> row;
    const double norm = length_norm(words.size());
    for (const Term& term : terms(words)) {
      row.push_back({term.word->column, term.count / (term.count + norm)});
    }
    return row;
  }

  double idf(const WordCount& word) const {
    const double n = static_cast<double>(counts().texts), df = static_cast<double>(word.texts);
    return std::log1p((n - df + 0.5) / (df + 0.5));
  }

  double length_norm(std::size_t words) const {
    const double share = mean_length_ > 0 ? static_cast<double>(words) / mean_length_ : 0;
    return options_.k1 * (1 - options_.b + options_.b * share);
  }

  Bm25Options options_;
  double mean_length_ = 0;
  double longest_ = 0;  // length of the longest document vector
};

// The n-grams of one word, each once or more.
template <typename Use>
void for_each_ngram(std::string_view word, const Use& use) {
  constexpr std::size_t kShortest = 3, kLongest = 5;
  std::vector<std::size_t> starts;  // of characters
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((static_cast<unsigned char>(word[i]) & 0xc0) != 0x80) starts.push_back(i);
  }
  const std::size_t length = starts.size();
  starts.push_back(word.size());
  for (std::size_t n = kShortest; n <= kLongest; ++n) {
    if (length <= n) {
      use(word);  // a short word counts once
      return;
    }
    for (std::size_t i = 0; i + n <= length; ++i) {
      use(word.substr(starts[i], starts[i + n] - starts[i]));
    }
  }
}

class CharNgrams : public Embedder {
 public:
  explicit CharNgrams(std::size_t dimension) : dimension_(dimension) {
    assert(dimension > 0 && dimension <= std::size_t{1} << 30);
  }

  const std::string& name() const override { return name_; }

  Json provenance() const override {
    return {{"model", name_},          {"ngrams", {3, 5}},
            {"dimension", dimension_}, {"hash", "MurmurHash3 x86 32, seed 0, signed"},
            {"lower_case", true},      {"prompt", ""}};
  }

  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override {
    std::vector<Entries> rows(texts.size());
    constexpr std::size_t kGrain = 64;
    parallel_for(texts.size(), kGrain, options.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) rows[i] = row(texts[i]);
    });
    return joined(rows, dimension_);
  }

 private:
  Entries row(std::string_view text) const {
    const std::string lower = lower_case(text);
    std::vector<Weighted> signs;
    for (const std::string_view word : WordSplitter(WordRule::kBlanks).split(lower)) {
      for_each_ngram(" " + std::string(word) + " ", [&](std::string_view ngram) {
        const auto hash = static_cast<std::int32_t>(murmur_hash3(ngram));
        const auto magnitude = static_cast<std::uint64_t>(std::abs(std::int64_t{hash}));
        signs.push_back({static_cast<std::uint32_t>(magnitude % dimension_), hash < 0 ? -1.0 : 1});
      });
    }
    std::sort(signs.begin(), signs.end(),
              [](const Weighted& a, const Weighted& b) { return a.column < b.column; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < signs.size(); ++i) {
      if (kept > 0 && signs[kept - 1].column == signs[i].column) {
        signs[kept - 1].weight += signs[i].weight;
      } else {
        signs[kept++] = signs[i];
      }
    }
    signs.resize(kept);
    return to_entries(signs, length_of(signs));
  }

  std::string name_ = "char-ngrams";
  std::size_t dimension_;
};

}  // namespace

std::unique_ptr<Embedder> make_tfidf(WordRule rule) { return std::make_unique<Tfidf>(rule); }

std::unique_ptr<Embedder> make_bm25(const Bm25Options& options, WordRule rule) {
  return std::make_unique<Bm25>(options, rule);
}

std::unique_ptr<Embedder> make_char_ngrams(std::size_t dimension) {
  return std::make_unique<CharNgrams>(dimension);
}

}  // namespace plumb::raters
