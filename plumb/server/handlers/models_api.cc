// Models whose answers stand beside those of people in the researcher's view.
#include <fmt/format.h>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/study/review/models.h"
#include "plumb/tasks/answers_file.h"

namespace plumb::server {
namespace {

using Sheets = std::vector<tasks::AnswerSheet>;

// What is to be attached: the file that the body holds, or what the built-in models say.
Result<Sheets> sheets_for(Context& context, const Request& request, const tasks::Task& whole) {
  const auto built_in = request.body.find("built_in");
  if (built_in != request.body.end() && *built_in == true) {
    if (context.built_in) return context.built_in(whole);
    return fail(ErrorKind::kNotAllowed, "this server has no built-in models");
  }
  PLUMB_TRY(text, text_of(request, "answers"));
  return tasks::parse_answers(text, "answers", whole);
}

}  // namespace

Result<Response> list_models(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(sheets, study::models_of(found));
  Json list = Json::array();
  for (const study::ModelSheet& one : sheets) list.push_back(study::model_sheet_json(one));
  return Response{.body = {{"models", std::move(list)}}};
}

Result<Response> attach_model(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  const auto name = request.body.find("task");
  const bool named = name != request.body.end() && name->is_string();
  PLUMB_TRY(task, study::find_task(found, named ? name->get<std::string>() : ""));
  PLUMB_TRY(loaded, study::load_sheets(found, *task));
  PLUMB_TRY(sheets, sheets_for(context, request, loaded.task));
  auto attached = study::attach_models(found, *task, loaded.task, sheets, request.account->name);
  if (!attached) return tl::unexpected(attached.error());
  return Response{.body = {{"sheets", sheets.size()}}};
}

Result<Response> detach_model(Context& context, const Request& request) {
  PLUMB_TRY(found, study_of(context, request));
  PLUMB_TRY(rater, text_of(request, "rater"));
  auto gone = study::detach_model(found, rater);
  if (!gone) return tl::unexpected(gone.error());
  return Response{};
}

}  // namespace plumb::server
