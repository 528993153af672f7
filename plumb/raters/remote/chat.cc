#include "plumb/raters/remote/chat.h"

#include <fmt/format.h>

#include <utility>

#include "plumb/base/hash.h"

namespace plumb::raters {
namespace {

// The parts of a chat completion that matter; kBadInput where it is none.
Result<Json> reply_parts(const Json& body) {
  const auto none = [&] {
    return fail(ErrorKind::kBadInput, fmt::format("the answer is no chat completion but {}",
                                                  one_line(to_text(body), 80)));
  };
  if (!body.is_object() || !body.contains("choices")) return none();
  const Json& choices = body["choices"];
  if (!choices.is_array() || choices.empty() || !choices[0].is_object()) return none();
  const Json& choice = choices[0];
  if (!choice.contains("message") || !choice["message"].is_object()) return none();
  Json parts = Json::object();
  for (const char* field : {"content", "refusal"}) {
    const auto found = choice["message"].find(field);
    if (found == choice["message"].end() || found->is_null()) continue;
    if (!found->is_string()) return none();
    parts[field] = *found;
  }
  if (choice.contains("finish_reason")) parts["finish_reason"] = choice["finish_reason"];
  return parts;
}

std::string word(const Json& parts, const char* field) {
  const auto found = parts.find(field);
  return found != parts.end() && found->is_string() ? found->get<std::string>() : "";
}

ChatReply reply_of(const Json& parts) {
  const std::string finish = word(parts, "finish_reason");
  return {word(parts, "content"), !word(parts, "refusal").empty() || finish == "content_filter",
          finish == "length"};
}

}  // namespace

Chat::Chat(const RemoteSpec& spec, ChatOptions options, std::unique_ptr<HttpClient> client,
           std::unique_ptr<ReplyLog> log)
    : spec_(spec), options_(std::move(options)), client_(std::move(client)), log_(std::move(log)) {}

Result<std::unique_ptr<Chat>> Chat::make(const RemoteSpec& spec, ChatOptions options) {
  PLUMB_TRY(client, HttpClient::make(spec.address, options.http));
  PLUMB_TRY(log, ReplyLog::open(options.log));
  options.http.api_key.clear();  // the client alone has it
  return std::unique_ptr<Chat>(
      new Chat(spec, std::move(options), std::move(client), std::move(log)));
}

Result<std::optional<ChatReply>> Chat::ask(const ChatQuestion& question,
                                           const std::stop_token& stop) {
  Json body = {{"model", spec_.model}, {"messages", question.messages}};
  body["temperature"] = options_.temperature;
  if (options_.send_seed) body["seed"] = question.seed;
  if (question.max_tokens > 0) body["max_tokens"] = question.max_tokens;
  const std::string key = sha256(to_text({{"place", question.place}, {"request", body}}));
  if (const auto kept = log_->find(key)) return reply_of(*kept);

  PLUMB_TRY(answered, client_->post("/chat/completions", body, question.seed, stop));
  if (answered.too_long) return std::nullopt;
  const std::string where = client_->address().text() + "/chat/completions";
  if (!answered.accepted()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: status {}, \"{}\"", where, answered.status, answered.problem));
  }
  auto parts = reply_parts(answered.body);
  if (!parts) return fail(parts.error().kind, fmt::format("{}: {}", where, parts.error().message));
  const Json context = {{"place", question.place},
                        {"notes", question.notes},
                        {"request", std::move(body)},
                        {"response", std::move(answered.body)}};
  PLUMB_TRY(stands, log_->add(key, *parts, context));
  return reply_of(stands);
}

}  // namespace plumb::raters
