#include "plumb/cli/feature_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "plumb/cli/ask_options.h"
#include "plumb/cli/options.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

void add_row(rlhf::FeatureRows& rows, const raters::Vectors& vectors, std::size_t row) {
  if (vectors.is_dense()) {
    std::uint32_t column = 0;
    for (const float value : vectors.dense_row(row)) rows.entries.push_back({column++, value});
  } else {
    for (const auto& entry : vectors.sparse_row(row)) {
      rows.entries.push_back({entry.column, entry.value});
    }
  }
  rows.starts.push_back(rows.entries.size());
}

class EmbedderFeatures : public rlhf::TextFeatures {
 public:
  EmbedderFeatures(Json spec, std::unique_ptr<raters::Embedder> embedder)
      : spec_(std::move(spec)), embedder_(std::move(embedder)) {}

  Json spec() const override { return spec_; }

  // Without the place, and without what it only says after it has embedded something.
  Json identity() const override {
    Json identity = embedder_->provenance();
    for (const char* field : {"model", "address", "dimension", "prompts", "truncated_texts"}) {
      identity.erase(field);
    }
    identity["name"] = fs::path(embedder_->name()).filename().string();
    return identity;
  }

  Result<rlhf::FeatureRows> rows(std::span<const std::string_view> texts, int threads) override {
    const raters::EmbedOptions how{.threads = threads, .progress = progress_bar("embedding")};
    PLUMB_TRY(vectors, embedder_->embed(texts, how));
    rlhf::FeatureRows rows;
    rows.dimension = vectors.dimension();
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
      add_row(rows, vectors, row);
      const auto own = rows.row(row);
      if (std::ranges::all_of(own, [](const auto& entry) { return std::isfinite(entry.value); })) {
        continue;
      }
      return fail(ErrorKind::kBadInput, fmt::format("{}: the vector of text {} is not finite",
                                                    embedder_->name(), row + 1));
    }
    EmbedderOptions::tell_notes(*embedder_);
    return rows;
  }

 private:
  Json spec_;
  std::unique_ptr<raters::Embedder> embedder_;
};

Result<std::unique_ptr<rlhf::TextFeatures>> open_features(const Json& spec) {
  const std::string model = spec.value("embedder", ""), ids = spec.value("ids", "");
  if (model == "tfidf" || model == "bm25") {
    return fail(ErrorKind::kUsage,
                fmt::format("{} weighs words by the texts at hand, and a reward must score a text "
                            "alike whatever stands beside it; char-ngrams, a model2vec folder, an "
                            "encoder or stored vectors (--ids) do",
                            model));
  }
  EmbedderOptions options;
  options.ids = ids;
  PLUMB_TRY(embedder, options.open(model, nullptr));
  if (embedder->provenance().contains("words_in_file")) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: word vectors are read for the words of the texts at hand, and a "
                            "reward is asked about texts to come; a model2vec folder holds all of "
                            "its words, and stored vectors (--ids) those of any texts",
                            model));
  }
  return std::make_unique<EmbedderFeatures>(spec, std::move(embedder));
}

// A run may be used from another folder than that in which it was made.
std::string absolute_if_file(const std::string& path) {
  std::error_code ignored;
  return !path.empty() && fs::exists(path, ignored) ? fs::absolute(path).string() : path;
}

}  // namespace

void FeatureOptions::declare(CLI::App& verb) {
  const auto grouped = [](CLI::Option* option) { option->group("Features"); };
  grouped(verb.add_option("--features", embedder,
                          "in place of --model: a line over the vectors of an embedder "
                          "(char-ngrams, an encoder, a model2vec folder, a server, stored vectors)")
              ->type_name("EMBEDDER")
              ->check(not_empty()));
  grouped(verb.add_option("--feature-text", text,
                          "what is embedded: whole (prompt and completion as one text), or the "
                          "completion")
              ->type_name("NAME")
              ->check(one_of("whole, completion"))
              ->capture_default_str());
  grouped(verb.add_option("--l2", l2, "half of it times the squared weights is added to the loss")
              ->type_name("X")
              ->check(number(0, 1e9))
              ->capture_default_str());
  grouped(verb.add_option("--ids", ids, "of stored vectors: their texts")->type_name("FILE"));
}

Result<std::unique_ptr<rlhf::TextFeatures>> FeatureOptions::open() const {
  Json spec = {{"embedder", absolute_if_file(embedder)}};
  if (!ids.empty()) spec["ids"] = absolute_if_file(ids);
  return open_features(spec);
}

rlhf::FeatureOpener feature_opener() { return open_features; }

}  // namespace plumb::cli
