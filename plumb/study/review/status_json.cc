#include "plumb/study/review/status_json.h"

#include "plumb/base/version.h"

namespace plumb::study {
namespace {

Json score_json(const stats::Score& value, const stats::IntervalScore& ci, std::size_t n) {
  Json json = {{"n", n}, {"value", value ? Json(*value) : Json(nullptr)}, {"ci", nullptr}};
  if (ci) json["ci"] = {ci->low, ci->high};
  if (!value) json["reason"] = value.error().reason;
  return json;
}

Json annotator_json(const AnnotatorStatus& one) {
  return {{"annotator", one.annotator.pseudonym},
          {"kind", rater_kind_name(one.annotator.kind)},
          {"answers", one.answered},
          {"skipped", one.skipped},
          {"flagged", one.flagged},
          {"surplus", one.surplus},
          {"holding", one.holding},
          {"last", one.last_ms ? Json(utc_text(*one.last_ms)) : Json(nullptr)},
          {"gold", score_json(one.gold.value, one.gold.ci, one.gold.checks)},
          {"repeats", score_json(one.repeats.value, one.repeats.ci, one.repeats.checks)},
          {"active_seconds", score_json(one.active.seconds, one.active.ci, one.active.items)},
          {"idle_seconds", score_json(one.idle.seconds, one.idle.ci, one.idle.items)}};
}

Json agreement_json(const Result<LiveAgreement>& agreement) {
  if (!agreement) return {{"rows", Json::array()}, {"reason", agreement.error().message}};
  Json rows = Json::array();
  for (const tasks::AgreementRow& row : agreement->report.rows) {
    Json json = score_json(row.value, row.ci, agreement->report.pairable);
    json["id"] = row.id;
    rows.push_back(std::move(json));
  }
  return {{"rows", std::move(rows)},
          {"items", agreement->report.items},
          {"of_items", agreement->of_items},
          {"annotators", agreement->report.raters}};
}

Json task_json(const TaskStatus& task) {
  return {{"task", task.task.header.name},
          {"kind", kind_name(task.task.header.kind)},
          {"hash", task.task.items_sha256},
          {"items", task.task.items},
          {"slots", task.slots},
          {"open", task.open},
          {"leased", task.leased},
          {"answers", task.submitted},
          {"answered", task.answered_units},
          {"complete", task.complete_units}};
}

}  // namespace

Agreements live_agreements(const Study& study, const AgreementOptions& options) {
  Agreements agreements;
  for (const StudyTask& task : study.tasks()) {
    agreements.push_back(live_agreement(study, task, options));
  }
  return agreements;
}

Json status_json(const Study& study, const StudyStatus& status, const Agreements& agreements) {
  const StudyInfo& info = study.info();
  Json json = {{"schema", "plumb.study-status/1"},
               {"version", kVersion},
               {"study", info.name},
               {"created", utc_text(info.created_ms)},
               {"state", status.frozen ? "frozen" : "open"},
               {"frozen_sha256", status.frozen_sha256 ? Json(*status.frozen_sha256) : Json()},
               {"seed", info.seed},
               {"overlap", info.overlap},
               {"assignment", assignment_name(info.assignment)},
               {"guideline", status.guideline},
               {"tasks", Json::array()},
               {"annotators", Json::array()}};
  for (std::size_t t = 0; t < status.tasks.size(); ++t) {
    Json task = task_json(status.tasks[t]);
    if (t < agreements.size()) task["agreement"] = agreement_json(agreements[t]);
    json["tasks"].push_back(std::move(task));
  }
  for (const AnnotatorStatus& one : status.annotators) {
    json["annotators"].push_back(annotator_json(one));
  }
  return json;
}

}  // namespace plumb::study
