#include "plumb/server/server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "plumb/server/api.h"
#include "plumb/server/connections.h"
#include "plumb/server/page.h"
#include "plumb/text/trimmed.h"

namespace plumb::server {
namespace {

constexpr std::size_t kLargestBody = std::size_t{16} << 20;
constexpr std::size_t kMostConnections = 512;
constexpr int kDeepestJson = 32;

constexpr std::array<std::pair<const char*, const char*>, 5> kHeaders = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
     "'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

bool is_loopback(std::string_view host) {
  return host == "127.0.0.1" || host == "localhost" || host == "::1" || host == "[::1]";
}

// "studio.example.org" of "https://studio.example.org/"
std::string host_of_url(std::string_view url) {
  const std::size_t begin = url.find("://");
  url.remove_prefix(begin == std::string_view::npos ? 0 : begin + 3);
  return std::string(url.substr(0, url.find('/')));
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// Brackets inside brackets, of any text: a bound on what parsing may cost.
bool is_shallow(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
      if (++depth > kDeepestJson) return false;
    } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
      --depth;
    }
  }
  return true;
}

std::string cookie_of(const httplib::Request& request, const std::string& name) {
  std::string_view cookies;
  const std::string header = request.get_header_value("Cookie");
  cookies = header;
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view one = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.starts_with(name + "=")) return std::string(one.substr(name.size() + 1));
  }
  return "";
}

// The token of a program, from the header Authorization; "": none.
std::string bearer_of(const httplib::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string header = request.get_header_value("Authorization");
  return header.starts_with(kScheme) ? header.substr(kScheme.size()) : "";
}

// The last of the addresses that proxies have added to the request, the one that the nearest of
// them saw: what stands before it the client may have made up. "": none.
std::string forwarded_address(const httplib::Request& request) {
  constexpr const char* kHeader = "X-Forwarded-For";
  const std::size_t lines = request.get_header_value_count(kHeader);
  if (lines == 0) return "";
  const std::string line = request.get_header_value(kHeader, lines - 1);
  const std::size_t comma = line.rfind(',');
  return std::string(trimmed(std::string_view(line).substr(comma + 1)));  // npos + 1 is 0
}

// Of what the library itself refuses.
const char* words_of(int status) {
  switch (status) {
    case 413:
      return "the body is too large";
    case 414:
      return "the address is too long";
    case 400:
      return "not a request that can be read";
    default:
      return "the request cannot be answered";
  }
}

// Only a server that is alive has the port: the library's own options would let two share it.
void set_listening_options(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

using Moment = std::chrono::steady_clock::time_point;

void write_error(httplib::Response& out, int status, std::string_view words) {
  out.status = status;
  out.set_content(to_text(Json{{"error", words}}), "application/json");
}

// A file of the page, or that the browser's own is the same.
void write_page(const PageFile& file, const httplib::Request& in, httplib::Response& out) {
  out.set_header("Cache-Control", file.is_immutable() ? "max-age=31536000, immutable" : "no-cache");
  out.set_header("ETag", file.tag);
  out.set_header("Vary", "Accept-Encoding");
  if (in.get_header_value("If-None-Match") == file.tag) {
    out.status = 304;
    return;
  }
  const bool packed = accepts_gzip(in.get_header_value("Accept-Encoding"));
  if (packed) out.set_header("Content-Encoding", "gzip");
  const std::string_view bytes = packed ? file.gzip : file.plain;
  // By a provider, because the library would compress a body once more.
  out.set_content_provider(bytes.size(), file.type,
                           [bytes](std::size_t begin, std::size_t size, httplib::DataSink& sink) {
                             return sink.write(bytes.data() + begin, size);
                           });
}

}  // namespace

struct Server::State {
  State(study::Store& store, const ServerOptions& given)
      : options(given), limiter(given.clock), views(store), context{store,      limiter,
                                                                    views,      given.cost,
                                                                    given.demo, given.built_in} {}

  ServerOptions options;
  LoginLimiter limiter;
  Views views;
  Context context;
  httplib::Server http;
  std::thread thread;
  int port = 0, listening = -1;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_ended = false;  // the thread
  std::atomic<bool> is_stopped = false;

  bool is_https() const { return options.public_url.starts_with("https://"); }
  std::string cookie_name() const { return is_https() ? "__Host-plumb" : "plumb"; }

  void bind_routes();
  void listen();
  bool ends_by(Moment until);
  void serve(const httplib::Request& in, httplib::Response& out);
  const char* forbidden(const httplib::Request& in) const;
  bool is_own_host(const std::string& host) const;
  bool is_own_origin(const std::string& origin) const;
  std::string address_of(const httplib::Request& in) const;
  Result<Request> request_of(const httplib::Request& in) const;
  void write(Response response, httplib::Response& out) const;
};

bool Server::State::is_own_host(const std::string& host) const {
  if (!options.public_url.empty() && host == host_of_url(options.public_url)) return true;
  const std::string ending = fmt::format(":{}", port);
  return host.ends_with(ending) && is_loopback(host.substr(0, host.size() - ending.size()));
}

bool Server::State::is_own_origin(const std::string& origin) const {
  if (!options.public_url.empty()) return origin == without_slash(options.public_url);
  return origin.starts_with("http://") && is_own_host(origin.substr(7));
}

// Why a request is refused before anybody looks at it; nullptr: it is not.
const char* Server::State::forbidden(const httplib::Request& in) const {
  if (!is_own_host(in.get_header_value("Host"))) {
    return "the request names another host; start the server with --public-url";
  }
  if (in.has_header("Origin") && !is_own_origin(in.get_header_value("Origin"))) {
    return "the request comes from another site; start the server with --public-url";
  }
  if (in.method == "GET" || in.method == "HEAD") return nullptr;
  if (!bearer_of(in).empty()) return nullptr;  // no browser adds one by itself
  const std::string site = in.get_header_value("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return "the request comes from another site";
  }
  if (in.get_header_value("X-Plumb") != "1") return "the header X-Plumb: 1 is missing";
  return nullptr;
}

// Behind a proxy on this machine every connection is the proxy's.
std::string Server::State::address_of(const httplib::Request& in) const {
  const bool is_proxy = !options.public_url.empty() && is_loopback(in.remote_addr);
  std::string address = is_proxy ? forwarded_address(in) : "";
  return address.empty() ? in.remote_addr : address;
}

Result<Request> Server::State::request_of(const httplib::Request& in) const {
  Request request;
  request.token = bearer_of(in);
  request.by_program = !request.token.empty();
  if (!request.by_program) request.token = cookie_of(in, cookie_name());
  request.address = address_of(in);
  request.as = in.get_header_value("X-Plumb-Account");
  request.key = in.get_header_value("Idempotency-Key");
  for (const auto& [name, value] : in.params) request.query.emplace(name, value);
  if (const std::string match = in.get_header_value("If-Match"); !match.empty()) {
    std::int64_t revision = 0;
    const auto [end, error] = std::from_chars(match.data(), match.data() + match.size(), revision);
    if (error != std::errc() || end != match.data() + match.size()) {
      return fail(ErrorKind::kUsage, "If-Match must be a revision, a whole number");
    }
    request.revision = revision;
  }
  if (in.body.empty()) return request;
  request.body = is_shallow(in.body) ? Json::parse(in.body, nullptr, false) : Json();
  if (request.body.is_object()) return request;
  return fail(ErrorKind::kUsage, "the body is not a JSON object, or is nested too deep");
}

void Server::State::write(Response response, httplib::Response& out) const {
  out.status = response.status;
  if (response.session) {
    out.set_header("Set-Cookie",
                   fmt::format("{}={}; HttpOnly; SameSite=Lax; Path=/{}{}", cookie_name(),
                               *response.session, is_https() ? "; Secure" : "",
                               response.session->empty() ? "; Max-Age=0" : "; Max-Age=1209600"));
  }
  if (response.status == 429) {
    out.set_header("Retry-After", to_text(response.body["retry_after_seconds"]));
  }
  if (!response.stream) {
    out.set_content(to_text(response.body), "application/json");
    return;
  }
  out.set_header("Content-Disposition",
                 fmt::format("attachment; filename=\"{}\"", response.file_name));
  out.set_chunked_content_provider(
      response.content_type,
      [stream = std::move(response.stream)](std::size_t, httplib::DataSink& sink) {
        const auto done = stream([&sink](std::string_view bytes) -> Result<void> {
          if (!bytes.empty() && !sink.write(bytes.data(), bytes.size())) {
            return fail(ErrorKind::kBusy, "the client has gone");
          }
          return {};
        });
        if (done) sink.done();
        return done.has_value();
      });
}

void Server::State::serve(const httplib::Request& in, httplib::Response& out) {
  if (const char* words = forbidden(in)) return write_error(out, 403, words);
  if (const PageFile* file = page_file(in.path);
      file != nullptr && (in.method == "GET" || in.method == "HEAD")) {
    return write_page(*file, in, out);
  }
  auto matched = match(in.method == "HEAD" ? "GET" : in.method, in.path);
  if (!matched) {
    return has_path(in.path) ? write_error(out, 405, "the path has no such method")
                             : write_error(out, 404, "there is nothing here");
  }
  auto request = request_of(in);
  if (!request) return write_error(out, status_of(request.error().kind), request.error().message);
  request->ids = std::move(matched->ids);
  write(answer(context, *matched->route, std::move(*request)), out);
}

void Server::State::bind_routes() {
  const auto handler = [this](const httplib::Request& in, httplib::Response& out) {
    serve(in, out);
  };
  http.Get(".*", handler).Post(".*", handler).Put(".*", handler);
  http.set_payload_max_length(kLargestBody);
  http.set_tcp_nodelay(true);
  http.set_socket_options([this](int socket) {
    set_listening_options(socket);
    listening = socket;
  });
  http.set_keep_alive_max_count(10'000);
  // A connection that ends just as its client asks again is a failed request to some of them.
  http.set_keep_alive_timeout(20);
  http.set_read_timeout(30, 0);
  http.set_write_timeout(30, 0);
  http.new_task_queue = [] { return new ConnectionThreads(kMostConnections); };
  http.set_post_routing_handler([this](const httplib::Request&, httplib::Response& out) {
    for (const auto& [name, value] : kHeaders) out.set_header(name, value);
    if (!out.has_header("Cache-Control")) out.set_header("Cache-Control", "no-store");
    if (is_https()) out.set_header("Strict-Transport-Security", "max-age=31536000");
  });
  http.set_exception_handler(
      [](const httplib::Request&, httplib::Response& out, const std::exception_ptr&) {
        write_error(out, 500, "an internal error");
      });
  http.set_error_handler([](const httplib::Request&, httplib::Response& out) {
    if (out.body.empty()) write_error(out, out.status, words_of(out.status));
  });
}

void Server::State::listen() {
  http.listen_after_bind();
  const std::lock_guard lock(mutex);
  has_ended = true;
  changed.notify_all();
}

bool Server::State::ends_by(Moment until) {
  std::unique_lock lock(mutex);
  return changed.wait_until(lock, until, [this] { return has_ended; });
}

Result<std::unique_ptr<Server>> Server::start(study::Store& store, const ServerOptions& options) {
  if (!is_loopback(options.host) && !options.public_url.starts_with("https://")) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: others could read what passes; stand behind a proxy with https and "
                    "name it by --public-url",
                    options.host));
  }
  if (options.demo && (!is_loopback(options.host) || !options.public_url.empty())) {
    return fail(ErrorKind::kUsage, "a demonstration is for this machine alone");
  }
  auto state = std::make_unique<State>(store, options);
  state->bind_routes();
  state->port = options.port == 0 ? state->http.bind_to_any_port(options.host)
                : state->http.bind_to_port(options.host, options.port) ? options.port
                                                                       : -1;
  if (state->port < 0) {
    return fail(ErrorKind::kBusy, fmt::format("port {} of {} is taken, or not ours; --port names "
                                              "another",
                                              options.port, options.host));
  }
  let_many_knock(state->listening);
  State* running = state.get();
  state->thread = std::thread([running] { running->listen(); });
  while (!state->http.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  stop();
  wait();
}

int Server::port() const { return state_->port; }

std::string Server::url() const {
  if (!state_->options.public_url.empty()) return state_->options.public_url;
  return fmt::format("http://{}:{}", state_->options.host, state_->port);
}

void Server::wait() {
  if (state_->thread.joinable()) state_->thread.join();
}

void Server::stop() {
  if (state_->is_stopped.exchange(true)) return;  // the port may be another's by now
  state_->http.stop();
  hang_up(state_->port);
  state_->views.stop();
}

bool Server::ends_within(std::chrono::milliseconds patience) {
  const Moment until = std::chrono::steady_clock::now() + patience;
  return state_->ends_by(until) && state_->views.ends_by(until);
}

}  // namespace plumb::server
