#include "plumb/evals/writers/kept_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/hash.h"
#include "plumb/raters/remote/reply_log.h"

namespace plumb::evals {
namespace {

Json reply_of(std::span<const ContinuationScore> scores) {
  Json reply = Json::array();
  for (const ContinuationScore& one : scores) {
    reply.push_back({one.log_likelihood, one.greedy, one.tokens, one.cut});
  }
  return reply;
}

// A text that is no UTF-8 (a character cut in two) is kept as its bytes, which JSON has no text
// for.
Json text_or_bytes(const std::string& text) {
  Json json = text;
  if (Json::parse(to_text(json)) == json) return json;
  json = Json::array();
  for (const char c : text) json.push_back(static_cast<unsigned char>(c));
  return json;
}

Json reply_of(std::span<const Written> written) {
  Json reply = Json::array();
  for (const Written& one : written) reply.push_back({text_or_bytes(one.text), one.ended});
  return reply;
}

bool read_text(const Json& json, std::string& text) {
  if (json.is_string()) text = json.get<std::string>();
  for (const Json& byte : json.is_array() ? json : Json::array()) {
    if (!byte.is_number_unsigned() || byte.get<unsigned>() > 255) return false;
    text += static_cast<char>(byte.get<unsigned char>());
  }
  return json.is_string() || json.is_array();
}

bool read_one(const Json& json, ContinuationScore& score) {
  if (!json.is_array() || json.size() != 4 || !json[0].is_number() || !json[1].is_boolean() ||
      !json[2].is_number_unsigned() || !json[3].is_boolean()) {
    return false;
  }
  score = {json[0].get<double>(), json[1].get<bool>(), json[2].get<std::size_t>(),
           json[3].get<bool>()};
  return true;
}

bool read_one(const Json& json, Written& written) {
  if (!json.is_array() || json.size() != 2 || !json[1].is_boolean()) return false;
  written.ended = json[1].get<bool>();
  return read_text(json[0], written.text);
}

template <typename Answer>
bool read_all(const Json& reply, std::size_t count, std::vector<Answer>& answers) {
  if (!reply.is_array() || reply.size() != count) return false;
  for (const Json& one : reply) {
    if (!read_one(one, answers.emplace_back())) return false;
  }
  return true;
}

// A block's own progress as part of the whole, in requests.
Progress part_of(const Progress& whole, std::size_t before, std::size_t count, std::size_t all) {
  if (!whole) return {};
  return [=](std::size_t done, std::size_t total) {
    whole(before + (total == 0 ? 0 : done * count / total), all);
  };
}

class KeptWriter : public Writer {
 public:
  KeptWriter(std::unique_ptr<Writer> writer, std::unique_ptr<raters::ReplyLog> log,
             const KeptWriterOptions& options)
      : writer_(std::move(writer)),
        provenance_(writer_->provenance()),
        log_(std::move(log)),
        options_(options) {}

  const std::string& name() const override { return writer_->name(); }
  Json provenance() const override { return provenance_; }

  Result<std::vector<ContinuationScore>> score(std::span<const ContinuationTexts> requests,
                                               const Progress& progress) override {
    return in_blocks<ContinuationScore>(
        requests, options_.scores, progress, Json{{"question", "score"}},
        [&](auto block, std::size_t, const Progress& own) { return writer_->score(block, own); });
  }

  Result<std::vector<Written>> complete(std::span<const std::string> prompts,
                                        const CompleteOptions& options,
                                        const Progress& progress) override {
    const Json question = {{"question", "complete"},
                           {"max_tokens", options.max_tokens},
                           {"temperature", options.temperature},
                           {"stops", options.stops},
                           {"seed", options.seed}};
    return in_blocks<Written>(prompts, options_.completions, progress, question,
                              [&](auto block, std::size_t first, const Progress& own) {
                                CompleteOptions placed = options;
                                placed.first_index += first;
                                return writer_->complete(block, placed, own);
                              });
  }

 private:
  static Json json_of(const ContinuationTexts& texts) {
    return {texts.context, texts.continuation};
  }
  static Json json_of(const std::string& prompt) { return prompt; }

  template <typename Answer, typename Request, typename Ask>
  Result<std::vector<Answer>> in_blocks(std::span<const Request> requests, std::size_t size,
                                        const Progress& progress, const Json& question, Ask ask) {
    std::vector<Answer> answers;
    for (std::size_t first = 0; first < requests.size(); first += size) {
      const auto block = requests.subspan(first, std::min(size, requests.size() - first));
      Json key = {{"writer", provenance_}, {"first", first}, {"asked", question}};
      for (const Request& one : block) key["requests"].push_back(json_of(one));
      const Progress own = part_of(progress, first, block.size(), requests.size());
      auto got = kept<Answer>(sha256(to_text(key)), block.size(), question,
                              [&] { return ask(block, first, own); });
      if (!got) return tl::unexpected(got.error());
      std::ranges::move(*got, std::back_inserter(answers));
      if (progress) progress(answers.size(), requests.size());
    }
    return answers;
  }

  template <typename Answer, typename Ask>
  Result<std::vector<Answer>> kept(const std::string& key, std::size_t count, const Json& question,
                                   Ask ask) {
    std::vector<Answer> answers;
    if (const auto reply = log_->find(key); reply && read_all(*reply, count, answers)) {
      return answers;
    }
    PLUMB_TRY(asked, ask());
    const std::span<const Answer> said = asked;
    if (auto added = log_->add(key, reply_of(said), {{"request", question}}); !added) {
      return tl::unexpected(added.error());
    }
    return std::move(asked);
  }

  std::unique_ptr<Writer> writer_;
  Json provenance_;
  std::unique_ptr<raters::ReplyLog> log_;
  KeptWriterOptions options_;
};

}  // namespace

Result<std::unique_ptr<Writer>> make_kept_writer(std::unique_ptr<Writer> writer,
                                                 const std::filesystem::path& log,
                                                 const KeptWriterOptions& options) {
  PLUMB_TRY(opened, raters::ReplyLog::open(log));
  return std::make_unique<KeptWriter>(std::move(writer), std::move(opened), options);
}

}  // namespace plumb::evals
