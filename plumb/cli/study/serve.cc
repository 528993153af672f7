// plumb serve: the studio's server. plumb study invite: a link for one person.
#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <memory>

#include "plumb/cli/options.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/server/secrets.h"
#include "plumb/server/server.h"
#include "plumb/study/accounts.h"

namespace plumb::cli {
namespace {

struct ServeCommand {
  StudioOptions studio;
  server::ServerOptions options;

  Result<void> run() const;
};

// The owner of a studio without accounts, with a password that is shown here
// and never again.
Result<void> make_owner(study::Store& store) {
  const study::Accounts accounts(store);
  PLUMB_TRY(count, accounts.count());
  if (count > 0) return {};
  const std::string password = server::random_password();
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

Result<void> ServeCommand::run() const {
  const sigset_t signals = block_signals();
  int signal = 0;
  {
    PLUMB_TRY(store, studio.open(study::Store::Mode::kCreate));
    if (auto made = make_owner(*store); !made) return made;
    PLUMB_TRY(running, server::Server::start(*store, options));
    fmt::print(stderr, "{}: serving on {}; Ctrl-C stops\n", studio.shown(), running->url());
    sigwait(&signals, &signal);
    fmt::print(stderr, "stopping\n");
    running->stop();
    running->wait();
  }
  // All is written; end as the signal would have.
  std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
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
    const std::string token = server::random_token();
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
                         "Example:\n  plumb serve --data plumb.db\n\n"
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
