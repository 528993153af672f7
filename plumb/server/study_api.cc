// What researchers ask: studies, guidelines, status, exports.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/study/measure.h"

namespace plumb::server {
namespace {

using study::Accounts;
using study::Study;

Json study_json(const Study& study) {
  Json tasks = Json::array();
  for (const study::StudyTask& task : study.tasks()) {
    tasks.push_back(
        {{"task", task.header.name},
         {"kind", kind_name(task.header.kind)},
         {"instruction", task.header.instruction},
         {"language", task.header.language},
         {"labels", task.header.labels},
         {"scale", task.header.scale ? Json{task.header.scale->low, task.header.scale->high}
                                     : Json(nullptr)},
         {"groups", task.header.groups ? Json(*task.header.groups) : Json(nullptr)},
         {"items", task.items}});
  }
  return {{"study", study.info().id}, {"name", study.info().name}, {"tasks", std::move(tasks)}};
}

Json quality_json(const study::Quality& quality) {
  if (!quality.value) return {{"n", quality.checks}, {"reason", quality.value.error().reason}};
  return {{"n", quality.checks},
          {"value", *quality.value},
          {"ci", {quality.ci->low, quality.ci->high}}};
}

Json time_json(const study::ItemTime& time) {
  if (!time.seconds) return {{"n", time.items}, {"reason", time.seconds.error().reason}};
  Json json = {{"n", time.items}, {"value", *time.seconds}};
  json["ci"] = time.ci ? Json{time.ci->low, time.ci->high} : Json(nullptr);
  return json;
}

Json annotator_json(const study::AnnotatorStatus& one) {
  return {{"annotator", one.annotator.pseudonym},
          {"kind", rater_kind_name(one.annotator.kind)},
          {"answers", one.answered},
          {"skipped", one.skipped},
          {"flagged", one.flagged},
          {"surplus", one.surplus},
          {"gold", quality_json(one.gold)},
          {"repeats", quality_json(one.repeats)},
          {"active_seconds", time_json(one.active)},
          {"idle_seconds", time_json(one.idle)}};
}

}  // namespace

Result<Response> list_studies(Context& context, const Request& request) {
  PLUMB_TRY(own, Accounts(context.store).studies_of(request.account->id));
  PLUMB_TRY(names, Study::names(context.store));
  Json list = Json::array();
  for (const std::string& name : names) {
    PLUMB_TRY(found, Study::open(context.store, name));
    const bool enrolled = std::ranges::find(own, found.info().id) != own.end();
    if (request.account->role == study::Role::kAnnotator && !enrolled) continue;
    list.push_back({{"study", found.info().id}, {"name", name}, {"enrolled", enrolled}});
  }
  return Response{.body = {{"studies", std::move(list)}}};
}

Result<Response> show_study(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  return Response{.body = study_json(found)};
}

Result<Response> show_guidelines(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(now, found.guidelines());
  return Response{.body = {{"version", now.version}, {"markdown", now.markdown}}};
}

Result<Response> set_guidelines(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  const auto text = request.body.find("markdown");
  if (text == request.body.end() || !text->is_string()) {
    return fail(ErrorKind::kUsage, "the body needs a text \"markdown\"");
  }
  PLUMB_TRY(version, found.set_guidelines(text->get<std::string>()));
  return Response{.body = {{"version", version}}};
}

Result<Response> show_status(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(status, study::study_status(found));
  Json tasks = Json::array(), annotators = Json::array();
  for (const study::TaskStatus& task : status.tasks) {
    tasks.push_back({{"task", task.task.header.name},
                     {"slots", task.slots},
                     {"open", task.open},
                     {"leased", task.leased},
                     {"answers", task.submitted},
                     {"complete", task.complete_units}});
  }
  for (const study::AnnotatorStatus& one : status.annotators) {
    annotators.push_back(annotator_json(one));
  }
  return Response{.body = {{"state", status.frozen ? "frozen" : "open"},
                           {"guideline", status.guideline},
                           {"tasks", std::move(tasks)},
                           {"annotators", std::move(annotators)}}};
}

Result<Response> export_study(Context& context, const Request& request) {
  PLUMB_TRY(opened, study_of(context, request));
  const auto found = std::make_shared<Study>(std::move(opened));
  Response response;
  if (request.format == "csv") {
    response.content_type = "text/csv; charset=utf-8";
    response.file_name = "answers.csv";
    response.stream = [found](const study::Sink& sink) -> Result<void> {
      auto rows = study::export_csv(*found, false, sink);
      return rows ? Result<void>() : tl::unexpected(rows.error());
    };
    return response;
  }
  if (!request.format.empty() && request.format != "answers") {
    return fail(ErrorKind::kUsage, "\"format\" is answers or csv");
  }
  PLUMB_TRY(task, study::find_task(*found, ""));
  response.content_type = "application/x-ndjson";
  response.file_name = "answers.jsonl";
  response.stream = [found, &task = *task](const study::Sink& sink) -> Result<void> {
    auto lines = study::export_answers(*found, task, sink);
    return lines ? Result<void>() : tl::unexpected(lines.error());
  };
  return response;
}

Result<Response> freeze_study(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(hash, found.freeze());
  return Response{.body = {{"sha256", hash}}};
}

}  // namespace plumb::server
