// A client of JSON services over HTTP that tries again where that may help. Used by the remote
// embedder and the language model annotator, from as many threads as they like.
//
//   PLUMB_TRY(client, HttpClient::make(address, {.api_key = key}));
//   PLUMB_TRY(reply, client->post("/embeddings", body, request_number, {}));
//   if (!reply.accepted()) ... // the server does not take this request; reply.problem says why
//
// Tried again: a connection that is refused or breaks, a timeout, an answer that is no JSON, and
// the statuses 408, 425, 429 and 5xx, after a pause that doubles, with jitter from a Stream, or
// after what Retry-After says, which then holds for every thread. Redirects are not followed. The
// key is sent in the Authorization header and kept nowhere else; where a server repeats it, it is
// blotted out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/raters/remote/http_connection.h"

namespace plumb::raters {

// Time as the pauses between tries see it. Tests put another in.
struct HttpClock {
  std::function<double()> seconds;       // steady
  std::function<double()> unix_seconds;  // of the calendar, for a Retry-After that names a date
  std::function<void(double seconds, const std::stop_token& stop)> sleep;  // less, once stopped
};
HttpClock system_clock();

struct HttpOptions {
  ConnectionOptions connection = {};
  std::string api_key = {};
  int tries = 6;  // of one request, the first included
  double first_pause_seconds = 0.5;
  double longest_pause_seconds = 30;
  double longest_retry_after_seconds = 300;  // a server that asks for more is not waited for
  std::uint64_t seed = 0;                    // of the jitter
  HttpClock clock = system_clock();
};

struct HttpReply {
  int status = 0;
  Json body = {};
  std::string problem = {};  // the server's words where it did not accept the request
  bool too_long = false;     // it did not because of the request's length

  bool accepted() const { return status < 300; }
};

class HttpClient {
 public:
  // kUsage: the key holds characters that no header can carry.
  static Result<std::unique_ptr<HttpClient>> make(HttpAddress address, HttpOptions options);
  ~HttpClient();

  const HttpAddress& address() const { return address_; }

  // POSTs `body` to the address's path with `path` after it. request: a number of its own, for the
  // jitter. A value is an accepted request, or one that the server will never take as it is (status
  // 400, 413 or 422, or any with words about its length). Everything else is an error that names
  // the address: kNotFound (nobody listens, 404), kNotAllowed (401, 403), kBusy (429, 5xx, timeouts
  // after the last try; stopped), kBadInput (what came is no JSON, is too large, or redirects).
  Result<HttpReply> post(std::string_view path, const Json& body, std::uint64_t request,
                         const std::stop_token& stop) const;

 private:
  struct Pool;
  struct Failure;

  HttpClient(HttpAddress address, HttpOptions options);

  HttpExchange exchange(const std::string& path, const std::string& json) const;
  tl::expected<HttpReply, Failure> judge(const HttpExchange& exchange) const;
  std::string without_key(std::string text) const;
  void blot_out_key(Json& value) const;
  void pause(double seconds, const std::stop_token& stop) const;
  std::string server_words(const std::string& body) const;

  HttpAddress address_;
  HttpOptions options_;
  std::unique_ptr<Pool> pool_;
};

// Seconds that a Retry-After header asks for: a number of seconds, or a date of RFC 9110 seen from
// unix_seconds; 0 where it is neither.
double retry_after_seconds(const std::string& header, double unix_seconds);

// A JSON text with no more than so many levels; a discarded value for every other. (What takes a
// document apart is recursive, and a server may send a million brackets.)
Json parse_shallow(std::string_view text, int deepest = 64);

// One line, without control characters, cut after `most` bytes at a whole character.
std::string one_line(std::string_view text, std::size_t most = 200);

}  // namespace plumb::raters
