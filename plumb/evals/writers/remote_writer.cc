#include "plumb/evals/writers/remote_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/evals/writers/echo_reply.h"
#include "plumb/raters/remote/chat.h"
#include "plumb/raters/remote/first_error.h"
#include "plumb/raters/remote/reply_log.h"

namespace plumb::evals {
namespace {

using raters::FirstError;
using raters::HttpClient;
using raters::ReplyLog;

class RemoteWriter : public Writer {
 public:
  RemoteWriter(const raters::RemoteSpec& spec, RemoteWriterOptions options,
               std::unique_ptr<HttpClient> client, std::unique_ptr<ReplyLog> log,
               std::unique_ptr<raters::Chat> chat)
      : spec_(spec),
        options_(std::move(options)),
        client_(std::move(client)),
        log_(std::move(log)),
        chat_(std::move(chat)),
        name_(spec.address.text() + "#" + spec.model) {}

  const std::string& name() const override { return name_; }
  Json provenance() const override {
    return {{"server", spec_.address.text()},
            {"model", spec_.model},
            {"endpoint", chat_ ? "chat/completions" : "completions"}};
  }

  Result<std::vector<ContinuationScore>> score(std::span<const ContinuationTexts> requests,
                                               const Progress& progress) override;
  Result<std::vector<Written>> complete(std::span<const std::string> prompts,
                                        const CompleteOptions& options,
                                        const Progress& progress) override;

 private:
  // Runs one(place) for every place, some at once, up to the first error.
  template <typename One>
  Result<void> each(std::size_t count, const Progress& progress, const One& one) const;

  Result<Json> ask(const Json& body, const std::stop_token& stop) const;
  Result<EchoedTokens> echo(const std::string& text, const std::stop_token& stop) const;
  Result<std::map<std::string, std::size_t>> context_tokens(
      std::span<const ContinuationTexts> requests) const;
  Result<Written> write(const std::string& prompt, const CompleteOptions& options,
                        const std::stop_token& stop) const;
  Result<Written> write_chat(const std::string& prompt, const CompleteOptions& options,
                             const std::stop_token& stop) const;
  tl::unexpected<Error> no_log_probabilities(std::string_view why) const;
  std::string where() const { return spec_.address.text() + "/completions"; }

  raters::RemoteSpec spec_;
  RemoteWriterOptions options_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<ReplyLog> log_;
  std::unique_ptr<raters::Chat> chat_;
  std::string name_;
};

template <typename One>
Result<void> RemoteWriter::each(std::size_t count, const Progress& progress, const One& one) const {
  FirstError first;
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(count, 1, options_.concurrency, [&](std::size_t begin, std::size_t end) {
    for (std::size_t place = begin; place < end && !first.reported(); ++place) {
      if (auto asked = one(place, first.token()); !asked) return first.report(asked.error());
      if (!progress) continue;
      const std::scoped_lock lock(mutex);
      progress(++done, count);
    }
  });
  return first.result();
}

Result<Json> RemoteWriter::ask(const Json& body, const std::stop_token& stop) const {
  const std::string key = sha256(to_text({{"endpoint", "completions"}, {"request", body}}));
  if (auto kept = log_->find(key)) return std::move(*kept);
  PLUMB_TRY(answered, client_->post("/completions", body, 0, stop));
  if (!answered.accepted()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: status {}, \"{}\"", where(), answered.status, answered.problem));
  }
  return log_->add(key, answered.body, {{"request", body}});
}

tl::unexpected<Error> RemoteWriter::no_log_probabilities(std::string_view why) const {
  return fail(ErrorKind::kNotAllowed,
              fmt::format("{}: the server gives no log-probabilities of a prompt ({}), which this "
                          "suite needs; a server that repeats the prompt with them (echo and "
                          "logprobs, as vLLM does) can run it, and `plumb eval list` names suites "
                          "that need completions alone",
                          where(), why));
}

Result<EchoedTokens> RemoteWriter::echo(const std::string& text,
                                        const std::stop_token& stop) const {
  const Json body = {{"model", spec_.model}, {"prompt", text}, {"max_tokens", 1},
                     {"temperature", 0},     {"logprobs", 1},  {"echo", true}};
  auto answered = ask(body, stop);
  if (!answered) {
    const bool refused = answered.error().kind == ErrorKind::kBadInput;
    return refused ? no_log_probabilities(answered.error().message)
                   : tl::unexpected(answered.error());
  }
  auto echoed = read_echo(*answered, text);
  if (!echoed) return no_log_probabilities(echoed.error());
  return std::move(*echoed);
}

Result<std::map<std::string, std::size_t>> RemoteWriter::context_tokens(
    std::span<const ContinuationTexts> requests) const {
  std::map<std::string, std::size_t> counts;
  for (const ContinuationTexts& request : requests) {
    counts.emplace(move_blanks(request.context, request.continuation).context, 0);
  }
  std::vector<std::pair<const std::string, std::size_t>*> places;
  for (auto& entry : counts) places.push_back(&entry);
  const auto asked = each(places.size(), {}, [&](std::size_t i, const auto& stop) -> Result<void> {
    if (places[i]->first.empty()) return {};
    auto echoed = echo(places[i]->first, stop);
    if (!echoed) return tl::unexpected(echoed.error());
    places[i]->second = echoed->log_probabilities.size();
    return {};
  });
  if (!asked) return tl::unexpected(asked.error());
  return counts;
}

Result<std::vector<ContinuationScore>> RemoteWriter::score(
    std::span<const ContinuationTexts> requests, const Progress& progress) {
  PLUMB_TRY(counts, context_tokens(requests));
  std::vector<ContinuationScore> scores(requests.size());
  const auto asked =
      each(requests.size(), progress, [&](std::size_t i, const auto& stop) -> Result<void> {
        const auto texts = move_blanks(requests[i].context, requests[i].continuation);
        auto echoed = echo(texts.context + texts.continuation, stop);
        if (!echoed) return tl::unexpected(echoed.error());
        auto score = score_echo(*echoed, counts.find(texts.context)->second);
        if (!score) return no_log_probabilities(score.error());
        scores[i] = *score;
        return {};
      });
  if (!asked) return tl::unexpected(asked.error());
  return scores;
}

Result<Written> RemoteWriter::write(const std::string& prompt, const CompleteOptions& options,
                                    const std::stop_token& stop) const {
  Json body = {{"model", spec_.model},
               {"prompt", prompt},
               {"max_tokens", options.max_tokens},
               {"temperature", options.temperature}};
  if (!options.stops.empty()) body["stop"] = options.stops;
  if (options_.send_seed) body["seed"] = options.seed;
  PLUMB_TRY(answered, ask(body, stop));
  const Json* choice = first_choice(answered);
  if (choice == nullptr || !choice->contains("text") || !(*choice)["text"].is_string()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: the answer is no completion but {}", where(),
                                                  raters::one_line(to_text(answered), 80)));
  }
  bool stopped = false;
  std::string text = before_stops((*choice)["text"].get<std::string>(), options.stops, stopped);
  const bool cut = choice->value("finish_reason", Json()) == Json("length");
  return Written{std::move(text), stopped || !cut};
}

Result<Written> RemoteWriter::write_chat(const std::string& prompt, const CompleteOptions& options,
                                         const std::stop_token& stop) const {
  const raters::ChatQuestion question{
      .place = "evaluation",
      .messages = Json::array({{{"role", "user"}, {"content", prompt}}}),
      .seed = options.seed,
      .max_tokens = static_cast<int>(options.max_tokens)};
  PLUMB_TRY(reply, chat_->ask(question, stop));
  if (!reply) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a prompt is too long for the server", spec_.address.text()));
  }
  bool stopped = false;
  std::string text = before_stops(reply->content, options.stops, stopped);
  return Written{std::move(text), stopped || !reply->cut_short};
}

Result<std::vector<Written>> RemoteWriter::complete(std::span<const std::string> prompts,
                                                    const CompleteOptions& options,
                                                    const Progress& progress) {
  std::vector<Written> written(prompts.size());
  const auto asked =
      each(prompts.size(), progress, [&](std::size_t i, const auto& stop) -> Result<void> {
        auto one = chat_ ? write_chat(prompts[i], options, stop) : write(prompts[i], options, stop);
        if (!one) return tl::unexpected(one.error());
        written[i] = std::move(*one);
        return {};
      });
  if (!asked) return tl::unexpected(asked.error());
  return written;
}

}  // namespace

Result<std::unique_ptr<Writer>> make_remote_writer(const raters::RemoteSpec& spec,
                                                   RemoteWriterOptions options) {
  if (options.log.empty()) return fail(ErrorKind::kUsage, "no log for the server's replies");
  std::unique_ptr<raters::Chat> chat;
  if (options.chat) {
    PLUMB_TRY(made, raters::Chat::make(spec, {.http = options.http,
                                              .log = options.log,
                                              .send_seed = options.send_seed}));
    chat = std::move(made);
  }
  PLUMB_TRY(client, HttpClient::make(spec.address, options.http));
  PLUMB_TRY(log, ReplyLog::open(options.log));
  options.http.api_key.clear();  // the client alone has it
  return std::make_unique<RemoteWriter>(spec, std::move(options), std::move(client), std::move(log),
                                        std::move(chat));
}

}  // namespace plumb::evals
