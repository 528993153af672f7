// Questions to a model behind /v1/chat/completions, with every reply kept in a log (reply_log.h):
// what was asked before is not asked again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/raters/remote/http_client.h"
#include "plumb/raters/remote/remote_spec.h"
#include "plumb/raters/remote/reply_log.h"

namespace plumb::raters {

struct ChatOptions {
  HttpOptions http = {};
  std::filesystem::path log = {};
  double temperature = 0;
  bool send_seed = true;
};

struct ChatQuestion {
  Json place = {};     // whose question this is, for the log and its key
  Json messages = {};  // [{"role": "user", "content": ".."}, ..]
  std::uint64_t seed = 0;
  int max_tokens = 0;  // of the reply; 0: not sent
  Json notes = {};     // stands in the log beside the reply
};

struct ChatReply {
  std::string content = {};
  bool refused = false;    // by the fields of the protocol
  bool cut_short = false;  // the limit of tokens came first
};

class Chat {
 public:
  static Result<std::unique_ptr<Chat>> make(const RemoteSpec& spec, ChatOptions options);

  // Nothing: the server finds the question too long. Errors: HttpClient::post(), ReplyLog;
  // kBadInput where what came is no chat completion, or the server does not take such a request.
  Result<std::optional<ChatReply>> ask(const ChatQuestion& question, const std::stop_token& stop);

  std::size_t damaged_records() const { return log_->damaged(); }

 private:
  Chat(const RemoteSpec& spec, ChatOptions options, std::unique_ptr<HttpClient> client,
       std::unique_ptr<ReplyLog> log);

  RemoteSpec spec_;
  ChatOptions options_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<ReplyLog> log_;
};

}  // namespace plumb::raters
