// Tokens by which programs act for an account: made, listed, revoked.
#include <fmt/format.h>

#include "plumb/study/accounts.h"
#include "plumb/study/db/done.h"
#include "plumb/study/one_line.h"

namespace plumb::study {
namespace {

constexpr std::size_t kLongestTokenName = 100;

Token token_of(const Row& row) {
  return {row.integer(0), row.text(1),          *parse_role(row.text(2)), row.integer(3),
          row.integer(4), row.maybe_integer(5), row.maybe_integer(6)};
}

Result<void> check_token(Connection& connection, std::int64_t account, const std::string& name,
                         Role role, std::int64_t now) {
  if (!is_one_line(name, kLongestTokenName)) {
    return fail(ErrorKind::kUsage,
                fmt::format("a token's name is one line of 1 to {} bytes", kLongestTokenName));
  }
  PLUMB_TRY(owner, connection.first("SELECT role FROM accounts WHERE id = ?1", {account}));
  if (!owner || !covers(*parse_role(owner->text(0)), role)) {
    return fail(ErrorKind::kNotAllowed,
                fmt::format("this account can give no token the role {}", role_name(role)));
  }
  PLUMB_TRY(working, connection.count("SELECT COUNT(*) FROM tokens WHERE account_id = ?1 AND "
                                      "revoked_ms IS NULL AND expires_ms > ?2",
                                      {account, now}));
  if (working < kMostTokens) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("the account has {} tokens; revoke one first", kMostTokens));
}

}  // namespace

bool covers(Role account, Role token) {
  if (token == Role::kOwner) return false;
  if (account == Role::kAnnotator || token == Role::kAnnotator) return account == token;
  return account <= token;  // kRoles lists them from the most powerful on
}

Result<Token> Accounts::make_token(std::int64_t account, const std::string& token_sha256,
                                   const std::string& name, Role role,
                                   std::int64_t expires_ms) const {
  const std::int64_t now = store_->now_ms();
  return store_->write<Token>([&](Connection& connection) -> Result<Token> {
    if (auto fits = check_token(connection, account, name, role, now); !fits) {
      return tl::unexpected(fits.error());
    }
    PLUMB_TRY(id, connection.count("INSERT INTO tokens(token_sha256, account_id, name, role, "
                                   "created_ms, expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
                                   "RETURNING id",
                                   {token_sha256, account, name, std::string(role_name(role)), now,
                                    expires_ms}));
    return Token{id, name, role, now, expires_ms, std::nullopt, std::nullopt};
  });
}

Result<std::vector<Token>> Accounts::tokens_of(std::int64_t account) const {
  using Tokens = std::vector<Token>;
  return store_->read<Tokens>([&](Connection& connection) -> Result<Tokens> {
    PLUMB_TRY(rows, connection.query("SELECT id, name, role, created_ms, expires_ms, used_ms, "
                                     "revoked_ms FROM tokens WHERE account_id = ?1 ORDER BY id",
                                     {account}));
    Tokens tokens;
    for (const Row& row : rows) tokens.push_back(token_of(row));
    return tokens;
  });
}

Result<void> Accounts::revoke_token(std::int64_t account, std::int64_t token) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    PLUMB_TRY(known, connection.count("SELECT COUNT(*) FROM tokens WHERE id = ?1 AND "
                                      "account_id = ?2",
                                      {token, account}));
    if (known == 0) {
      return fail(ErrorKind::kNotFound, fmt::format("the account has no token {}", token));
    }
    return done(connection.execute(
        "UPDATE tokens SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL", {token, now}));
  });
}

}  // namespace plumb::study
