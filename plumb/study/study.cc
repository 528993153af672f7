#include "plumb/study/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plumb/base/hash.h"
#include "plumb/base/nearest.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/slots.h"
#include "plumb/tasks/codec.h"

namespace plumb::study {
namespace {

using tasks::RaterKind;

constexpr std::array<std::string_view, 3> kAssignmentNames = {"balanced", "fixed", "random"};

constexpr std::size_t kLongestPseudonym = 100;

Result<std::vector<std::string>> study_names(Connection& connection) {
  PLUMB_TRY(rows, connection.query("SELECT name FROM studies ORDER BY id"));
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.text(0));
  return names;
}

Result<StudyInfo> load_info(Connection& connection, std::string_view name) {
  PLUMB_TRY(row, connection.first("SELECT id, name, seed, overlap, assignment, seats, gold_rate, "
                                  "repeat_rate, lease_ms, created_ms FROM studies WHERE name = ?1",
                                  {std::string(name)}));
  if (row) {
    return StudyInfo{row->integer(0),
                     row->text(1),
                     static_cast<std::uint64_t>(row->integer(2)),
                     static_cast<int>(row->integer(3)),
                     *parse_assignment(row->text(4)),
                     static_cast<int>(row->integer(5)),
                     row->number(6),
                     row->number(7),
                     row->integer(8),
                     row->integer(9)};
  }
  PLUMB_TRY(names, study_names(connection));
  const auto near = nearest(name, names);
  return fail(ErrorKind::kNotFound,
              fmt::format("there is no study \"{}\"; {}", name,
                          near            ? fmt::format("did you mean \"{}\"?", *near)
                          : names.empty() ? std::string("there is none at all")
                                          : fmt::format("there are {}", fmt::join(names, ", "))));
}

Result<std::vector<StudyTask>> load_tasks(Connection& connection, std::int64_t study) {
  PLUMB_TRY(rows, connection.query("SELECT id, header, items_sha256, items, units FROM tasks "
                                   "WHERE study_id = ?1 ORDER BY position",
                                   {study}));
  std::vector<StudyTask> tasks;
  for (const Row& row : rows) {
    PLUMB_TRY(header, tasks::parse_header(Json::parse(row.text(1), nullptr, false)));
    tasks.push_back(
        {row.integer(0), std::move(header), row.text(2), row.integer(3), row.integer(4)});
  }
  return tasks;
}

Result<std::optional<Annotator>> load_annotator(Connection& connection, std::int64_t study,
                                                const std::string& pseudonym) {
  PLUMB_TRY(row, connection.first("SELECT id, pseudonym, kind, seat FROM annotators "
                                  "WHERE study_id = ?1 AND pseudonym = ?2",
                                  {study, pseudonym}));
  if (!row) return std::nullopt;
  return Annotator{row->integer(0), row->text(1), *tasks::parse_rater_kind(row->text(2)),
                   static_cast<int>(row->integer(3))};
}

// The next free seat; 0 where nobody has one.
Result<std::int64_t> free_seat(Connection& connection, const StudyInfo& info) {
  if (info.assignment != Assignment::kFixed) return std::int64_t{0};
  PLUMB_TRY(taken,
            connection.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1", {info.id}));
  if (taken < info.seats) return taken + 1;
  return fail(
      ErrorKind::kNotAllowed,
      fmt::format("study \"{}\" is for {} annotators, and all have come", info.name, info.seats));
}

Result<Annotator> enroll_new(Connection& connection, const StudyInfo& info,
                             const std::string& pseudonym, RaterKind kind, std::int64_t now) {
  PLUMB_TRY(seat, free_seat(connection, info));
  PLUMB_TRY(id,
            connection.count("INSERT INTO annotators(study_id, pseudonym, kind, seat, "
                             "enrolled_ms) VALUES(?1, ?2, ?3, ?4, ?5) RETURNING id",
                             {info.id, pseudonym, std::string(rater_kind_name(kind)), seat, now}));
  return Annotator{id, pseudonym, kind, static_cast<int>(seat)};
}

Result<void> check_enrolment(const std::string& pseudonym, RaterKind kind) {
  if (pseudonym.empty() || pseudonym.size() > kLongestPseudonym) {
    return fail(ErrorKind::kUsage,
                fmt::format("an annotator's name has 1 to {} bytes", kLongestPseudonym));
  }
  if (kind == RaterKind::kPerson || kind == RaterKind::kSimulated) return {};
  return fail(ErrorKind::kUsage, "a study's annotators are people, or simulated");
}

}  // namespace

std::string_view assignment_name(Assignment assignment) {
  return kAssignmentNames[static_cast<std::size_t>(assignment)];
}

std::optional<Assignment> parse_assignment(std::string_view name) {
  const auto* found = std::ranges::find(kAssignmentNames, name);
  if (found == kAssignmentNames.end()) return std::nullopt;
  return static_cast<Assignment>(found - kAssignmentNames.begin());
}

Result<Study> Study::open(Store& store, std::string_view name) {
  using Loaded = std::pair<StudyInfo, std::vector<StudyTask>>;
  PLUMB_TRY(loaded, store.read<Loaded>([&](Connection& connection) -> Result<Loaded> {
    PLUMB_TRY(info, load_info(connection, name));
    PLUMB_TRY(tasks, load_tasks(connection, info.id));
    return Loaded(std::move(info), std::move(tasks));
  }));
  return Study(store, std::move(loaded.first), std::move(loaded.second));
}

Result<std::vector<std::string>> Study::names(Store& store) {
  return store.read<std::vector<std::string>>(study_names);
}

// People and simulated annotators never share a study, so that nobody counts the one as the other.
Result<void> check_company(Connection& connection, const StudyInfo& info, RaterKind kind) {
  PLUMB_TRY(others, connection.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1 AND "
                                     "kind <> ?2",
                                     {info.id, std::string(rater_kind_name(kind))}));
  if (others == 0) return {};
  return fail(
      ErrorKind::kNotAllowed,
      fmt::format("study \"{}\" has {}; people and simulated annotators never share a "
                  "study: make another with `plumb study new`",
                  info.name, kind == RaterKind::kPerson ? "simulated annotators" : "people"));
}

Result<std::optional<Annotator>> may_enroll(Connection& connection, const Study& study,
                                            const std::string& pseudonym, RaterKind kind) {
  if (auto fits = check_enrolment(pseudonym, kind); !fits) return tl::unexpected(fits.error());
  PLUMB_TRY(known, load_annotator(connection, study.info().id, pseudonym));
  if (known && known->kind != kind) {
    return fail(ErrorKind::kNotAllowed, fmt::format("\"{}\" is an annotator of kind \"{}\" here",
                                                    pseudonym, rater_kind_name(known->kind)));
  }
  if (known) return known;
  if (auto fits = check_company(connection, study.info(), kind); !fits) {
    return tl::unexpected(fits.error());
  }
  return std::nullopt;
}

Result<Annotator> enroll_in(Connection& connection, const Study& study,
                            const std::string& pseudonym, RaterKind kind) {
  PLUMB_TRY(known, may_enroll(connection, study, pseudonym, kind));
  if (known) return std::move(*known);
  return enroll_new(connection, study.info(), pseudonym, kind, study.store().now_ms());
}

Result<Annotator> Study::enroll(const std::string& pseudonym, RaterKind kind) const {
  return store_->write<Annotator>(
      [&](Connection& connection) { return enroll_in(connection, *this, pseudonym, kind); });
}

Result<Annotator> Study::annotator(const std::string& pseudonym) const {
  return store_->read<Annotator>([&](Connection& connection) -> Result<Annotator> {
    PLUMB_TRY(known, load_annotator(connection, info_.id, pseudonym));
    if (known) return std::move(*known);
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no annotator \"{}\"", info_.name, pseudonym));
  });
}

Result<std::int64_t> Study::set_guidelines(const std::string& markdown) const {
  return store_->write<std::int64_t>([&](Connection& connection) -> Result<std::int64_t> {
    PLUMB_TRY(version, guideline_version(connection, info_.id));
    return connection.count(
        "INSERT INTO guidelines(study_id, version, text, created_ms) "
        "VALUES(?1, ?2, ?3, ?4) RETURNING version",
        {info_.id, version + 1, markdown, store_->now_ms()});
  });
}

Result<Study::Guidelines> Study::guidelines(std::optional<std::int64_t> version) const {
  return store_->read<Guidelines>([&](Connection& connection) -> Result<Guidelines> {
    PLUMB_TRY(newest, guideline_version(connection, info_.id));
    PLUMB_TRY(row, connection.first("SELECT version, text FROM guidelines WHERE study_id = ?1 AND "
                                    "version = ?2",
                                    {info_.id, version.value_or(newest)}));
    if (row) return Guidelines{row->integer(0), row->text(1)};
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no version {} of its guidelines", info_.name,
                            version.value_or(newest)));
  });
}

Result<std::string> Study::freeze() const {
  return store_->write<std::string>([&](Connection& connection) -> Result<std::string> {
    PLUMB_TRY(before,
              connection.first("SELECT frozen_sha256 FROM studies WHERE id = ?1", {info_.id}));
    if (!before->is_null(0)) return before->text(0);
    PLUMB_TRY(hash, answers_sha256(connection, *this));
    auto done = connection.execute(
        "UPDATE studies SET state = 'frozen', frozen_ms = ?2, "
        "frozen_sha256 = ?3 WHERE id = ?1",
        {info_.id, store_->now_ms(), hash});
    if (!done) return tl::unexpected(done.error());
    return std::move(hash);
  });
}

Result<void> Study::reopen() const {
  return store_->write([&](Connection& connection) -> Result<void> {
    auto done = connection.execute(
        "UPDATE studies SET state = 'open', frozen_ms = NULL, "
        "frozen_sha256 = NULL WHERE id = ?1",
        {info_.id});
    if (!done) return tl::unexpected(done.error());
    return {};
  });
}

}  // namespace plumb::study
