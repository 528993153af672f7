// The seam that every embedding model implements: texts in, vectors out. A probe (probe.h) turns
// the vectors into answers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters {

// What a text is to the task. Some models put another prompt before a query than before a document.
enum class TextRole { kText, kQuery, kDocument };

// "text", "query", "document"
constexpr std::string_view role_name(TextRole role) {
  return role == TextRole::kQuery ? "query" : role == TextRole::kDocument ? "document" : "text";
}

struct EmbedOptions {
  TextRole role = TextRole::kText;
  std::string instruction = {};  // of the task; "" for none
  int threads = 0;
  Progress progress = {};
};

class Embedder {
 public:
  Embedder() = default;
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;
  virtual ~Embedder() = default;

  virtual const std::string& name() const = 0;

  // What must be known to compute the vectors again: files with their hashes, the exact prompts.
  virtual Json provenance() const = 0;

  // Called once, before embed(), with every text of the task, training texts included. What counts
  // words (TF-IDF, BM25, smooth inverse frequency) counts them here; most models have no use for
  // it.
  virtual Result<void> prepare(std::span<const std::string_view> /*all_texts*/) { return {}; }

  // What a user should know about the vectors so far, a sentence each: texts that were cut.
  virtual std::vector<std::string> notes() const { return {}; }

  // A row a text, in their order. A text without a known word gets a row of zeros.
  virtual Result<Vectors> embed(std::span<const std::string_view> texts,
                                const EmbedOptions& options) = 0;
};

}  // namespace plumb::raters
