// The HTTP server of a studio: routes (api.h) behind the checks that every request passes.
//
//   PLUMB_TRY(server, Server::start(*store, {.port = 8080}));
//   server->wait();                    // until stop(), from another thread or a signal's
//
// Every response carries the headers of a page that runs no script but its own. A request is
// refused that names another host (a rebound name), comes from another origin, changes something
// without the header X-Plumb, or has a body over 16 MB. Sockets stand here alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/server/secrets.h"
#include "plumb/study/store.h"
#include "plumb/tasks/answers.h"

namespace plumb::server {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any that is free
  // "https://studio.example.org", where a proxy stands before it. Of one on this machine the last
  // address in X-Forwarded-For is the client's.
  std::string public_url = {};
  PasswordCost cost = {};
  std::function<std::int64_t()> clock = study::system_clock_ms;  // of the limits on logins
  // A study that anybody on this machine may answer without an account.
  std::optional<std::int64_t> demo = {};
  // What built-in models answer, for managers to attach.
  std::function<Result<std::vector<tasks::AnswerSheet>>(const tasks::Task&)> built_in = {};
};

class Server {
 public:
  // Listens, and answers from threads of its own. The store must outlive the server. kUsage: an
  // address that is not this machine's own without an https public_url. kBusy: the port is taken.
  static Result<std::unique_ptr<Server>> start(study::Store& store, const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  std::string url() const;
  void wait();
  // Takes no more requests, lets what is being answered finish, and ends idle connections and what
  // is computed beside the requests.
  void stop();
  // After stop(): whether all has ended by then. Where it has not, the process may end all the
  // same: what was acknowledged is on the disk.
  bool ends_within(std::chrono::milliseconds patience);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace plumb::server
