// What the HTTP library leaves to us of a server's connections: threads that answer them, how many
// may knock at once, and hanging up.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plumb::server {

// A thread for each connection that is open, idle ones too, up to `most`; further ones wait.
// Threads start when they are needed and stay.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(std::size_t most) : most_(most) {}

  void enqueue(std::function<void()> job) override;
  void shutdown() override;  // when all that was given is done

 private:
  void work();

  std::size_t most_, idle_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// Lets as many connections wait to be accepted as the system allows: the library's own five are
// fewer than a class of annotators that starts together, and the system makes others try again
// after seconds.
void let_many_knock(int listening);

// Reads no more from any connection that came in through this port: one that is idle ends now
// instead of seconds later, one that is being answered gets its answer.
void hang_up(int port);

}  // namespace plumb::server
