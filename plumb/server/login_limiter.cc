#include "plumb/server/login_limiter.h"

#include <algorithm>

namespace plumb::server {
namespace {

constexpr int kFreeFailures = 5;
constexpr std::int64_t kFirstWaitMs = 60'000, kLongestWaitMs = 3'600'000;
constexpr std::size_t kMostKeys = 100'000;  // then those of more than an hour ago are forgotten

}  // namespace

std::int64_t LoginLimiter::wait_ms(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  if (found == failures_.end()) return 0;
  return std::max<std::int64_t>(0, found->second.until_ms - clock_ms_());
}

void LoginLimiter::failed(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_ms_();
  if (failures_.size() >= kMostKeys) forget_old(now);
  Failures& failures = failures_[key];
  failures.last_ms = now;
  if (++failures.count < kFreeFailures) return;
  const int doublings = std::min(failures.count - kFreeFailures, 6);
  failures.until_ms = now + std::min(kFirstWaitMs << doublings, kLongestWaitMs);
}

void LoginLimiter::succeeded(const std::string& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

void LoginLimiter::forget_old(std::int64_t now) {
  std::erase_if(failures_, [now](const auto& one) {
    return one.second.last_ms < now - kLongestWaitMs && one.second.until_ms < now;
  });
}

}  // namespace plumb::server
