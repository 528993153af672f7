#include "plumb/raters/remote/http_connection.h"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <exception>
#include <functional>
#include <utility>

#include "plumb/raters/remote/http_stream.h"

namespace plumb::raters {
namespace {

// Bytes of heads and chunk sizes beyond the body's own.
constexpr std::size_t kHeadBytes = std::size_t{1} << 20;

// Writing to a connection that the server has closed raises SIGPIPE in the TLS layer, which would
// end the program. Held back in this thread while one of these lives.
class SigpipeHeld {
 public:
  SigpipeHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeHeld() {
    const timespec at_once{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeHeld(const SigpipeHeld&) = delete;
  SigpipeHeld& operator=(const SigpipeHeld&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

// A client of cpp-httplib whose bytes pass through a LimitedStream.
template <class Base>
class Guarded : public Base {
 public:
  Guarded(const HttpAddress& address, StreamLimits& limits, StreamEnd& end)
      : Base(address.host, address.port), limits_(limits), end_(end) {}

 private:
  using Socket = typename Base::Socket;

  bool process_socket(const Socket& socket,
                      std::function<bool(httplib::Stream&)> callback) override {
    LimitedStream stream(socket.sock, socket.ssl, limits_);
    const bool done = callback(stream);
    end_ = stream.end();
    return done;
  }

  StreamLimits& limits_;
  StreamEnd& end_;
};

std::chrono::microseconds microseconds(double seconds) {
  return std::chrono::microseconds(static_cast<long long>(seconds * 1e6));
}

std::string failure_words(httplib::Error error, StreamEnd end, const ConnectionOptions& options) {
  if (end == StreamEnd::kTimeout) {
    return fmt::format("no whole answer within {:g} s", options.request_timeout_seconds);
  }
  switch (error) {
    case httplib::Error::Connection:
      return "the connection was refused; is the server running there?";
    case httplib::Error::ConnectionTimeout:
      return fmt::format("no connection within {:g} s", options.connect_timeout_seconds);
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed; does the server speak https?";
    case httplib::Error::SSLLoadingCerts:
      return "the certificates that are trusted cannot be read; install ca-certificates";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not trusted, or is of another host";
    default:
      return "the connection broke before the whole answer had come";
  }
}

bool is_hopeless(httplib::Error error) {
  return error == httplib::Error::SSLLoadingCerts || error == httplib::Error::SSLServerVerification;
}

auto usage(std::string message) { return fail(ErrorKind::kUsage, std::move(message)); }

// "host", "host:port", "[v6]:port"
Result<void> take_authority(std::string_view authority, std::string_view whole,
                            HttpAddress& address) {
  std::string_view host = authority, port;
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos)
    return usage(fmt::format("{}: \"[\" lacks its \"]\"", whole));
  if (const std::size_t colon = authority.find(':', bracket); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || address.port < 1 ||
        address.port > 65535) {
      return usage(fmt::format("{}: \"{}\" is no port from 1 to 65535", whole, port));
    }
  }
  if (bracket > 0) host = host.substr(1, bracket - 1);
  const bool sound = host.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") ==
                     std::string_view::npos;
  if (host.empty() || !sound) return usage(fmt::format("{}: there is no host name", whole));
  address.host = host;
  return {};
}

bool is_plain(std::string_view path) {
  for (const char byte : path) {
    if (byte <= ' ' || byte > '~') return false;
  }
  return path.find_first_of("?#\\\"<>") == std::string_view::npos;
}

}  // namespace

std::string HttpAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}", secure ? "https" : "http", v6 ? "[" : "", host,
                     v6 ? "]" : "", port, path);
}

Result<HttpAddress> parse_address(std::string_view text) {
  HttpAddress address;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    address.secure = true;
    address.port = 443;
  } else if (!rest.starts_with("http://")) {
    return usage(fmt::format("{}: an address of a server starts with http:// or https://", text));
  }
  rest.remove_prefix(rest.find("//") + 2);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return usage(
        "an address holds no name and password (they would be stored with the results); "
        "give the key of the server apart");
  }
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!is_plain(path)) {
    return usage(fmt::format("{}: the path of a server holds no blank, query or fragment", text));
  }
  address.path = path;
  if (auto taken = take_authority(authority, text, address); !taken) {
    return tl::unexpected(taken.error());
  }
  return address;
}

class HttpConnection::Impl {
 public:
  Impl(const HttpAddress& address, const ConnectionOptions& options) : options_(options) {
    if (address.secure) {
      client_ = std::make_unique<Guarded<httplib::SSLClient>>(address, limits_, end_);
      if (!options.certificate_file.empty()) client_->set_ca_cert_path(options.certificate_file);
    } else {
      client_ = std::make_unique<Guarded<httplib::ClientImpl>>(address, limits_, end_);
    }
    client_->set_keep_alive(true);
    client_->set_tcp_nodelay(true);
    client_->set_follow_location(false);
    client_->set_url_encode(false);
    client_->set_connection_timeout(microseconds(options.connect_timeout_seconds));
    client_->set_read_timeout(microseconds(options.request_timeout_seconds));
    client_->set_write_timeout(microseconds(options.request_timeout_seconds));
  }

  HttpExchange post(const std::string& path, const std::string& json,
                    const std::string& authorization) {
    limits_ = {std::chrono::steady_clock::now() + microseconds(options_.request_timeout_seconds),
               options_.most_response_bytes + kHeadBytes};
    end_ = StreamEnd::kNone;
    HttpExchange exchange;
    bool too_large = false;
    httplib::Request request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!authorization.empty()) request.headers.emplace("Authorization", authorization);
    request.body = json;
    // After decompression: a small answer that swells is stopped too.
    request.content_receiver = [&](const char* bytes, std::size_t count, std::uint64_t,
                                   std::uint64_t) {
      too_large = exchange.body.size() + count > options_.most_response_bytes;
      if (!too_large) exchange.body.append(bytes, count);
      return !too_large;
    };
    const httplib::Result result = client_->send(request);
    if (too_large || end_ == StreamEnd::kTooMany) {
      exchange.failure =
          fmt::format("the answer has a head too long to read, or more than {} bytes",
                      options_.most_response_bytes);
      exchange.hopeless = true;
    } else if (!result) {
      exchange.failure = failure_words(result.error(), end_, options_);
      exchange.refused = result.error() == httplib::Error::Connection;
      exchange.hopeless = is_hopeless(result.error());
    } else {
      exchange.status = result->status;
      exchange.retry_after = result->get_header_value("Retry-After");
      exchange.location = result->get_header_value("Location");
    }
    if (exchange.status == 0) client_->stop();
    return exchange;
  }

 private:
  ConnectionOptions options_;
  StreamLimits limits_{};
  StreamEnd end_ = StreamEnd::kNone;
  std::unique_ptr<httplib::ClientImpl> client_;
};

HttpConnection::HttpConnection(const HttpAddress& address, const ConnectionOptions& options) {
  const SigpipeHeld held;
  impl_ = std::make_unique<Impl>(address, options);
}

HttpConnection::~HttpConnection() {
  const SigpipeHeld held;
  impl_.reset();
}

HttpExchange HttpConnection::post(const std::string& path, const std::string& json,
                                  const std::string& authorization) {
  const SigpipeHeld held;
  try {
    return impl_->post(path, json, authorization);
  } catch (const std::exception& error) {
    return {.failure = fmt::format("the HTTP library gave up: {}", error.what())};
  }
}

}  // namespace plumb::raters
