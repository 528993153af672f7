#include "plumb/raters/remote/remote_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/raters/embedders/vector_cache.h"
#include "plumb/raters/remote/embeddings_reply.h"
#include "plumb/raters/remote/first_error.h"

namespace plumb::raters {
namespace {

using Row = std::vector<float>;

std::string with_instruction(std::string prompt, std::string_view instruction) {
  constexpr std::string_view kPlace = "{instruction}";
  const std::size_t at = prompt.find(kPlace);
  if (at != std::string::npos) prompt.replace(at, kPlace.size(), instruction);
  return prompt;
}

// The different texts of a call, and the rows that they have so far.
struct Batchwork {
  std::string prompt;
  std::vector<std::string_view> texts;  // each once
  std::vector<std::size_t> first;       // [texts] where it stands among those that were given
  std::vector<std::size_t> place;       // [given] which of `texts` it is
  std::vector<Row> rows;                // [texts]; empty: not there yet
  std::vector<std::size_t> missing;     // those to ask for
};

Batchwork batchwork_of(std::span<const std::string_view> given, std::string prompt) {
  Batchwork work;
  work.prompt = std::move(prompt);
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto [found, is_new] = places.emplace(given[i], work.texts.size());
    work.place.push_back(found->second);
    if (!is_new) continue;
    work.texts.push_back(given[i]);
    work.first.push_back(i);
  }
  work.rows.resize(work.texts.size());
  return work;
}

Error about_text(const Batchwork& work, std::size_t text, const std::string& words) {
  return {ErrorKind::kBadInput, fmt::format("text {} (\"{}\"): {}", work.first[text] + 1,
                                            one_line(work.texts[text], 60), words)};
}

Vectors dense_of(const Batchwork& work) {
  if (work.place.empty()) return {};
  const std::size_t dimension = work.rows[0].size();
  std::vector<float> values;
  values.reserve(work.place.size() * dimension);
  for (const std::size_t text : work.place) {
    values.insert(values.end(), work.rows[text].begin(), work.rows[text].end());
  }
  return Vectors::dense(dimension, std::move(values));
}

class RemoteEmbedder : public Embedder {
 public:
  RemoteEmbedder(RemoteSpec spec, RemoteEmbedderOptions options, std::unique_ptr<HttpClient> client,
                 std::unique_ptr<VectorCache> cache)
      : spec_(std::move(spec)),
        options_(std::move(options)),
        client_(std::move(client)),
        cache_(std::move(cache)),
        batch_limit_(options_.batch_texts),
        dimension_(static_cast<std::size_t>(options_.dimensions.value_or(0))) {
    Json identity = {{"model", spec_.model}};
    if (options_.dimensions) identity["dimensions"] = *options_.dimensions;
    identity_ = to_text(identity);
  }

  const std::string& name() const override { return spec_.model; }
  Json provenance() const override;
  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override;

 private:
  std::string prompt_of(const EmbedOptions& options);
  Result<void> take_cached(Batchwork& work);
  Result<void> fetch(Batchwork& work, const Progress& progress);
  // The next texts for one request, from `next` on; none at the end.
  std::span<const std::size_t> next_batch(const Batchwork& work, std::size_t& next) const;
  Result<void> fetch_batch(Batchwork& work, std::span<const std::size_t> batch,
                           const std::stop_token& stop);
  Result<void> keep(Batchwork& work, std::span<const std::size_t> batch, std::vector<Row> rows);
  Result<void> check_dimension(const Batchwork& work, std::size_t text, std::size_t found);
  Json request_of(const Batchwork& work, std::span<const std::size_t> batch) const;

  RemoteSpec spec_;
  RemoteEmbedderOptions options_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<VectorCache> cache_;  // null: none
  std::string identity_;                // of the model, in the cache
  std::atomic<std::size_t>
      batch_limit_;           // texts in a request, as the server has been found to take
  mutable std::mutex mutex_;  // of what follows
  std::size_t dimension_;     // 0: not known yet
  std::map<std::string, std::string> prompts_used_;  // by role
};

Json RemoteEmbedder::provenance() const {
  const std::lock_guard lock(mutex_);
  Json json = {{"protocol", "embeddings"},
               {"model", spec_.model},
               {"address", spec_.address.text()},
               {"prompts", prompts_used_},
               {"truncation", "the server's"}};
  if (dimension_ > 0) json["dimension"] = dimension_;
  return json;
}

std::string RemoteEmbedder::prompt_of(const EmbedOptions& options) {
  const std::string& written = options.role == TextRole::kQuery      ? options_.query_prompt
                               : options.role == TextRole::kDocument ? options_.document_prompt
                                                                     : options_.text_prompt;
  std::string prompt = with_instruction(written, options.instruction);
  const std::lock_guard lock(mutex_);
  prompts_used_[std::string(role_name(options.role))] = prompt;
  return prompt;
}

Result<void> RemoteEmbedder::check_dimension(const Batchwork& work, std::size_t text,
                                             std::size_t found) {
  const std::lock_guard lock(mutex_);
  if (dimension_ == 0) dimension_ = found;
  if (found == dimension_) return {};
  return tl::unexpected(about_text(
      work, text,
      fmt::format("its embedding has {} numbers, not {} as {}; if the model has changed, "
                  "use another cache",
                  found, dimension_,
                  options_.dimensions ? "was asked for" : "those of other texts")));
}

Result<void> RemoteEmbedder::take_cached(Batchwork& work) {
  for (std::size_t text = 0; text < work.texts.size(); ++text) {
    auto kept =
        cache_ ? cache_->find(cache_key(identity_, work.prompt, work.texts[text])) : std::nullopt;
    if (!kept) {
      work.missing.push_back(text);
      continue;
    }
    if (auto checked = check_dimension(work, text, kept->size()); !checked) return checked;
    work.rows[text] = std::move(*kept);
  }
  return {};
}

std::span<const std::size_t> RemoteEmbedder::next_batch(const Batchwork& work,
                                                        std::size_t& next) const {
  const std::size_t begin = next, most = batch_limit_;
  std::size_t bytes = 0;
  while (next < work.missing.size() && next - begin < most) {
    bytes += work.prompt.size() + work.texts[work.missing[next]].size();
    if (next > begin && bytes > options_.batch_bytes) break;
    ++next;
  }
  return std::span(work.missing).subspan(begin, next - begin);
}

Json RemoteEmbedder::request_of(const Batchwork& work, std::span<const std::size_t> batch) const {
  Json input = Json::array();
  for (const std::size_t text : batch) input.push_back(work.prompt + std::string(work.texts[text]));
  Json body = {{"model", spec_.model},
               {"input", std::move(input)},
               {"encoding_format", options_.base64 ? "base64" : "float"}};
  if (options_.dimensions) body["dimensions"] = *options_.dimensions;
  return body;
}

Result<void> RemoteEmbedder::keep(Batchwork& work, std::span<const std::size_t> batch,
                                  std::vector<Row> rows) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (auto checked = check_dimension(work, batch[i], rows[i].size()); !checked) return checked;
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (cache_) {
      const auto key = cache_key(identity_, work.prompt, work.texts[batch[i]]);
      if (auto kept = cache_->insert(key, rows[i]); !kept) return kept;
    }
    work.rows[batch[i]] = std::move(rows[i]);
  }
  return cache_ ? cache_->flush() : Result<void>{};
}

// A batch that the server does not take is halved until the text is found that it objects to.
Result<void> RemoteEmbedder::fetch_batch(Batchwork& work, std::span<const std::size_t> batch,
                                         const std::stop_token& stop) {
  PLUMB_TRY(reply, client_->post("/embeddings", request_of(work, batch), batch[0], stop));
  if (!reply.accepted() && batch.size() == 1) {
    return tl::unexpected(
        about_text(work, batch[0],
                   fmt::format("{}/embeddings does not take it: status {}, \"{}\"",
                               spec_.address.text(), reply.status, reply.problem)));
  }
  if (!reply.accepted()) {
    const std::size_t half = batch.size() / 2;
    batch_limit_ = std::min<std::size_t>(batch_limit_, half);
    if (auto done = fetch_batch(work, batch.first(half), stop); !done) return done;
    return fetch_batch(work, batch.subspan(half), stop);
  }
  auto rows = read_embeddings(reply.body, batch.size());
  if (!rows) return tl::unexpected(about_text(work, batch[rows.error().text], rows.error().words));
  return keep(work, batch, std::move(*rows));
}

Result<void> RemoteEmbedder::fetch(Batchwork& work, const Progress& progress) {
  std::mutex queue;
  std::size_t next = 0;
  std::atomic<std::size_t> done = work.texts.size() - work.missing.size();
  if (progress) progress(done, work.texts.size());
  FirstError first;
  const auto workers = static_cast<std::size_t>(options_.concurrency);
  parallel_for(workers, 1, options_.concurrency, [&](std::size_t, std::size_t) {
    while (!first.reported()) {
      std::span<const std::size_t> batch;
      {
        const std::lock_guard lock(queue);
        batch = next_batch(work, next);
      }
      if (batch.empty()) return;
      const auto fetched = fetch_batch(work, batch, first.token());
      if (!fetched) return first.report(fetched.error());
      const std::size_t so_far = done += batch.size();
      if (progress) progress(so_far, work.texts.size());
    }
  });
  return first.result();
}

Result<Vectors> RemoteEmbedder::embed(std::span<const std::string_view> texts,
                                      const EmbedOptions& options) {
  Batchwork work = batchwork_of(texts, prompt_of(options));
  if (auto taken = take_cached(work); !taken) return tl::unexpected(taken.error());
  if (auto fetched = fetch(work, options.progress); !fetched) {
    return tl::unexpected(fetched.error());
  }
  return dense_of(work);
}

}  // namespace

Result<std::unique_ptr<Embedder>> make_remote_embedder(const RemoteSpec& spec,
                                                       RemoteEmbedderOptions options) {
  if (options.concurrency < 1 || options.batch_texts < 1) {
    return fail(ErrorKind::kUsage, "1 request of 1 text at least must be under way");
  }
  if (options.dimensions && *options.dimensions < 1) {
    return fail(ErrorKind::kUsage, "an embedding has 1 dimension at least");
  }
  PLUMB_TRY(client, HttpClient::make(spec.address, options.http));
  options.http.api_key.clear();  // the client alone has it
  std::unique_ptr<VectorCache> cache;
  if (!options.cache.empty()) {
    PLUMB_TRY(opened, VectorCache::open(options.cache));
    cache = std::move(opened);
  }
  return std::make_unique<RemoteEmbedder>(spec, std::move(options), std::move(client),
                                          std::move(cache));
}

Result<std::unique_ptr<Embedder>> open_remote_embedder(std::string_view name,
                                                       RemoteEmbedderOptions options) {
  PLUMB_TRY(spec, parse_remote_spec(name));
  return make_remote_embedder(spec, std::move(options));
}

}  // namespace plumb::raters
