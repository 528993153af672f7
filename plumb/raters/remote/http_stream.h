// The bytes of one connection, plain or TLS, with limits that cpp-httplib does not have: an instant
// by which the whole exchange must be over, a most of bytes, and a longest line of the head. (It
// matches the status line with std::regex, which overflows the stack on some 30,000 characters.)
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace plumb::raters {

struct StreamLimits {
  std::chrono::steady_clock::time_point deadline;
  std::size_t most_bytes;
};

enum class StreamEnd { kNone, kTimeout, kTooMany, kClosed };

class LimitedStream : public httplib::Stream {
 public:
  // ssl: null for a plain connection.
  LimitedStream(socket_t socket, SSL* ssl, StreamLimits limits)
      : socket_(socket), ssl_(ssl), limits_(limits) {}

  // Why reading or writing ended, where it did.
  StreamEnd end() const { return end_; }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  bool wait_for(short events) const;
  ssize_t receive();
  bool head_is_sound();

  socket_t socket_;
  SSL* ssl_;
  StreamLimits limits_;
  StreamEnd end_ = StreamEnd::kNone;
  std::array<char, 16384> buffer_{};
  std::size_t begin_ = 0, filled_ = 0, received_ = 0, line_ = 0;
  // What is received is the head of an answer; its first line; its status is 1xx, so that another
  // head follows.
  bool in_head_ = true, first_line_ = true, interim_ = false;
};

}  // namespace plumb::raters
