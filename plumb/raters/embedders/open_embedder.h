// Embedders by the word or path that a user gives. docs/embedders.md is the manual.
//
//   PLUMB_TRY(embedder, open_embedder("tfidf", {}));
//   PLUMB_TRY(static_vectors, open_embedder("glove.6B.100d.txt", {.statics = {...}}));
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/raters/embedders/embedder.h"
#include "plumb/raters/embedders/encoder.h"
#include "plumb/raters/embedders/lexical_embedders.h"
#include "plumb/raters/embedders/static_embedder.h"
#include "plumb/raters/remote/remote_embedder.h"
#include "plumb/tasks/task.h"

namespace plumb::raters {

struct OpenOptions {
  WordRule words = WordRule::kUnicode;                // tfidf, bm25, word vectors
  Bm25Options bm25 = {};                              // bm25
  std::size_t ngram_dimension = kCharNgramDimension;  // char-ngrams
  StaticOptions statics = {};                         // word vectors; its `words` is not looked at
  std::filesystem::path names = {};                   // stored vectors: "" looks beside them
  RemoteEmbedderOptions remote = {};                  // servers
  EncoderOptions encoder = {};                        // encoders
  const tasks::Task* task = nullptr;                  // stored vectors: whose ids; not kept
};

// What can be opened: words, and kinds of files by what they are or how their names end.
struct EmbedderKind {
  std::string_view word;     // "tfidf"; or what kind of path, "FILE.npy"
  std::string_view meaning;  // for help
};
std::vector<EmbedderKind> embedder_kinds();

// kNotFound: neither a word nor a path that exists; names the nearest word. kBadInput: a path of
// another kind. kUsage: an option out of its range. Else what the kind's own header says.
Result<std::unique_ptr<Embedder>> open_embedder(std::string_view model, const OpenOptions& options);

}  // namespace plumb::raters
