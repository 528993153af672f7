// Slows down whoever guesses passwords.
//
// Five failures of one key (an account's name, an address) and it waits a minute; every further one
// doubles that, up to an hour. A success forgets the key's failures.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

namespace plumb::server {

class LoginLimiter {
 public:
  explicit LoginLimiter(std::function<std::int64_t()> clock_ms) : clock_ms_(std::move(clock_ms)) {}

  // Milliseconds until the key may try again; 0: now.
  std::int64_t wait_ms(const std::string& key) const;
  void failed(const std::string& key);
  void succeeded(const std::string& key);

 private:
  struct Failures {
    int count = 0;
    std::int64_t last_ms = 0;
    std::int64_t until_ms = 0;
  };

  void forget_old(std::int64_t now);

  std::function<std::int64_t()> clock_ms_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Failures> failures_;
};

}  // namespace plumb::server
