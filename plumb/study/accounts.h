// People who sign in: accounts, sessions, invitations, and which annotator an account is in which
// study. What is secret is stored as a hash: a password as the string that its hash function made,
// a session or an invitation as the SHA-256 of its token.
//
// Who uses it: the server, which makes tokens and hashes passwords (server/secrets.h).
#pragma once

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

  // The annotator that the account is in the study; nothing where it is none.
  Result<std::optional<std::int64_t>> annotator(std::int64_t account, std::int64_t study) const;
  Result<std::vector<std::int64_t>> studies_of(std::int64_t account) const;

 private:
  Store* store_;
};

}  // namespace plumb::study
