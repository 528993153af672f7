// People who sign in: accounts, sessions, invitations, tokens for programs, and which annotator an
// account is in which study. What is secret is stored as a hash: a password as the string that its
// hash function made, a session, an invitation or a token as its SHA-256.
//
// Who uses it: the server, which makes tokens and hashes passwords (server/secrets.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/study/store.h"
#include "plumb/study/study.h"

namespace plumb::study {

enum class Role { kOwner, kManager, kAdjudicator, kAnnotator, kViewer };
inline constexpr Role kRoles[] = {Role::kOwner, Role::kManager, Role::kAdjudicator,
                                  Role::kAnnotator, Role::kViewer};
// "owner", "manager", "adjudicator", "annotator", "viewer"
std::string_view role_name(Role role);
std::optional<Role> parse_role(std::string_view name);

struct Account {
  std::int64_t id = 0;
  std::string name;
  Role role = Role::kViewer;
  std::string password_hash;
  bool disabled = false;
};

inline constexpr std::int64_t kSessionIdleMs = 12LL * 3600 * 1000;
inline constexpr std::int64_t kSessionLongestMs = 14LL * 24 * 3600 * 1000;
inline constexpr std::int64_t kInvitationMs = 72LL * 3600 * 1000;

// An invitation that nobody has used and that is not too old.
struct Invitation {
  std::string token_sha256;  // which it is; its link cannot be made from it
  Role role = Role::kViewer;
  std::optional<std::int64_t> study;
  std::string invited_by;  // a name; "" where it was made on the command line
  std::int64_t created_ms = 0, expires_ms = 0;
};

// An account as a manager sees it.
struct AccountLine {
  Account account;  // without its password
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> seen_ms;  // by its sessions that still run
};

struct Token {
  std::int64_t id = 0;
  std::string name;
  Role role = Role::kViewer;
  std::int64_t created_ms = 0, expires_ms = 0;
  std::optional<std::int64_t> used_ms, revoked_ms;
};
inline constexpr int kMostTokens = 50;  // of an account, that work

// Whether who has the one role may give a token the other: its own, or one that may do less; never
// the owner's, and an annotator's only an annotator.
bool covers(Role account, Role token);

class Accounts {
 public:
  explicit Accounts(Store& store) : store_(&store) {}

  Result<std::int64_t> count() const;

  // kNotAllowed: the name is taken. kUsage: no name that an account can have.
  Result<Account> create(const std::string& name, Role role,
                         const std::string& password_hash) const;
  Result<std::optional<Account>> find(const std::string& name) const;
  Result<void> set_password_hash(std::int64_t account, const std::string& password_hash) const;

  // Sessions end after kSessionIdleMs without use, and kSessionLongestMs in any case.
  Result<void> start_session(std::int64_t account, const std::string& token_sha256) const;
  Result<std::optional<Account>> session(const std::string& token_sha256) const;
  Result<void> end_session(const std::string& token_sha256) const;

  // An invitation works once, for kInvitationMs. study: of an annotator's.
  Result<void> invite(const std::string& token_sha256, Role role, std::optional<std::int64_t> study,
                      std::optional<std::int64_t> invited_by) const;
  // A new account by an invitation; an annotator is enrolled under the next free pseudonym, "R1",
  // "R2" and so on. kNotFound: there is no such invitation, or it is used, or too old.
  Result<Account> accept(const std::string& token_sha256, const std::string& name,
                         const std::string& password_hash) const;

  // Those that still work, the oldest first.
  Result<std::vector<Invitation>> invitations() const;
  // Nobody can use it any more. kNotFound: there is none that works.
  Result<void> revoke_invitation(const std::string& token_sha256) const;

  // Everybody, in the order in which they came.
  Result<std::vector<AccountLine>> list() const;
  // kNotFound: there is no such account.
  Result<Account> by_id(std::int64_t account) const;
  // Ends its sessions and tokens at once, and lets nobody sign in as it; or lets them again.
  // kNotAllowed: the last owner.
  Result<void> set_disabled(std::int64_t account, bool disabled) const;
  // Another role; all its sessions and tokens end. kNotAllowed: the last owner; an annotator, or to
  // become one, because answers are of a seat in a study, and nobody judges their own.
  Result<void> set_role(std::int64_t account, Role role) const;
  // Another password, of which this is the hash; all its sessions and tokens end.
  Result<void> change_password(std::int64_t account, const std::string& password_hash) const;

  // A token by which a program acts for an account, in a role that the account covers. kNotAllowed:
  // it does not. kUsage: no name, or too many tokens.
  Result<Token> make_token(std::int64_t account, const std::string& token_sha256,
                           const std::string& name, Role role, std::int64_t expires_ms) const;
  Result<std::vector<Token>> tokens_of(std::int64_t account) const;
  // kNotFound: the account has no such token. Revoked twice is no error.
  Result<void> revoke_token(std::int64_t account, std::int64_t token) const;
  // The account in the token's role; nothing for a token that is unknown, revoked or too old, of a
  // disabled account, or of a role that its account has no more.
  Result<std::optional<Account>> bearer(const std::string& token_sha256) const;

  // A new account without a password, enrolled as an annotator: of a demonstration. kNotAllowed:
  // the study has no slot for another annotator.
  Result<Account> guest(std::int64_t study) const;

  // The annotator that the account is in the study; nothing where it is none.
  Result<std::optional<std::int64_t>> annotator(std::int64_t account, std::int64_t study) const;
  Result<std::vector<std::int64_t>> studies_of(std::int64_t account) const;

 private:
  Store* store_;
};

// Everybody who has an account in the studio of `from` gets the same in that of `to`: name, role,
// password, and an annotator of `from` is one of `to` under the same pseudonym. Names that are
// there already stay as they are. How many came.
Result<std::size_t> carry_people(const Study& from, const Study& to);

}  // namespace plumb::study
