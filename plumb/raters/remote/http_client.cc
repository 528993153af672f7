#include "plumb/raters/remote/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kShortestKey = 6;  // what is shorter keeps no secret

double seconds_since_epoch(auto now) {
  return std::chrono::duration<double>(now.time_since_epoch()).count();
}

void sleep_until_stopped(double seconds, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, std::chrono::duration<double>(seconds), [] { return false; });
}

// Statuses whose request may be taken another time.
bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 ||
         (status >= 500 && status != 501 && status != 505);
}

// What servers say of a request that is too long for them; some say it with a 500.
bool speaks_of_length(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
  });
  for (const std::string_view words : {"too long", "too large", "context length", "context size",
                                       "context window", "batch size", "maximum input"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

bool never_taken(int status, const std::string& problem) {
  return status == 400 || status == 413 || status == 422 ||
         (status >= 500 && speaks_of_length(problem));
}

bool too_long(int status, const std::string& problem) {
  return status == 413 || speaks_of_length(problem);
}

ErrorKind kind_of(int status) {
  if (status == 401 || status == 403) return ErrorKind::kNotAllowed;
  if (status == 404) return ErrorKind::kNotFound;
  return may_pass(status) ? ErrorKind::kBusy : ErrorKind::kBadInput;
}

std::string advice(int status) {
  if (status == 401 || status == 403) return "; check the key of the server";
  if (status == 404) return "; check the address and the name of the model";
  return "";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

HttpClock system_clock() {
  return {[] { return seconds_since_epoch(std::chrono::steady_clock::now()); },
          [] { return seconds_since_epoch(std::chrono::system_clock::now()); },
          sleep_until_stopped};
}

double retry_after_seconds(const std::string& header, double unix_seconds) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error == std::errc() && end == header.data() + header.size()) {
    return seconds > 0 ? seconds : 0;
  }
  std::tm date{};
  const char* rest = strptime(header.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return 0;
  return std::max(0.0, static_cast<double>(timegm(&date)) - unix_seconds);
}

Json parse_shallow(std::string_view text, int deepest) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (quoted) {
      if (byte == '\\') ++i;
      if (byte == '"') quoted = false;
    } else if (byte == '"') {
      quoted = true;
    } else if (byte == '[' || byte == '{') {
      if (++depth > deepest) return Json(Json::value_t::discarded);
    } else if (byte == ']' || byte == '}') {
      --depth;
    }
  }
  return Json::parse(text, nullptr, false);
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  for (const char byte : text) {
    const bool control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
    if (!control) line += byte;
    if (control && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.size() > most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line = line.substr(0, end) + "...";
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// Connections that wait for a request, and the instant before which the server wants none.
struct HttpClient::Pool {
  std::mutex mutex;
  std::vector<std::unique_ptr<HttpConnection>> idle;
  double not_before = 0;
};

struct HttpClient::Failure {
  ErrorKind kind;
  std::string words;
  bool again;                   // another try may help
  double wanted_pause_seconds;  // by the server; 0: none
};

HttpClient::HttpClient(HttpAddress address, HttpOptions options)
    : address_(std::move(address)), options_(std::move(options)), pool_(std::make_unique<Pool>()) {}

HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::make(HttpAddress address, HttpOptions options) {
  for (const char byte : options.api_key) {
    if (byte <= ' ' || byte > '~') {
      return fail(
          ErrorKind::kUsage,
          fmt::format("{}: the key of the server holds a blank, a line break or a character "
                      "beyond ASCII, which no header carries; was it copied whole?",
                      address.text()));
    }
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(address), std::move(options)));
}

std::string HttpClient::without_key(std::string text) const {
  if (options_.api_key.size() < kShortestKey) return text;
  return replaced(std::move(text), options_.api_key, "[key]");
}

void HttpClient::blot_out_key(Json& value) const {
  if (options_.api_key.empty()) return;
  if (value.is_string()) value = without_key(value.get<std::string>());
  if (!value.is_structured()) return;
  for (Json& part : value) blot_out_key(part);
}

// What a service says of its error: {"error": {"message": ..}}, {"error": ..}, {"message": ..},
// {"detail": ..}, or its bare words.
std::string HttpClient::server_words(const std::string& body) const {
  const Json json = parse_shallow(body);
  const Json* said = &json;
  for (const char* field : {"error", "message", "detail"}) {
    if (said->is_object() && said->contains(field)) said = &(*said)[field];
  }
  std::string words = json.is_discarded() ? body : to_text(json);
  if (said->is_string()) words = said->get<std::string>();
  return one_line(without_key(std::move(words)));
}

HttpExchange HttpClient::exchange(const std::string& path, const std::string& json) const {
  std::unique_ptr<HttpConnection> connection;
  {
    const std::lock_guard lock(pool_->mutex);
    if (!pool_->idle.empty()) {
      connection = std::move(pool_->idle.back());
      pool_->idle.pop_back();
    }
  }
  if (!connection) connection = std::make_unique<HttpConnection>(address_, options_.connection);
  const std::string authorization =
      options_.api_key.empty() ? "" : fmt::format("Bearer {}", options_.api_key);
  HttpExchange done = connection->post(path, json, authorization);
  if (done.status != 0) {
    const std::lock_guard lock(pool_->mutex);
    pool_->idle.push_back(std::move(connection));
  }
  return done;
}

tl::expected<HttpReply, HttpClient::Failure> HttpClient::judge(const HttpExchange& exchange) const {
  const auto failed = [](ErrorKind kind, std::string words, bool again, double pause = 0) {
    return tl::unexpected(Failure{kind, std::move(words), again, pause});
  };
  const int status = exchange.status;
  if (status == 0) {
    const auto kind = exchange.hopeless  ? ErrorKind::kBadInput
                      : exchange.refused ? ErrorKind::kNotFound
                                         : ErrorKind::kBusy;
    return failed(kind, exchange.failure, !exchange.hopeless);
  }
  if (status < 300) {
    HttpReply reply{status, parse_shallow(exchange.body)};
    blot_out_key(reply.body);
    if (!reply.body.is_discarded()) return reply;
    const std::string shown = one_line(without_key(exchange.body), 60);
    return failed(ErrorKind::kBadInput, fmt::format("the answer is not JSON but \"{}\"", shown),
                  true);
  }
  if (status < 400) {
    return failed(ErrorKind::kBadInput,
                  fmt::format("status {}, a redirect to \"{}\", which is not followed; give that "
                              "address if it is right",
                              status, one_line(without_key(exchange.location))),
                  false);
  }
  const std::string words = server_words(exchange.body);
  if (never_taken(status, words)) return HttpReply{status, {}, words, too_long(status, words)};
  return failed(kind_of(status), fmt::format("status {}, \"{}\"{}", status, words, advice(status)),
                may_pass(status),
                retry_after_seconds(exchange.retry_after, options_.clock.unix_seconds()));
}

// Sleeps, and longer where the server has asked any thread to.
void HttpClient::pause(double seconds, const std::stop_token& stop) const {
  const double now = options_.clock.seconds();
  double until = now + seconds;
  {
    const std::lock_guard lock(pool_->mutex);
    until = std::max(until, pool_->not_before);
  }
  if (until > now && !stop.stop_requested()) options_.clock.sleep(until - now, stop);
}

Result<HttpReply> HttpClient::post(std::string_view path, const Json& body, std::uint64_t request,
                                   const std::stop_token& stop) const {
  const std::string where = fmt::format("{}{}", address_.text(), path);
  const std::string full_path = fmt::format("{}{}", address_.path, path);
  const std::string json = to_text(body);
  Stream jitter(options_.seed, "http pause", request);
  double doubled = options_.first_pause_seconds;
  for (int tries = 1;; ++tries) {
    pause(0, stop);
    if (stop.stop_requested()) return fail(ErrorKind::kBusy, fmt::format("{}: stopped", where));
    auto reply = judge(exchange(full_path, json));
    if (reply) return std::move(*reply);
    const Failure& failure = reply.error();
    const double asked = failure.wanted_pause_seconds;
    if (failure.again && asked > options_.longest_retry_after_seconds) {
      return fail(failure.kind, fmt::format("{}: {}; the server asks to wait {:.0f} s; run again "
                                            "then, what is done is kept",
                                            where, failure.words, asked));
    }
    if (!failure.again || tries >= options_.tries) {
      return fail(failure.kind,
                  fmt::format("{}: {}{}", where, failure.words,
                              tries > 1 ? fmt::format(" (tried {} times)", tries) : ""));
    }
    if (asked > 0) {
      const std::lock_guard lock(pool_->mutex);
      pool_->not_before = std::max(pool_->not_before, options_.clock.seconds() + asked);
    }
    pause(std::min(doubled, options_.longest_pause_seconds) * (0.5 + 0.5 * jitter.uniform()), stop);
    doubled *= 2;
  }
}

}  // namespace plumb::raters
