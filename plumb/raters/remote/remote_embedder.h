// An embedding model behind /v1/embeddings: any server that speaks this part of the OpenAI protocol
// (vLLM, TEI, llama.cpp, Ollama, hosted services).
//
//   PLUMB_TRY(spec, parse_remote_spec("http://localhost:8080/v1#bge-m3"));
//   PLUMB_TRY(model, make_remote_embedder(spec, {.cache = folder / "vectors.cache"}));
//   PLUMB_TRY(vectors, model->embed(texts, {.role = TextRole::kQuery}));
//
// Texts go out in batches, several at once; what a server finds too large is halved. Every batch
// that came is kept in a cache (vector_cache.h) under the model's name, the wanted dimension, the
// exact prompt and the text, whatever the server's address: a run that was stopped asks only for
// the rest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/raters/embedders/embedder.h"
#include "plumb/raters/remote/http_client.h"
#include "plumb/raters/remote/remote_spec.h"

namespace plumb::raters {

struct RemoteEmbedderOptions {
  HttpOptions http = {};
  std::filesystem::path cache = {};  // a file; "": nothing is kept
  // Put before every text of its role. "{instruction}" in one stands for the task's instruction.
  std::string text_prompt = {}, query_prompt = {}, document_prompt = {};
  std::optional<int> dimensions = {};  // sent where it is given; rows of another length are errors
  bool base64 = false;                 // asks for base64; both encodings are read in any case
  std::size_t batch_texts = 32;        // in one request, at most
  std::size_t batch_bytes = 200'000;   // of their texts; one text alone may be longer
  int concurrency = 4;                 // requests under way at once, at most
};

// kUsage: an option that makes no sense. Errors of embed(): those of HttpClient::post() and
// VectorCache; kBadInput, with the text: a row that is missing, stands twice, has another length,
// or holds something that is not a finite number; a text that the server does not take.
Result<std::unique_ptr<Embedder>> make_remote_embedder(const RemoteSpec& spec,
                                                       RemoteEmbedderOptions options);

// The same of a model's name that is_remote().
Result<std::unique_ptr<Embedder>> open_remote_embedder(std::string_view name,
                                                       RemoteEmbedderOptions options);

}  // namespace plumb::raters
