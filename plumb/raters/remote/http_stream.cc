#include "plumb/raters/remote/http_stream.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace plumb::raters {
namespace {

constexpr std::size_t kLongestLine = 8192;

// Whether the TLS layer asks for the same call again.
bool asks_again(SSL* ssl, int result) {
  const int code = SSL_get_error(ssl, result);
  return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE;
}

}  // namespace

// Sleeps until the socket is ready or the time is up.
bool LimitedStream::wait_for(short events) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        limits_.deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{socket_, events, 0};
    const auto wait = static_cast<int>(std::min<long long>(left.count(), INT_MAX));
    const int ready = ::poll(&waiting, 1, wait);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool LimitedStream::is_readable() const {
  return begin_ < filled_ || (ssl_ != nullptr && SSL_pending(ssl_) > 0) || wait_for(POLLIN);
}

bool LimitedStream::is_writable() const { return wait_for(POLLOUT); }

// Refills the buffer: how many bytes came, 0 at the end, -1 for an error.
ssize_t LimitedStream::receive() {
  while (true) {
    if (!is_readable()) {
      end_ = StreamEnd::kTimeout;
      return -1;
    }
    ssize_t count = 0;
    if (ssl_ != nullptr) {
      count = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
      if (count <= 0 && asks_again(ssl_, static_cast<int>(count))) continue;
    } else {
      count = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    }
    if (count <= 0) end_ = StreamEnd::kClosed;
    return count;
  }
}

// Whether no line of the head is too long.
bool LimitedStream::head_is_sound() {
  for (std::size_t i = 0; in_head_ && i < filled_; ++i) {
    if (buffer_[i] == '\n') {
      const bool head_ends = line_ <= 1;
      if (head_ends) in_head_ = interim_;
      first_line_ = head_ends;
      line_ = 0;
    } else if (++line_ > kLongestLine) {
      return false;
    } else if (first_line_ && line_ == sizeof "HTTP/1.1 ") {
      interim_ = buffer_[i] == '1';
    }
  }
  return true;
}

ssize_t LimitedStream::read(char* bytes, std::size_t size) {
  if (begin_ == filled_) {
    const ssize_t count = receive();
    if (count <= 0) return count;
    begin_ = 0;
    filled_ = static_cast<std::size_t>(count);
    received_ += filled_;
    if (received_ > limits_.most_bytes || !head_is_sound()) {
      end_ = StreamEnd::kTooMany;
      filled_ = 0;
      return -1;
    }
  }
  const std::size_t taken = std::min(size, filled_ - begin_);
  std::memcpy(bytes, buffer_.data() + begin_, taken);
  begin_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t LimitedStream::write(const char* bytes, std::size_t size) {
  while (true) {
    if (!is_writable()) {
      end_ = StreamEnd::kTimeout;
      return -1;
    }
    ssize_t count = 0;
    if (ssl_ != nullptr) {
      count = SSL_write(ssl_, bytes, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
      if (count <= 0 && asks_again(ssl_, static_cast<int>(count))) continue;
    } else {
      count = ::send(socket_, bytes, size, MSG_NOSIGNAL);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    }
    if (count <= 0) end_ = StreamEnd::kClosed;
    return count;
  }
}

// The server's side of cpp-httplib alone asks for these.
void LimitedStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
void LimitedStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace plumb::raters
