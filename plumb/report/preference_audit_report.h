// The audit of preference data (rlhf/preferences/preference_audit.h) in the forms in which it
// leaves the program.
#pragma once

#include <string>

#include "plumb/base/json.h"
#include "plumb/report/table.h"
#include "plumb/rlhf/preferences/preference_audit.h"

namespace plumb::report {

struct PreferenceAuditContext {
  const rlhf::PreferenceData* data;
  const rlhf::PreferenceAudit* audit;
  rlhf::AuditOptions options;
};

// plumb.reward-audit/1: every row of the audit as "<id>", "<id>_ci".
Json preference_audit_json(const PreferenceAuditContext& context);
Table preference_audit_table(const PreferenceAuditContext& context);  // for people
Table preference_audit_records(const PreferenceAuditContext& context);
std::string preference_audit_heading(const PreferenceAuditContext& context);
std::string preference_audit_notes(const PreferenceAuditContext& context);

}  // namespace plumb::report
