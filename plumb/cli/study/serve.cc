// plumb serve: the studio's server. plumb study invite: a link for one person.
#include <fmt/format.h>
#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/cli/options.h"
#include "plumb/cli/study/built_in.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/server/secrets.h"
#include "plumb/server/server.h"
#include "plumb/study/accounts.h"

namespace plumb::cli {
namespace {

// A folder for a demonstration, removed with it.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    std::string path = (std::filesystem::temp_directory_path() / "plumb-demo-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      return tl::unexpected(file_error("make a folder", path, errno));
    }
    return TemporaryFolder(std::move(path));
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() { remove(); }
  void remove() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string file() const { return path_ + "/demo.db"; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

struct ServeCommand {
  StudioOptions studio;
  bool demo = false;
  server::ServerOptions options;

  Result<void> run() const;
  Result<void> serve(study::Store& store, const std::string& shown, const sigset_t& signals,
                     int& signal, TemporaryFolder* folder) const;
};

// The owner of a studio without accounts, with a password that is shown here
// and never again.
Result<void> make_owner(study::Store& store) {
  const study::Accounts accounts(store);
  PLUMB_TRY(count, accounts.count());
  if (count > 0) return {};
  PLUMB_TRY(password, server::random_password());
  PLUMB_TRY(hash, server::hash_password(password, {}));
  auto owner = accounts.create("owner", study::Role::kOwner, hash);
  if (!owner) {
    PLUMB_TRY(made_meanwhile, accounts.count());  // by another server of the same database
    return made_meanwhile > 0 ? Result<void>() : tl::unexpected(owner.error());
  }
  return write_stdout(
      fmt::format("The account \"owner\" has the password "
                  "{}\nKeep it: it is shown only now.\n",
                  password));
}

// Blocked before any thread starts, so that one place waits for them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// With requests and computations that go on after a stop was asked for.
constexpr std::chrono::milliseconds kPatience{2000};

// All that was acknowledged is written: ends as the signal would have.
void end_by(int signal, const sigset_t& signals) {
  std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
}

// Until a signal asks for an end. folder: goes with the process, where there is one.
Result<void> ServeCommand::serve(study::Store& store, const std::string& shown,
                                 const sigset_t& signals, int& signal,
                                 TemporaryFolder* folder) const {
  if (auto made = make_owner(store); !made) return made;
  server::ServerOptions wanted = options;
  wanted.built_in = built_in_answers;
  if (demo) {
    PLUMB_TRY(small, demo_study(store));
    wanted.demo = small.info().id;
  }
  PLUMB_TRY(running, server::Server::start(store, wanted));
  fmt::print(stderr, "{}: serving on {}; Ctrl-C stops\n", shown, running->url());
  sigwait(&signals, &signal);
  fmt::print(stderr, "stopping\n");
  running->stop();
  if (!running->ends_within(kPatience)) {
    if (folder != nullptr) folder->remove();  // no destructor runs any more
    end_by(signal, signals);
  }
  running->wait();
  return {};
}

Result<void> ServeCommand::run() const {
  if (demo && !options.public_url.empty()) {
    return fail(ErrorKind::kUsage, "--demo is for this machine alone, without --public-url");
  }
  const sigset_t signals = block_signals();
  int signal = 0;
  if (demo && !studio.is_named()) {
    PLUMB_TRY(folder, TemporaryFolder::make());
    PLUMB_TRY(store, study::Store::open(folder.file(), {.mode = study::Store::Mode::kCreate}));
    if (auto served = serve(*store, folder.file(), signals, signal, &folder); !served) {
      return served;
    }
  } else {
    PLUMB_TRY(store, studio.open(study::Store::Mode::kCreate));
    if (auto served = serve(*store, studio.shown(), signals, signal, nullptr); !served) {
      return served;
    }
  }
  end_by(signal, signals);
  return {};
}

struct InviteCommand {
  StudyOptions where;
  std::string role = "annotator", url = "http://127.0.0.1:8080";
  std::size_t count = 1;

  Result<void> run() const;
};

Result<void> InviteCommand::run() const {
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  const auto wanted = *study::parse_role(role);
  const auto of_study =
      wanted == study::Role::kAnnotator ? std::optional(open.study.info().id) : std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    PLUMB_TRY(token, server::random_token());
    auto kept = study::Accounts(*open.store)
                    .invite(server::token_hash(token), wanted, of_study, std::nullopt);
    if (!kept) return kept;
    if (auto shown = write_stdout(fmt::format("{}/#invitation={}\n", url, token)); !shown) {
      return shown;
    }
  }
  fmt::print(stderr, "each works once, within {} hours, and is shown only now\n",
             study::kInvitationMs / 3'600'000);
  return {};
}

}  // namespace

void add_serve(CLI::App& app, Program& program) {
  auto command = std::make_shared<ServeCommand>();
  CLI::App* verb =
      app.add_subcommand("serve",
                         "Example:\n  plumb serve --data plumb.db\n  plumb serve --demo\n\n"
                         "The studio's server, for this machine alone unless it stands behind a "
                         "proxy with https. The "
                         "first start makes the account \"owner\" and shows its password once.");
  command->studio.declare(*verb);
  verb->add_option("--host", command->options.host, "the address to listen on")
      ->type_name("ADDRESS")
      ->check(not_empty())
      ->capture_default_str();
  verb->add_option("--port", command->options.port, "the port to listen on; 0: any that is free")
      ->type_name("N")
      ->check(whole_number(0, 65535))
      ->capture_default_str();
  verb->add_option("--public-url", command->options.public_url,
                   "https://..., by which people reach it through a proxy")
      ->type_name("URL")
      ->check(not_empty());
  verb->add_flag("--demo", command->demo,
                 "be the first human: small tasks to answer without an account, in a file that is "
                 "removed at the end unless --data names one");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

void add_study_invite(CLI::App& study, Program& program) {
  auto command = std::make_shared<InviteCommand>();
  CLI::App* verb =
      study.add_subcommand("invite",
                           "Example:\n  plumb study invite demo --count 3\n\n"
                           "Links by which people make an account, one each: annotators "
                           "of the study, or managers, "
                           "adjudicators and viewers of all. While a server runs it is "
                           "asked instead "
                           "(POST /api/invitations).");
  command->where.declare(*verb);
  verb->add_option("--role", command->role, "annotator, viewer, adjudicator or manager")
      ->type_name("ROLE")
      ->check(one_of("annotator, viewer, adjudicator, manager"))
      ->capture_default_str();
  verb->add_option("--count", command->count, "how many links")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  verb->add_option("--url", command->url, "where the server is reached")
      ->type_name("URL")
      ->check(not_empty())
      ->capture_default_str();
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
