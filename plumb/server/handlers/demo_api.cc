// "Be the first human": visitors of a demonstration answer without an account of their own, and
// after some answers see where they stand among the built-in models.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/server/api.h"
#include "plumb/server/common.h"
#include "plumb/server/gap_so_far.h"
#include "plumb/study/review/sheets.h"

namespace plumb::server {
namespace {

using study::Accounts;

constexpr std::int64_t kAnswersNeeded = 20;

auto no_demo() { return fail(ErrorKind::kNotFound, "this server shows no demonstration"); }

bool is_loopback(std::string_view address) {
  return address == "127.0.0.1" || address == "::1" || address == "::ffff:127.0.0.1";
}

Result<study::Study> demo_of(Context& context) {
  if (!context.demo) return no_demo();
  Request request;
  request.ids = {*context.demo};
  return study_of(context, request);
}

Result<std::int64_t> answers_of(const study::Study& study, std::int64_t annotator) {
  return study.store().read<std::int64_t>([&](study::Connection& connection) {
    return connection.count(
        "SELECT COUNT(*) FROM slots WHERE annotator_id = ?1 AND purpose = "
        "'main' AND state = 'submitted'",
        {annotator});
  });
}

// This annotator's answers alone.
Result<study::TaskSheets> own_sheets(const study::Study& study, const study::StudyTask& task,
                                     const std::string& pseudonym) {
  PLUMB_TRY(loaded, study::load_sheets(study, task));
  std::erase_if(loaded.people,
                [&pseudonym](const tasks::AnswerSheet& sheet) { return sheet.rater != pseudonym; });
  return std::move(loaded);
}

Result<std::string> pseudonym_of(const study::Study& study, std::int64_t annotator) {
  return study.store().read<std::string>([annotator](
                                             study::Connection& connection) -> Result<std::string> {
    PLUMB_TRY(row, connection.first("SELECT pseudonym FROM annotators WHERE id = ?1", {annotator}));
    return row->text(0);
  });
}

Result<Json> standings(const study::Study& study, std::int64_t annotator) {
  PLUMB_TRY(pseudonym, pseudonym_of(study, annotator));
  Json tasks = Json::array();
  for (const study::StudyTask& task : study.tasks()) {
    PLUMB_TRY(own, own_sheets(study, task, pseudonym));
    PLUMB_TRY(gap, gap_of(study, task, own, {.resamples = 1000}));
    tasks.push_back(std::move(gap));
  }
  return tasks;
}

}  // namespace

Result<Response> is_demo(Context& context, const Request& /*request*/) {
  Json body = {{"demo", context.demo.has_value()}};
  if (context.demo) body["study"] = *context.demo;
  return Response{.body = std::move(body)};
}

Result<Response> enter_demo(Context& context, const Request& request) {
  if (!context.demo) return no_demo();
  if (!is_loopback(request.address)) {
    return fail(ErrorKind::kNotAllowed, "a demonstration is for this machine alone");
  }
  const Accounts accounts(context.store);
  if (!request.token.empty() && !request.by_program) {
    PLUMB_TRY(known, accounts.session(token_hash(request.token)));
    if (known) {
      PLUMB_TRY(annotator, accounts.annotator(known->id, *context.demo));
      Json body = account_json(*known);
      body["study"] = *context.demo;
      if (annotator) return Response{.body = std::move(body)};
    }
  }
  PLUMB_TRY(guest, accounts.guest(*context.demo));
  PLUMB_TRY(response, session_for(context, guest));
  response.body["study"] = *context.demo;
  return std::move(response);
}

Result<Response> show_standing(Context& context, const Request& request) {
  PLUMB_TRY(study, demo_of(context));
  PLUMB_TRY(annotator, Accounts(context.store).annotator(request.account->id, study.info().id));
  if (!annotator) {
    return fail(ErrorKind::kNotFound, "the account is no visitor of the demonstration");
  }
  PLUMB_TRY(answers, answers_of(study, *annotator));
  Json body = {{"schema", "plumb.standing/1"},
               {"answers", answers},
               {"needed", kAnswersNeeded},
               {"ready", answers >= kAnswersNeeded}};
  if (answers < kAnswersNeeded) return Response{.body = std::move(body)};
  PLUMB_TRY(tasks, standings(study, *annotator));
  body["tasks"] = std::move(tasks);
  return Response{.body = std::move(body)};
}

}  // namespace plumb::server
