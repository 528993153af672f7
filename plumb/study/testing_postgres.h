// A PostgreSQL of a test program's own, in a temporary folder, on a socket in it. It starts when
// the first test needs it and ends with the program, however that ends.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace plumb::study::testing {

class PostgresServer {
 public:
  // "": it can run here.
  static std::string why_missing() {
    return programs().empty() ? "PostgreSQL is not installed (Debian's package postgresql)" : "";
  }

  // The one of this program. REQUIRES: why_missing() is "".
  static PostgresServer& running() {
    static PostgresServer server;
    return server;
  }

  std::string url(const std::string& schema = "") const {
    const std::string path = schema.empty() ? "" : "&options=-csearch_path%3D" + schema;
    return fmt::format("postgresql://plumb:not-to-be-shown@/postgres?host={}{}", folder_.string(),
                       path);
  }

  // The URL of a new, empty schema.
  std::string make_schema() {
    const std::string schema = fmt::format("test_{}", ++schemas_);
    run("CREATE SCHEMA " + schema);
    return url(schema);
  }

  // Without plumb; the first value of the result.
  std::string run(const std::string& sql, const std::string& schema = "") const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url(schema).c_str()),
                                                                  PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        << PQerrorMessage(connection.get());
    return status == PGRES_TUPLES_OK && PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0)
                                                                    : "";
  }

  // SIGINT: in order. SIGQUIT: at once, as in a crash; what was only in its memory is gone.
  void stop(int signal) {
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  // From the thread that outlives the server: the system ends it with that.
  void start() {
    process_ = spawn({programs() / "postgres", "-D", (folder_ / "data").string(), "-c",
                      "listen_addresses=", "-c", "unix_socket_directories=" + folder_.string(),
                      "-c", "shared_buffers=32MB", "-c", "recovery_init_sync_method=syncfs"});
    for (int tries = 0; tries < 600 && PQping(url().c_str()) != PQPING_OK; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(PQping(url().c_str()), PQPING_OK);
  }

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

 private:
  PostgresServer() : owner_(::getpid()) {
    folder_ = std::filesystem::path(::testing::TempDir()) / fmt::format("plumb_pg_{}", owner_);
    std::filesystem::create_directories(folder_);
    if (const passwd* user = other_user(); user != nullptr) {
      EXPECT_EQ(::chown(folder_.c_str(), user->pw_uid, user->pw_gid), 0);
    }
    const pid_t made = spawn({programs() / "initdb", "-D", (folder_ / "data").string(), "-A",
                              "trust", "-U", "plumb", "--no-locale", "-E", "UTF8", "--no-sync"});
    int status = 0;
    ::waitpid(made, &status, 0);
    EXPECT_EQ(status, 0) << "initdb failed";
    start();
  }

  ~PostgresServer() {
    if (::getpid() != owner_) return;  // a child that a test started
    if (process_ != 0) stop(SIGINT);
    std::filesystem::remove_all(folder_);
  }

  // Where initdb and postgres are: of the newest version. "": nowhere.
  static std::filesystem::path programs() {
    std::filesystem::path newest;
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
      const auto folder = version.path() / "bin";
      if (std::filesystem::exists(folder / "initdb", none) && folder > newest) newest = folder;
    }
    return newest;
  }

  // PostgreSQL refuses to run as root: whom it runs as instead; null where it runs as we do.
  static const passwd* other_user() {
    if (::geteuid() != 0) return nullptr;
    const passwd* user = ::getpwnam("postgres");
    return user != nullptr ? user : ::getpwnam("nobody");
  }

  pid_t spawn(const std::vector<std::string>& words) const {
    const passwd* user = other_user();
    const std::string log = (folder_ / "log").string();
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) _exit(1);
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    if (std::freopen(log.c_str(), "a", stdout) == nullptr) _exit(1);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    _exit(1);
  }

  pid_t owner_, process_ = 0;
  std::filesystem::path folder_;
  int schemas_ = 0;
};

}  // namespace plumb::study::testing
