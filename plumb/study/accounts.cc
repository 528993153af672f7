#include "plumb/study/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plumb/study/db/done.h"
#include "plumb/study/one_line.h"
#include "plumb/study/slots.h"

namespace plumb::study {
namespace {

constexpr std::array<std::string_view, 5> kRoleNames = {"owner", "manager", "adjudicator",
                                                        "annotator", "viewer"};
constexpr std::size_t kLongestName = 100;

Account account_of(const Row& row) {
  return {row.integer(0), row.text(1), *parse_role(row.text(2)), row.text(3), row.integer(4) != 0};
}

Result<std::optional<Account>> account_by(Connection& connection, std::string_view where,
                                          const std::vector<Value>& values) {
  PLUMB_TRY(row, connection.first(
                     fmt::format("SELECT accounts.id, accounts.name, accounts.role, "
                                 "accounts.password_hash, accounts.disabled FROM accounts {}",
                                 where),
                     values));
  return row ? std::optional(account_of(*row)) : std::nullopt;
}

Result<Account> insert_account(Connection& connection, const std::string& name, Role role,
                               const std::string& password_hash, std::int64_t now) {
  if (!is_one_line(name, kLongestName)) {
    return fail(ErrorKind::kUsage,
                fmt::format("an account's name is one line of 1 to {} bytes", kLongestName));
  }
  PLUMB_TRY(taken, account_by(connection, "WHERE name = ?1", {name}));
  if (taken) {
    return fail(ErrorKind::kNotAllowed, fmt::format("the name \"{}\" is taken", name));
  }
  PLUMB_TRY(id, connection.count("INSERT INTO accounts(name, role, password_hash, created_ms) "
                                 "VALUES(?1, ?2, ?3, ?4) RETURNING id",
                                 {name, std::string(role_name(role)), password_hash, now}));
  return Account{id, name, role, password_hash, false};
}

Result<Study> study_by_id(Store& store, Connection& connection, std::int64_t id) {
  PLUMB_TRY(row, connection.first("SELECT name FROM studies WHERE id = ?1", {id}));
  if (!row) return fail(ErrorKind::kNotFound, fmt::format("there is no study {}", id));
  return Study::open(store, row->text(0));
}

Result<void> enroll_as(Connection& connection, const Study& study, std::int64_t account,
                       const std::string& pseudonym) {
  PLUMB_TRY(annotator, enroll_in(connection, study, pseudonym, tasks::RaterKind::kPerson));
  return done(connection.execute(
      "INSERT INTO enrolments(account_id, study_id, annotator_id) VALUES(?1, ?2, ?3)",
      {account, study.info().id, annotator.id}));
}

Result<void> enroll_account(Connection& connection, const Study& study, std::int64_t account) {
  PLUMB_TRY(before, connection.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1",
                                     {study.info().id}));
  for (std::int64_t number = before + 1;; ++number) {
    const std::string pseudonym = fmt::format("R{}", number);
    PLUMB_TRY(taken, connection.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1 AND "
                                      "pseudonym = ?2",
                                      {study.info().id, pseudonym}));
    if (taken > 0) continue;
    return enroll_as(connection, study, account, pseudonym);
  }
}

// An account with the pseudonym that it has in a study; "": it is no annotator there.
struct Comer {
  Account account;
  std::string pseudonym;
};

Result<std::vector<Comer>> people_of(const Study& study) {
  using Comers = std::vector<Comer>;
  return study.store().read<Comers>([&](Connection& connection) -> Result<Comers> {
    PLUMB_TRY(rows, connection.query(
                        "SELECT accounts.id, name, role, password_hash, disabled, pseudonym FROM "
                        "accounts LEFT JOIN enrolments ON account_id = accounts.id AND "
                        "enrolments.study_id = ?1 LEFT JOIN annotators ON annotators.id = "
                        "annotator_id ORDER BY accounts.id",
                        {study.info().id}));
    Comers comers;
    for (const Row& row : rows) {
      comers.push_back({account_of(row), row.is_null(5) ? "" : row.text(5)});
    }
    return comers;
  });
}

// Whether they came; a name that is there stays whose it is.
Result<bool> let_in(Connection& connection, const Study& study, const Comer& comer) {
  const Account& who = comer.account;
  PLUMB_TRY(known, account_by(connection, "WHERE name = ?1", {who.name}));
  if (known) return false;
  PLUMB_TRY(account, insert_account(connection, who.name, who.role, who.password_hash,
                                    study.store().now_ms()));
  auto as_before = done(connection.execute("UPDATE accounts SET disabled = ?2 WHERE id = ?1",
                                           {account.id, std::int64_t{who.disabled}}));
  if (as_before && !comer.pseudonym.empty()) {
    as_before = enroll_as(connection, study, account.id, comer.pseudonym);
  }
  return as_before ? Result<bool>(true) : tl::unexpected(as_before.error());
}

// Sessions go, tokens stay as revoked.
Result<void> end_access(Connection& connection, std::int64_t account, std::int64_t now) {
  auto ended = done(connection.execute("DELETE FROM sessions WHERE account_id = ?1", {account}));
  if (!ended) return ended;
  return done(connection.execute(
      "UPDATE tokens SET revoked_ms = ?2 WHERE account_id = ?1 AND revoked_ms IS NULL",
      {account, now}));
}

Result<std::int64_t> other_owners(Connection& connection, std::int64_t account) {
  return connection.count(
      "SELECT COUNT(*) FROM accounts WHERE role = 'owner' AND disabled = 0 AND id <> ?1",
      {account});
}

}  // namespace

std::string_view role_name(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

std::optional<Role> parse_role(std::string_view name) {
  const auto* found = std::ranges::find(kRoleNames, name);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(found - kRoleNames.begin());
}

Result<std::int64_t> Accounts::count() const {
  return store_->read<std::int64_t>(
      [](Connection& connection) { return connection.count("SELECT COUNT(*) FROM accounts"); });
}

Result<Account> Accounts::create(const std::string& name, Role role,
                                 const std::string& password_hash) const {
  return store_->write<Account>([&](Connection& connection) {
    return insert_account(connection, name, role, password_hash, store_->now_ms());
  });
}

Result<std::optional<Account>> Accounts::find(const std::string& name) const {
  return store_->read<std::optional<Account>>(
      [&](Connection& connection) { return account_by(connection, "WHERE name = ?1", {name}); });
}

Result<void> Accounts::set_password_hash(std::int64_t account,
                                         const std::string& password_hash) const {
  return store_->write([&](Connection& connection) {
    return done(connection.execute("UPDATE accounts SET password_hash = ?2 WHERE id = ?1",
                                   {account, password_hash}));
  });
}

namespace {

// Whether somebody who is invited now could answer.
Result<void> check_open_to_people(Connection& connection, const StudyInfo& study) {
  if (auto open = check_not_frozen(connection, study); !open) return open;
  return check_company(connection, study, tasks::RaterKind::kPerson);
}

}  // namespace

Result<void> Accounts::invite(const std::string& token_sha256, Role role,
                              std::optional<std::int64_t> study,
                              std::optional<std::int64_t> invited_by) const {
  if (role == Role::kOwner || (role == Role::kAnnotator) != study.has_value()) {
    return fail(ErrorKind::kUsage,
                "an invitation is for a manager, adjudicator or viewer, or for an annotator of a "
                "study");
  }
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    if (study) {
      PLUMB_TRY(known, study_by_id(*store_, connection, *study));
      auto open = check_open_to_people(connection, known.info());
      if (!open) return open;
    }
    return done(connection.execute(
        "INSERT INTO invitations(token_sha256, study_id, role, invited_by, created_ms, expires_ms) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        {token_sha256, or_null(study), std::string(role_name(role)), or_null(invited_by), now,
         now + kInvitationMs}));
  });
}

Result<Account> Accounts::accept(const std::string& token_sha256, const std::string& name,
                                 const std::string& password_hash) const {
  const std::int64_t now = store_->now_ms();
  return store_->write<Account>([&](Connection& connection) -> Result<Account> {
    PLUMB_TRY(row,
              connection.first("SELECT role, study_id FROM invitations WHERE token_sha256 = ?1 "
                               "AND used_by IS NULL AND expires_ms >= ?2",
                               {token_sha256, now}));
    if (!row) {
      return fail(ErrorKind::kNotFound,
                  "the invitation is unknown, used, or too old; ask for another");
    }
    PLUMB_TRY(account,
              insert_account(connection, name, *parse_role(row->text(0)), password_hash, now));
    if (!row->is_null(1)) {
      PLUMB_TRY(study, study_by_id(*store_, connection, row->integer(1)));
      auto enrolled = enroll_account(connection, study, account.id);
      if (!enrolled) return tl::unexpected(enrolled.error());
    }
    auto used = connection.execute("UPDATE invitations SET used_by = ?2 WHERE token_sha256 = ?1",
                                   {token_sha256, account.id});
    if (!used) return tl::unexpected(used.error());
    return std::move(account);
  });
}

Result<std::vector<AccountLine>> Accounts::list() const {
  using Lines = std::vector<AccountLine>;
  return store_->read<Lines>([](Connection& connection) -> Result<Lines> {
    PLUMB_TRY(rows, connection.query(
                        "SELECT id, name, role, disabled, created_ms, (SELECT MAX(used_ms) FROM "
                        "sessions WHERE account_id = accounts.id) FROM accounts ORDER BY id"));
    Lines lines;
    for (const Row& row : rows) {
      lines.push_back(
          {{row.integer(0), row.text(1), *parse_role(row.text(2)), "", row.integer(3) != 0},
           row.integer(4),
           row.maybe_integer(5)});
    }
    return lines;
  });
}

Result<Account> Accounts::by_id(std::int64_t account) const {
  return store_->read<Account>([&](Connection& connection) -> Result<Account> {
    PLUMB_TRY(found, account_by(connection, "WHERE id = ?1", {account}));
    if (found) return std::move(*found);
    return fail(ErrorKind::kNotFound, fmt::format("there is no account {}", account));
  });
}

Result<void> Accounts::set_role(std::int64_t account, Role role) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    PLUMB_TRY(found, account_by(connection, "WHERE id = ?1", {account}));
    if (!found) return fail(ErrorKind::kNotFound, fmt::format("there is no account {}", account));
    if (found->role == Role::kAnnotator || role == Role::kAnnotator) {
      return fail(ErrorKind::kNotAllowed,
                  "annotators stay annotators, and nobody else becomes one; invite them anew");
    }
    PLUMB_TRY(others, other_owners(connection, account));
    if (found->role == Role::kOwner && role != Role::kOwner && others == 0) {
      return fail(ErrorKind::kNotAllowed, "the last owner stays one");
    }
    auto set = done(connection.execute("UPDATE accounts SET role = ?2 WHERE id = ?1",
                                       {account, std::string(role_name(role))}));
    return set ? end_access(connection, account, now) : set;
  });
}

Result<void> Accounts::set_disabled(std::int64_t account, bool disabled) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    PLUMB_TRY(found, account_by(connection, "WHERE id = ?1", {account}));
    if (!found) return fail(ErrorKind::kNotFound, fmt::format("there is no account {}", account));
    PLUMB_TRY(others, other_owners(connection, account));
    if (disabled && found->role == Role::kOwner && others == 0) {
      return fail(ErrorKind::kNotAllowed, "the last owner cannot be disabled");
    }
    auto set = done(connection.execute("UPDATE accounts SET disabled = ?2 WHERE id = ?1",
                                       {account, std::int64_t{disabled}}));
    return set && disabled ? end_access(connection, account, now) : set;
  });
}

Result<void> Accounts::change_password(std::int64_t account,
                                       const std::string& password_hash) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    auto set = done(connection.execute("UPDATE accounts SET password_hash = ?2 WHERE id = ?1",
                                       {account, password_hash}));
    return set ? end_access(connection, account, now) : set;
  });
}

Result<Account> Accounts::guest(std::int64_t study) const {
  return store_->write<Account>([&](Connection& connection) -> Result<Account> {
    PLUMB_TRY(of, study_by_id(*store_, connection, study));
    PLUMB_TRY(before,
              connection.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1", {study}));
    if (before >= of.info().overlap) {
      return fail(ErrorKind::kNotAllowed,
                  fmt::format("{} people have come already; start anew with another file",
                              of.info().overlap));
    }
    PLUMB_TRY(count, connection.count("SELECT COUNT(*) FROM accounts"));
    PLUMB_TRY(account, insert_account(connection, fmt::format("guest {}", count + 1),
                                      Role::kAnnotator, "", store_->now_ms()));
    auto enrolled = enroll_account(connection, of, account.id);
    if (!enrolled) return tl::unexpected(enrolled.error());
    return std::move(account);
  });
}

Result<std::optional<std::int64_t>> Accounts::annotator(std::int64_t account,
                                                        std::int64_t study) const {
  return store_->read<std::optional<std::int64_t>>(
      [&](Connection& connection) -> Result<std::optional<std::int64_t>> {
        PLUMB_TRY(row, connection.first("SELECT annotator_id FROM enrolments WHERE account_id = ?1 "
                                        "AND study_id = ?2",
                                        {account, study}));
        return row ? std::optional(row->integer(0)) : std::nullopt;
      });
}

Result<std::vector<std::int64_t>> Accounts::studies_of(std::int64_t account) const {
  return store_->read<std::vector<std::int64_t>>(
      [&](Connection& connection) -> Result<std::vector<std::int64_t>> {
        PLUMB_TRY(rows, connection.query("SELECT study_id FROM enrolments WHERE account_id = ?1 "
                                         "ORDER BY study_id",
                                         {account}));
        std::vector<std::int64_t> studies;
        for (const Row& row : rows) studies.push_back(row.integer(0));
        return studies;
      });
}

Result<std::size_t> carry_people(const Study& from, const Study& to) {
  PLUMB_TRY(comers, people_of(from));
  return to.store().write<std::size_t>([&](Connection& connection) -> Result<std::size_t> {
    std::size_t came = 0;
    for (const Comer& comer : comers) {
      PLUMB_TRY(is_new, let_in(connection, to, comer));
      came += is_new ? 1 : 0;
    }
    return came;
  });
}

}  // namespace plumb::study
