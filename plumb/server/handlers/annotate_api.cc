// What annotators do. Nothing here tells more than what they are to see.
#include <fmt/format.h>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/study/own_progress.h"

namespace plumb::server {
namespace {

using study::Served;

Json served_json(const Served& served) {
  Json json = {{"slot", served.slot},
               {"task", served.task},
               {"kind", kind_name(served.kind)},
               {"instruction", served.instruction},
               {"item", served.body},
               {"training", served.training},
               {"guideline", served.guideline},
               {"lease_until_ms", served.lease_until_ms},
               {"revision", served.revision}};
  json["draft"] = served.draft ? *served.draft : Json(nullptr);
  json["answer"] = served.answer ? *served.answer : Json(nullptr);
  return json;
}

Json receipt_json(const study::Receipt& receipt) {
  Json json = {{"saved", true},
               {"revision", receipt.revision},
               {"late", receipt.late},
               {"surplus", receipt.surplus},
               {"again", receipt.again}};
  if (receipt.feedback) {
    json["feedback"] = {{"gold", receipt.feedback->gold},
                        {"closeness", receipt.feedback->closeness}};
  }
  return json;
}

std::optional<std::int64_t> whole(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

study::Timing timing_of(const Json& body) {
  const Json timing =
      body.contains("timing") && body["timing"].is_object() ? body["timing"] : Json::object();
  return {.shown_ms = whole(timing, "shown_ms"),
          .first_input_ms = whole(timing, "first_input_ms"),
          .submitted_ms = whole(timing, "submitted_ms"),
          .active_ms = whole(timing, "active_ms"),
          .idle_ms = whole(timing, "idle_ms"),
          .blurs = whole(timing, "blurs")};
}

std::string word(const Json& body, const char* field) {
  const auto found = body.find(field);
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

// A study with the annotator that asks.
struct Seat {
  study::Study study;
  std::int64_t annotator;
};

Result<Seat> seat_of(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(annotator, annotator_of(request));
  return Seat{std::move(found), annotator};
}

}  // namespace

Result<Response> show_own_progress(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(progress, study::own_progress(seat.study, seat.annotator));
  return Response{.body = {{"answered", progress.answered},
                           {"others", progress.others},
                           {"slots", progress.slots},
                           {"recent", progress.recent},
                           {"state", progress.frozen ? "frozen" : "open"}}};
}

Result<Response> next_item(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(next, seat.study.next(seat.annotator));
  const char* state = next.state == study::Next::State::kItem   ? "item"
                      : next.state == study::Next::State::kWait ? "wait"
                                                                : "finished";
  Json body = {{"state", state}};
  if (next.served) body["served"] = served_json(*next.served);
  return Response{.body = std::move(body)};
}

Result<Response> show_slot(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(served, seat.study.show(seat.annotator, request.ids[1]));
  return Response{.body = served_json(served)};
}

Result<Response> submit_answer(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  const Json& body = request.body;
  PLUMB_TRY(receipt,
            seat.study.submit(seat.annotator,
                              {.slot = request.ids[1],
                               .key = request.key,
                               .answer = body.contains("answer") ? body["answer"] : Json(),
                               .based_on = request.revision,
                               .flagged = body.contains("flagged") && body["flagged"] == true,
                               .comment = word(body, "comment"),
                               .timing = timing_of(body)}));
  return Response{.body = receipt_json(receipt)};
}

Result<Response> save_draft(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(held,
            seat.study.save_draft(seat.annotator, {request.ids[1], request.body.contains("answer")
                                                                       ? request.body["answer"]
                                                                       : Json()}));
  return Response{.body = {{"saved", true}, {"held", held}}};
}

Result<Response> renew_lease(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(held, seat.study.renew(seat.annotator, request.ids[1]));
  return Response{.body = {{"held", held}}};
}

Result<Response> skip_slot(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  const std::string reason = word(request.body, "reason");
  PLUMB_TRY(receipt, seat.study.skip(seat.annotator, {.slot = request.ids[1],
                                                      .key = request.key,
                                                      .reason = reason.empty() ? "other" : reason,
                                                      .comment = word(request.body, "comment")}));
  return Response{.body = receipt_json(receipt)};
}

Result<Response> undo_last(Context& context, const Request& request) {
  PLUMB_TRY(seat, seat_of(context, request));
  PLUMB_TRY(served, seat.study.undo(seat.annotator, request.key));
  return Response{.body = {{"served", served_json(served)}}};
}

}  // namespace plumb::server
