#include "plumb/study/db/schema.h"

namespace plumb::study {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE studies(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK(name <> ''),
  seed INTEGER NOT NULL,
  overlap INTEGER NOT NULL CHECK(overlap >= 1),
  assignment TEXT NOT NULL CHECK(assignment IN ('balanced', 'fixed', 'random')),
  seats INTEGER NOT NULL CHECK(seats >= 0),
  gold_rate REAL NOT NULL CHECK(gold_rate BETWEEN 0 AND 1),
  repeat_rate REAL NOT NULL CHECK(repeat_rate BETWEEN 0 AND 1),
  lease_ms INTEGER NOT NULL CHECK(lease_ms > 0),
  state TEXT NOT NULL CHECK(state IN ('open', 'frozen')),
  created_ms INTEGER NOT NULL,
  frozen_ms INTEGER,
  frozen_sha256 TEXT,
  program TEXT NOT NULL
);

CREATE TABLE guidelines(
  study_id INTEGER NOT NULL REFERENCES studies(id),
  version INTEGER NOT NULL CHECK(version >= 1),
  text TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY(study_id, version)
);

CREATE TABLE tasks(
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES studies(id),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  header TEXT NOT NULL,
  items_sha256 TEXT NOT NULL,
  items INTEGER NOT NULL,
  units INTEGER NOT NULL,
  UNIQUE(study_id, name),
  UNIQUE(study_id, position)
);

CREATE TABLE items(
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  role TEXT NOT NULL CHECK(role IN ('main', 'gold', 'training')),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  gold TEXT,
  sha256 TEXT NOT NULL,
  UNIQUE(task_id, role, name),
  UNIQUE(task_id, role, position)
);

CREATE TABLE annotators(
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES studies(id),
  pseudonym TEXT NOT NULL CHECK(pseudonym <> ''),
  kind TEXT NOT NULL CHECK(kind IN ('person', 'simulated')),
  seat INTEGER NOT NULL,
  given INTEGER NOT NULL DEFAULT 0,
  enrolled_ms INTEGER NOT NULL,
  UNIQUE(study_id, pseudonym)
);

CREATE TABLE slots(
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  item_id INTEGER NOT NULL REFERENCES items(id),
  purpose TEXT NOT NULL CHECK(purpose IN ('main', 'gold', 'repeat', 'training')),
  k INTEGER NOT NULL CHECK(k >= 0),
  seat INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('open', 'leased', 'submitted')),
  annotator_id INTEGER REFERENCES annotators(id),
  lease_until_ms INTEGER,
  answer_id INTEGER REFERENCES answers(id),
  UNIQUE(item_id, purpose, k),
  UNIQUE(item_id, purpose, annotator_id),
  CHECK((state = 'open') = (annotator_id IS NULL)),
  CHECK((state = 'leased') = (lease_until_ms IS NOT NULL)),
  CHECK((state = 'submitted') = (answer_id IS NOT NULL))
);
CREATE INDEX slots_open ON slots(task_id, seat, rank) WHERE state = 'open';
CREATE INDEX slots_leased ON slots(lease_until_ms) WHERE state = 'leased';
CREATE INDEX slots_annotator ON slots(annotator_id, task_id, purpose)
  WHERE annotator_id IS NOT NULL;

CREATE TRIGGER slots_within_overlap BEFORE INSERT ON slots WHEN NEW.purpose = 'main'
  AND NEW.k >= (SELECT overlap FROM studies JOIN tasks ON tasks.study_id = studies.id
                WHERE tasks.id = NEW.task_id)
BEGIN SELECT RAISE(ABORT, 'a slot beyond the overlap'); END;

CREATE TABLE leases(
  id INTEGER PRIMARY KEY,
  slot_id INTEGER NOT NULL REFERENCES slots(id),
  annotator_id INTEGER NOT NULL REFERENCES annotators(id),
  guideline INTEGER NOT NULL,
  granted_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  how TEXT CHECK(how IN ('submitted', 'skipped', 'expired'))
);
CREATE INDEX leases_slot ON leases(slot_id, annotator_id);
CREATE UNIQUE INDEX leases_running ON leases(slot_id) WHERE ended_ms IS NULL;
CREATE INDEX leases_held ON leases(annotator_id, id) WHERE ended_ms IS NULL;

CREATE TABLE answers(
  id INTEGER PRIMARY KEY,
  slot_id INTEGER NOT NULL REFERENCES slots(id),
  annotator_id INTEGER NOT NULL REFERENCES annotators(id),
  revision INTEGER NOT NULL CHECK(revision >= 1),
  request_key TEXT NOT NULL CHECK(request_key <> ''),
  request_sha256 TEXT NOT NULL,
  action TEXT NOT NULL CHECK(action IN ('answer', 'skip', 'withdraw')),
  body TEXT,
  flagged INTEGER NOT NULL DEFAULT 0 CHECK(flagged IN (0, 1)),
  comment TEXT NOT NULL DEFAULT '',
  late INTEGER NOT NULL DEFAULT 0 CHECK(late IN (0, 1)),
  surplus INTEGER NOT NULL DEFAULT 0 CHECK(surplus IN (0, 1)),
  guideline INTEGER NOT NULL,
  presented TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  shown_ms INTEGER,
  first_input_ms INTEGER,
  submitted_ms INTEGER,
  active_ms INTEGER,
  idle_ms INTEGER,
  blurs INTEGER,
  origin TEXT NOT NULL DEFAULT '',
  CHECK((action = 'withdraw') = (body IS NULL)),
  UNIQUE(slot_id, annotator_id, revision),
  UNIQUE(annotator_id, request_key)
);
CREATE INDEX answers_annotator ON answers(annotator_id, id);

CREATE TRIGGER answers_never_change BEFORE UPDATE ON answers
BEGIN SELECT RAISE(ABORT, 'answers are only appended'); END;
CREATE TRIGGER answers_never_go BEFORE DELETE ON answers
BEGIN SELECT RAISE(ABORT, 'answers are only appended'); END;

CREATE TABLE skipped(
  item_id INTEGER NOT NULL REFERENCES items(id),
  annotator_id INTEGER NOT NULL REFERENCES annotators(id),
  PRIMARY KEY(item_id, annotator_id)
) WITHOUT ROWID;

CREATE TABLE drafts(
  slot_id INTEGER NOT NULL REFERENCES slots(id),
  annotator_id INTEGER NOT NULL REFERENCES annotators(id),
  body TEXT NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY(slot_id, annotator_id)
) WITHOUT ROWID;
)sql";

// People who sign in. Passwords, sessions and invitations are stored as hashes alone.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE accounts(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK(name <> ''),
  role TEXT NOT NULL CHECK(role IN ('owner', 'manager', 'adjudicator', 'annotator', 'viewer')),
  password_hash TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK(disabled IN (0, 1))
);

CREATE TABLE enrolments(
  account_id INTEGER NOT NULL REFERENCES accounts(id),
  study_id INTEGER NOT NULL REFERENCES studies(id),
  annotator_id INTEGER NOT NULL UNIQUE REFERENCES annotators(id),
  PRIMARY KEY(account_id, study_id)
) WITHOUT ROWID;

CREATE TABLE sessions(
  token_sha256 TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts(id),
  created_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions(account_id);

CREATE TABLE invitations(
  token_sha256 TEXT PRIMARY KEY,
  study_id INTEGER REFERENCES studies(id),
  role TEXT NOT NULL CHECK(role IN ('manager', 'adjudicator', 'annotator', 'viewer')),
  invited_by INTEGER REFERENCES accounts(id),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_by INTEGER REFERENCES accounts(id),
  CHECK((role = 'annotator') = (study_id IS NOT NULL))
) WITHOUT ROWID;
)sql";

// What adjudicators decide, what models answered, and tokens for programs.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE adjudicators(
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES studies(id),
  account_id INTEGER NOT NULL REFERENCES accounts(id),
  pseudonym TEXT NOT NULL CHECK(pseudonym <> ''),
  UNIQUE(study_id, account_id),
  UNIQUE(study_id, pseudonym)
);

CREATE TABLE decisions(
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL REFERENCES items(id),
  revision INTEGER NOT NULL CHECK(revision >= 1),
  adjudicator_id INTEGER NOT NULL REFERENCES adjudicators(id),
  request_key TEXT NOT NULL CHECK(request_key <> ''),
  request_sha256 TEXT NOT NULL,
  action TEXT NOT NULL CHECK(action IN ('decide', 'withdraw')),
  body TEXT,
  reason TEXT NOT NULL CHECK(reason <> ''),
  guideline INTEGER NOT NULL,
  newest_answer INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  CHECK((action = 'withdraw') = (body IS NULL)),
  UNIQUE(item_id, revision),
  UNIQUE(adjudicator_id, request_key)
);

CREATE TRIGGER decisions_never_change BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only appended'); END;
CREATE TRIGGER decisions_never_go BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only appended'); END;

CREATE TABLE model_sheets(
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  rater TEXT NOT NULL CHECK(rater <> ''),
  kind TEXT NOT NULL CHECK(kind IN ('model', 'llm', 'reward model', 'baseline')),
  run INTEGER NOT NULL CHECK(run >= 0),
  answers TEXT NOT NULL,
  answered INTEGER NOT NULL,
  attached_by TEXT NOT NULL,
  attached_ms INTEGER NOT NULL,
  UNIQUE(task_id, rater, run)
);

CREATE TABLE tokens(
  id INTEGER PRIMARY KEY,
  token_sha256 TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES accounts(id),
  name TEXT NOT NULL CHECK(name <> ''),
  role TEXT NOT NULL CHECK(role IN ('manager', 'adjudicator', 'annotator', 'viewer')),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER,
  revoked_ms INTEGER
);
CREATE INDEX tokens_account ON tokens(account_id);
)sql";

// What the researcher's view counts, without a look at the rows.
constexpr const char* kVersion4 = R"sql(
CREATE INDEX slots_state ON slots(task_id, purpose, state, item_id);
DROP INDEX slots_annotator;
CREATE INDEX slots_annotator ON slots(annotator_id, purpose, task_id, state, answer_id)
  WHERE annotator_id IS NOT NULL;
CREATE INDEX answers_flagged ON answers(annotator_id) WHERE flagged = 1;
CREATE INDEX answers_surplus ON answers(annotator_id) WHERE surplus = 1;
CREATE INDEX skipped_annotator ON skipped(annotator_id);
)sql";

// The report of the three links that stands beside a study.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE link_reports(
  study_id INTEGER PRIMARY KEY REFERENCES studies(id),
  title TEXT NOT NULL,
  report TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  attached_by TEXT NOT NULL,
  attached_ms INTEGER NOT NULL
);
)sql";

// All that the status asks of slots is in the index.
constexpr const char* kVersion6 = R"sql(
DROP INDEX slots_state;
CREATE INDEX slots_state ON slots(task_id, purpose, state, item_id, annotator_id, answer_id);
)sql";

constexpr const char* kSteps[] = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5, kVersion6};

}  // namespace

std::span<const char* const> sqlite_schema_steps() { return kSteps; }

}  // namespace plumb::study
