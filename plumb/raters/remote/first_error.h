// The first error among requests that run at once. It stops the others, whose own errors then say
// nothing.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "plumb/base/result.h"

namespace plumb::raters {

class FirstError {
 public:
  void report(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_.request_stop();
  }

  std::stop_token token() const { return stop_.get_token(); }
  bool reported() const { return stop_.stop_requested(); }

  // REQUIRES: no thread reports any more.
  Result<void> result() const {
    if (!error_) return {};
    return tl::unexpected(*error_);
  }

 private:
  std::mutex mutex_;
  std::stop_source stop_;
  std::optional<Error> error_;
};

}  // namespace plumb::raters
