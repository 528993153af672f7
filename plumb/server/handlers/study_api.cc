// What researchers ask: studies, guidelines, status, exports.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/server/markdown.h"
#include "plumb/study/measure.h"
#include "plumb/study/review/attached_links.h"
#include "plumb/study/review/status_json.h"

namespace plumb::server {
namespace {

using study::Accounts;
using study::Study;

constexpr std::size_t kLongestGuidelines = 1 << 20;

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
  Json body = study_json(found);
  if (request.account->role != study::Role::kAnnotator) {
    PLUMB_TRY(links, study::has_links(found));
    body["links"] = links;
  }
  return Response{.body = std::move(body)};
}

Result<Response> show_guidelines(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(version, whole_of(request, "version", 0, 1, 1'000'000'000));
  PLUMB_TRY(guidelines, found.guidelines(version == 0 ? std::nullopt : std::optional(version)));
  return Response{.body = {{"version", guidelines.version},
                           {"markdown", guidelines.markdown},
                           {"blocks", markdown_blocks(guidelines.markdown)}}};
}

Result<Response> set_guidelines(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(text, text_of(request, "markdown"));
  if (text.size() > kLongestGuidelines) {
    return fail(ErrorKind::kBadInput,
                fmt::format("guidelines have up to {} bytes", kLongestGuidelines));
  }
  PLUMB_TRY(version, found.set_guidelines(text));
  return Response{.body = {{"version", version}}};
}

Result<Response> preview_guidelines(Context& /*context*/, const Request& request) {
  PLUMB_TRY(text, text_of(request, "markdown"));
  if (text.size() > kLongestGuidelines) {
    return fail(ErrorKind::kBadInput,
                fmt::format("guidelines have up to {} bytes", kLongestGuidelines));
  }
  return Response{.body = {{"blocks", markdown_blocks(text)}}};
}

Result<Response> show_status(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(status, study::study_status(found));
  return Response{.body = study::status_json(found, status, {})};
}

Result<Response> show_view(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(view, context.views.of(found));
  return Response{.body = std::move(view)};
}

Result<Response> freeze_study(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(hash, found.freeze());
  return Response{.body = {{"sha256", hash}}};
}

}  // namespace plumb::server
