// Who asks: by the session of a person, by the token of a program.
#include <fmt/format.h>

#include "plumb/study/accounts.h"
#include "plumb/study/db/done.h"

namespace plumb::study {
namespace {

// Once a minute. Where the disk is full, whoever makes room, or exports what there is, must come
// in: what is not noted ends a session sooner, no more.
void note_use(Store& store, std::string_view table, const std::string& token_sha256,
              std::int64_t used_ms) {
  constexpr std::int64_t kNoteEveryMs = 60'000;
  const std::int64_t now = store.now_ms();
  if (now - used_ms < kNoteEveryMs) return;
  static_cast<void>(store.write([&](Connection& connection) {
    return done(
        connection.execute(fmt::format("UPDATE {} SET used_ms = ?2 WHERE token_sha256 = ?1", table),
                           {token_sha256, now}));
  }));
}

}  // namespace

Result<void> Accounts::start_session(std::int64_t account, const std::string& token_sha256) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    auto old = connection.execute("DELETE FROM sessions WHERE used_ms < ?1 OR created_ms < ?2",
                                  {now - kSessionIdleMs, now - kSessionLongestMs});
    if (!old) return tl::unexpected(old.error());
    return done(
        connection.execute("INSERT INTO sessions(token_sha256, account_id, created_ms, "
                           "used_ms) VALUES(?1, ?2, ?3, ?3)",
                           {token_sha256, account, now}));
  });
}

Result<std::optional<Account>> Accounts::session(const std::string& token_sha256) const {
  const std::int64_t now = store_->now_ms();
  std::int64_t used = now;
  using Found = std::optional<Account>;
  PLUMB_TRY(account, store_->read<Found>([&](Connection& connection) -> Result<Found> {
    PLUMB_TRY(row, connection.first(
                       "SELECT accounts.id, name, role, password_hash, used_ms FROM accounts JOIN "
                       "sessions ON sessions.account_id = accounts.id WHERE token_sha256 = ?1 AND "
                       "used_ms >= ?2 AND sessions.created_ms >= ?3 AND disabled = 0",
                       {token_sha256, now - kSessionIdleMs, now - kSessionLongestMs}));
    if (!row) return std::nullopt;
    used = row->integer(4);
    return Account{row->integer(0), row->text(1), *parse_role(row->text(2)), row->text(3), false};
  }));
  if (account) note_use(*store_, "sessions", token_sha256, used);
  return std::move(account);
}

Result<void> Accounts::end_session(const std::string& token_sha256) const {
  return store_->write([&](Connection& connection) {
    return done(connection.execute("DELETE FROM sessions WHERE token_sha256 = ?1", {token_sha256}));
  });
}

Result<std::optional<Account>> Accounts::bearer(const std::string& token_sha256) const {
  const std::int64_t now = store_->now_ms();
  std::int64_t used = now;
  using Found = std::optional<Account>;
  PLUMB_TRY(account, store_->read<Found>([&](Connection& connection) -> Result<Found> {
    PLUMB_TRY(row, connection.first(
                       "SELECT accounts.id, accounts.name, accounts.role, tokens.role, used_ms "
                       "FROM tokens JOIN accounts ON accounts.id = tokens.account_id WHERE "
                       "token_sha256 = ?1 AND revoked_ms IS NULL AND expires_ms > ?2 AND "
                       "disabled = 0",
                       {token_sha256, now}));
    if (!row) return std::nullopt;
    const Role own = *parse_role(row->text(2)), role = *parse_role(row->text(3));
    if (!covers(own, role)) return std::nullopt;
    used = row->maybe_integer(4).value_or(0);
    return Account{row->integer(0), row->text(1), role, "", false};
  }));
  if (account) note_use(*store_, "tokens", token_sha256, used);
  return std::move(account);
}

}  // namespace plumb::study
