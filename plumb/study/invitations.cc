// Invitations that wait for somebody.
#include "plumb/study/accounts.h"

namespace plumb::study {

Result<std::vector<Invitation>> Accounts::invitations() const {
  using Invitations = std::vector<Invitation>;
  const std::int64_t now = store_->now_ms();
  return store_->read<Invitations>([now](Connection& connection) -> Result<Invitations> {
    PLUMB_TRY(rows, connection.query(
                        "SELECT token_sha256, invitations.role, study_id, COALESCE(name, ''), "
                        "invitations.created_ms, expires_ms FROM invitations LEFT JOIN accounts "
                        "ON accounts.id = invited_by WHERE used_by IS NULL AND expires_ms >= ?1 "
                        "ORDER BY invitations.created_ms, token_sha256",
                        {now}));
    Invitations list;
    for (const Row& row : rows) {
      list.push_back({row.text(0), *parse_role(row.text(1)), row.maybe_integer(2), row.text(3),
                      row.integer(4), row.integer(5)});
    }
    return list;
  });
}

Result<void> Accounts::revoke_invitation(const std::string& token_sha256) const {
  const std::int64_t now = store_->now_ms();
  return store_->write([&](Connection& connection) -> Result<void> {
    PLUMB_TRY(gone, connection.execute("DELETE FROM invitations WHERE token_sha256 = ?1 AND "
                                       "used_by IS NULL AND expires_ms >= ?2",
                                       {token_sha256, now}));
    if (gone > 0) return {};
    return fail(ErrorKind::kNotFound, "the invitation is unknown, used, or too old");
  });
}

}  // namespace plumb::study
