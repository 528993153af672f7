// What adjudicators do: look at what annotators disagree on, and decide.
#include <fmt/format.h>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/study/review/adjudication.h"

namespace plumb::server {
namespace {

using study::Dispute;
using study::DisputeQuery;

Json statement_json(const study::Statement& one) {
  Json json = {{"annotator", one.annotator},
               {"answer", one.answer},
               {"guideline", one.guideline},
               {"at", study::utc_text(one.at_ms)},
               {"flagged", one.flagged}};
  if (!one.comment.empty()) json["comment"] = one.comment;
  return json;
}

Json decision_json(const study::Decision& one) {
  return {{"revision", one.revision},   {"adjudicator", one.adjudicator},
          {"answer", one.answer},       {"reason", one.reason},
          {"guideline", one.guideline}, {"at", study::utc_text(one.at_ms)},
          {"outdated", one.outdated}};
}

Json dispute_json(const study::Study& study, const Dispute& one) {
  Json json = {{"item", one.item},
               {"task", one.task},
               {"name", one.name},
               {"body", one.body},
               {"disagreement", one.disagreement},
               {"flagged", one.flagged},
               {"answers", Json::array()},
               {"decisions", Json::array()}};
  const auto task = study::find_task(study, one.task);
  if (task) json["kind"] = kind_name((*task)->header.kind);
  for (const auto& each : one.answers) json["answers"].push_back(statement_json(each));
  for (const auto& each : one.decisions) json["decisions"].push_back(decision_json(each));
  return json;
}

Result<DisputeQuery> query_for(const Request& request) {
  DisputeQuery query{.task = query_of(request, "task")};
  const std::string show = query_of(request, "show");
  if (show == "decided") query.show = DisputeQuery::Show::kDecided;
  if (show == "all") query.show = DisputeQuery::Show::kAll;
  if (!show.empty() && show != "open" && show != "decided" && show != "all") {
    return fail(ErrorKind::kUsage, "\"show\" is open, decided or all");
  }
  PLUMB_TRY(offset, whole_of(request, "offset", 0, 0, 1'000'000'000));
  PLUMB_TRY(most, whole_of(request, "most", 50, 0, study::kMostDisputes));
  query.offset = static_cast<std::size_t>(offset);
  query.most = static_cast<std::size_t>(most);
  return query;
}

}  // namespace

Result<Response> list_disputes(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(query, query_for(request));
  PLUMB_TRY(list, study::disputes(found, query));
  Json items = Json::array();
  for (const Dispute& one : list.disputes) items.push_back(dispute_json(found, one));
  return Response{
      .body = {{"open", list.open}, {"decided", list.decided}, {"items", std::move(items)}}};
}

Result<Response> show_dispute(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(one, study::dispute(found, request.ids[1]));
  return Response{.body = dispute_json(found, one)};
}

Result<Response> decide_dispute(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(reason, text_of(request, "reason"));
  const auto answer = request.body.find("answer");
  if (answer == request.body.end()) {
    return fail(ErrorKind::kUsage, "the body needs an \"answer\"; null withdraws the decision");
  }
  PLUMB_TRY(receipt, study::decide(found, request.account->id,
                                   {.item = request.ids[1],
                                    .key = request.key,
                                    .answer = *answer,
                                    .reason = reason,
                                    .based_on = request.revision}));
  return Response{
      .body = {{"saved", true}, {"revision", receipt.revision}, {"again", receipt.again}}};
}

}  // namespace plumb::server
