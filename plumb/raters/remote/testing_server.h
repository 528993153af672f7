// Servers on 127.0.0.1 that tests start in their own process, on a port that the system picks, and
// a clock that only counts how long it was asked to sleep.
#pragma once

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/raters/remote/http_client.h"
#include "plumb/raters/remote/remote_spec.h"

namespace plumb::raters::testing {

struct Asked {
  std::string path, authorization;
  Json body;
};

struct Answered {
  int status = 200;
  std::string body = "{}";
  httplib::Headers headers = {};
};

// Answers every POST by a function that is given the request and its number, 0 for the first.
class LocalServer {
 public:
  using Handler = std::function<Answered(const Asked&, std::size_t)>;

  explicit LocalServer(Handler handler) : handler_(std::move(handler)) {
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_timeout(1);
    server_.Post("/.*", [this](const httplib::Request& request, httplib::Response& response) {
      const int now = ++at_once_;
      int most = most_at_once_;
      while (now > most && !most_at_once_.compare_exchange_weak(most, now)) {
      }
      respond(request, response);
      --at_once_;
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    std::signal(SIGPIPE, SIG_DFL);  // cpp-httplib's server ignores it, which would hide a fault
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~LocalServer() { server_.stop(); }

  HttpAddress address() const { return {.host = "127.0.0.1", .port = port_, .path = "/v1"}; }
  RemoteSpec spec() const { return {address(), "some-model"}; }

  std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::size_t requests() const { return asked().size(); }
  int most_at_once() const { return most_at_once_; }

 private:
  void respond(const httplib::Request& request, httplib::Response& response) {
    Asked asked{request.path, request.get_header_value("Authorization"),
                Json::parse(request.body, nullptr, false)};
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = asked_.size();
      asked_.push_back(asked);
    }
    const Answered answered = handler_(asked, number);
    response.status = answered.status;
    for (const auto& [name, value] : answered.headers) response.set_header(name, value);
    response.set_content(answered.body, "application/json");
  }

  httplib::Server server_;
  Handler handler_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::atomic<int> at_once_{0}, most_at_once_{0};
  std::jthread thread_;
};

// Accepts connections one after another, reads once, sends the bytes of that connection's number as
// they are (the last of them from then on), and hangs up.
class RawServer {
 public:
  explicit RawServer(std::vector<std::string> scripts) : scripts_(std::move(scripts)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, length) != 0 || ::listen(listener_, 64) != 0) std::abort();
    ::getsockname(listener_, generic, &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~RawServer() {
    thread_.request_stop();
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  HttpAddress address() const { return {.host = "127.0.0.1", .port = port_, .path = "/v1"}; }
  int connections() const { return connections_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) continue;
      const auto number = static_cast<std::size_t>(connections_++);
      std::array<char, 4096> buffer{};
      ::recv(peer, buffer.data(), buffer.size(), 0);
      const std::string& script = scripts_[std::min(number, scripts_.size() - 1)];
      std::size_t sent = 0;
      while (sent < script.size()) {
        const auto count = ::send(peer, script.data() + sent, script.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
      ::shutdown(peer, SHUT_WR);
      while (::recv(peer, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
      }
      ::close(peer);
    }
  }

  std::vector<std::string> scripts_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

// A port of 127.0.0.1 where nobody listens.
inline int closed_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      ::bind(socket, generic, length) == 0 && ::getsockname(socket, generic, &length) == 0;
  ::close(socket);
  return bound ? ntohs(address.sin_port) : 0;
}

// Time that passes by sleeping alone.
struct FakeTime {
  std::mutex mutex;
  double now = 1000;
  std::vector<double> slept;

  HttpClock clock() {
    return {[this] {
              const std::lock_guard lock(mutex);
              return now;
            },
            [] { return 784111770.0; },  // 7 s before Sun, 06 Nov 1994 08:49:37 GMT
            [this](double seconds, const std::stop_token&) {
              const std::lock_guard lock(mutex);
              now += seconds;
              slept.push_back(seconds);
            }};
  }
};

}  // namespace plumb::raters::testing
