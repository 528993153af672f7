// The report of the three links beside a study.
#include "plumb/report/mismatch/links_file.h"
#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/study/review/attached_links.h"

namespace plumb::server {

Result<Response> show_links(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(links, study::links_of(found));
  Json body = {{"schema", "plumb.study-links/1"}, {"attached", links.has_value()}};
  if (links) {
    body.update({{"title", links->title},
                 {"attached_by", links->attached_by},
                 {"at", study::utc_text(links->attached_ms)},
                 {"sha256", links->sha256},
                 {"report", std::move(links->report)}});
  }
  return Response{.body = std::move(body)};
}

Result<Response> attach_links(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(text, text_of(request, "report"));
  PLUMB_TRY(checked, report::check_links_report(text, "report"));
  auto attached = study::attach_links(found, checked.title, text, request.account->name);
  if (!attached) return tl::unexpected(attached.error());
  return Response{.body = {{"title", checked.title}, {"sentence", checked.sentence}}};
}

Result<Response> detach_links(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  auto gone = study::detach_links(found);
  if (!gone) return tl::unexpected(gone.error());
  return Response{};
}

}  // namespace plumb::server
