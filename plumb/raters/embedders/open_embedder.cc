#include "plumb/raters/embedders/open_embedder.h"

#include <fmt/format.h>

#include <cmath>

#include "plumb/base/files.h"
#include "plumb/base/nearest.h"
#include "plumb/raters/embedders/model2vec_embedder.h"
#include "plumb/raters/embedders/stored_embedder.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;
using Opened = Result<std::unique_ptr<Embedder>>;

Opened open_tfidf(const fs::path& /*path*/, const OpenOptions& options) {
  return make_tfidf(options.words);
}

Opened open_bm25(const fs::path& /*path*/, const OpenOptions& options) {
  const Bm25Options& bm25 = options.bm25;
  if (!(bm25.k1 >= 0) || !std::isfinite(bm25.k1) || !(bm25.b >= 0 && bm25.b <= 1)) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("bm25: k1 = {} and b = {}; k1 is 0 or more, b from 0 to 1", bm25.k1, bm25.b));
  }
  return make_bm25(bm25, options.words);
}

Opened open_char_ngrams(const fs::path& /*path*/, const OpenOptions& options) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  if (options.ngram_dimension == 0 || options.ngram_dimension > kMost) {
    return fail(ErrorKind::kUsage, fmt::format("char-ngrams: a dimension of {}; from 1 to {}",
                                               options.ngram_dimension, kMost));
  }
  return make_char_ngrams(options.ngram_dimension);
}

Opened open_word_vectors(const fs::path& path, const OpenOptions& options) {
  StaticOptions statics = options.statics;
  statics.words = options.words;
  return make_static_embedder(path, statics);
}

Opened open_stored(const fs::path& path, const OpenOptions& options) {
  return make_stored_embedder(path, options.names, options.task);
}

// A folder whose config.json names the kind of a transformer is an encoder.
Opened open_folder(const fs::path& path, const OpenOptions& options) {
  std::error_code code;
  if (fs::exists(path / "config.json", code)) {
    PLUMB_TRY(text, read_file(path / "config.json"));
    const Json config = Json::parse(text, nullptr, false);
    const auto kind = config.is_object() ? config.find("model_type") : config.end();
    const bool is_static = kind == config.end() || *kind == "model2vec";
    if (!is_static) return Encoder::open(path, options.encoder);
  }
  return make_model2vec(path);
}

// The ending of a folder.
constexpr std::string_view kFolder = "/";

// With `ending` the row is a file whose name ends so, .gz left out; without, a word.
struct Row {
  std::string_view word, ending, meaning;
  Opened (*open)(const fs::path&, const OpenOptions&);
};

constexpr Row kRows[] = {
    {"bm25", "", "BM25 over words", open_bm25},
    {"tfidf", "", "TF-IDF over words", open_tfidf},
    {"char-ngrams", "", "hashed strings of 3 to 5 characters", open_char_ngrams},
    {"FILE.txt", ".txt", "word vectors of GloVe or word2vec, text", open_word_vectors},
    {"FILE.vec", ".vec", "word vectors of fastText, text", open_word_vectors},
    {"FILE.bin", ".bin", "word vectors of word2vec, binary", open_word_vectors},
    {"FILE.npy", ".npy", "stored vectors", open_stored},
    {"FILE.safetensors", ".safetensors", "stored vectors", open_stored},
    {"FOLDER", kFolder, "an encoder of Hugging Face, or model2vec's static vectors", open_folder},
};

std::string words_and_files() {
  std::vector<std::string_view> all;
  for (const EmbedderKind& kind : embedder_kinds()) all.push_back(kind.word);
  return fmt::format("{}", fmt::join(all, ", "));
}

Result<std::unique_ptr<Embedder>> unknown(std::string_view model) {
  std::vector<std::string> words;
  for (const Row& row : kRows) {
    if (row.ending.empty()) words.emplace_back(row.word);
  }
  const auto near = nearest(model, words);
  return fail(ErrorKind::kNotFound,
              fmt::format("no embedder and no file \"{}\"{}; there are {}", model,
                          near ? fmt::format("; did you mean {}?", *near) : "", words_and_files()));
}

}  // namespace

std::vector<EmbedderKind> embedder_kinds() {
  std::vector<EmbedderKind> kinds;
  for (const Row& row : kRows) kinds.push_back({row.word, row.meaning});
  kinds.push_back({"http://HOST:PORT/v1#NAME", "a server of embeddings"});
  return kinds;
}

Result<std::unique_ptr<Embedder>> open_embedder(std::string_view model,
                                                const OpenOptions& options) {
  for (const Row& row : kRows) {
    if (row.ending.empty() && row.word == model) return row.open({}, options);
  }
  if (is_remote(model)) return open_remote_embedder(model, options.remote);
  const fs::path path(model);
  std::error_code code;
  if (model.empty() || !fs::exists(path, code)) {
    const bool missing = !code || code == std::errc::no_such_file_or_directory;
    return missing ? unknown(model) : tl::unexpected(file_error("read", path, code.value()));
  }
  std::string_view name = model;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (fs::is_directory(path, code)) name = kFolder;
  for (const Row& row : kRows) {
    if (!row.ending.empty() && name.ends_with(row.ending)) return row.open(path, options);
  }
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: its name does not say what it is; there are {}", path.string(),
                          words_and_files()));
}

}  // namespace plumb::raters
