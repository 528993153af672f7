#include "plumb/study/review/attached_links.h"

#include <fmt/format.h>

#include "plumb/base/hash.h"
#include "plumb/study/db/done.h"

namespace plumb::study {
namespace {

Result<void> remove(Connection& connection, std::int64_t study) {
  return done(connection.execute("DELETE FROM link_reports WHERE study_id = ?1", {study}));
}

Result<std::int64_t> count(Connection& connection, std::int64_t study) {
  return connection.count("SELECT COUNT(*) FROM link_reports WHERE study_id = ?1", {study});
}

}  // namespace

Result<void> attach_links(const Study& study, const std::string& title, const std::string& report,
                          const std::string& by) {
  return study.store().write([&](Connection& connection) -> Result<void> {
    if (auto gone = remove(connection, study.info().id); !gone) return gone;
    return done(connection.execute(
        "INSERT INTO link_reports(study_id, title, report, sha256, attached_by, attached_ms) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        {study.info().id, title, report, sha256(report), by, study.store().now_ms()}));
  });
}

Result<void> detach_links(const Study& study) {
  return study.store().write([&](Connection& connection) -> Result<void> {
    PLUMB_TRY(there, count(connection, study.info().id));
    if (there > 0) return remove(connection, study.info().id);
    return fail(ErrorKind::kNotFound,
                fmt::format("no report of links is attached to \"{}\"", study.info().name));
  });
}

Result<std::optional<AttachedLinks>> links_of(const Study& study) {
  using Found = std::optional<AttachedLinks>;
  return study.store().read<Found>([&](Connection& connection) -> Result<Found> {
    PLUMB_TRY(row, connection.first("SELECT title, report, sha256, attached_by, attached_ms FROM "
                                    "link_reports WHERE study_id = ?1",
                                    {study.info().id}));
    if (!row) return std::nullopt;
    return AttachedLinks{row->text(0), row->text(1), row->text(2), row->text(3), row->integer(4)};
  });
}

Result<bool> has_links(const Study& study) {
  PLUMB_TRY(there, study.store().read<std::int64_t>(
                       [&](Connection& connection) { return count(connection, study.info().id); }));
  return there > 0;
}

}  // namespace plumb::study
