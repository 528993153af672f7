// The API as a table of routes: who may call what, and what answers. Free of sockets; server.h
// binds it to HTTP. The test of roles and the OpenAPI description are made from this table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/server/login_limiter.h"
#include "plumb/server/secrets.h"
#include "plumb/server/views.h"
#include "plumb/study/accounts.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/store.h"
#include "plumb/study/study.h"
#include "plumb/tasks/answers.h"

namespace plumb::server {

// Bits of study::Role; kOpen: no session is needed.
using Roles = unsigned;
constexpr Roles bit(study::Role role) { return 1U << static_cast<unsigned>(role); }
inline constexpr Roles kOpen = 1U << 31U;
// Beside roles: not by a program's token, which must not make others or change passwords.
inline constexpr Roles kInPerson = 1U << 30U;

struct Request {
  std::vector<std::int64_t> ids;  // what stands for {study}, {slot} and the like in the path
  Json body = Json::object();
  std::string key;                       // of the header Idempotency-Key
  std::optional<std::int64_t> revision;  // of the header If-Match
  std::map<std::string, std::string, std::less<>> query = {};
  std::string address;                    // of the client
  std::string as;                         // of the header X-Plumb-Account; "": whoever it is
  std::string token;                      // of the session, or a program's; "": none
  bool by_program = false;                // the token is a program's
  std::optional<study::Account> account;  // whose it is
  std::optional<std::int64_t> annotator;  // that an annotator's account is in the study of the path
};

// Writes a body of any size, part by part.
using Stream = std::function<Result<void>(const study::Sink& sink)>;

struct Response {
  int status = 200;
  Json body = Json::object();
  std::optional<std::string> session = {};        // sets the cookie; "" removes it
  Stream stream = {};                             // instead of the body
  std::string content_type = {}, file_name = {};  // of a stream
};

// What built-in models answer to a task: of the program that starts the server.
using BuiltInModels = std::function<Result<std::vector<tasks::AnswerSheet>>(const tasks::Task&)>;

// Studies that were asked for: what one is never changes.
class Studies {
 public:
  // kNotFound: there is none of that id.
  Result<study::Study> of(study::Store& store, std::int64_t id);

 private:
  std::mutex mutex_;
  std::map<std::int64_t, study::Study> studies_;
};

// What handlers share.
struct Context {
  study::Store& store;
  LoginLimiter& limiter;
  Views& views;
  PasswordCost cost = {};
  std::optional<std::int64_t> demo = {};  // the study that visitors come to
  BuiltInModels built_in = {};
  Studies studies = {};
  std::counting_semaphore<> hashing{2};  // passwords hashed at once: each takes cost.memory_bytes
};

using Handler = Result<Response> (*)(Context&, const Request&);

// What a request brings beside its path, for the description: names with blanks between them,
// `?` behind those that may be left out, and `:boolean`, `:integer`, `:object` where they are no
// texts.
struct Takes {
  std::string_view body = {};
  std::string_view query = {};
  bool keyed = false;    // an Idempotency-Key, so that it may be sent again
  bool revised = false;  // If-Match: the revision that it is based on, if that matters
};

struct Route {
  std::string_view method;   // GET, POST, PUT
  std::string_view pattern;  // "/api/studies/{study}/next"
  Roles roles;
  std::string_view summary;  // one line, for the description
  Handler handler;
  Takes takes = {};
};

std::span<const Route> routes();

// The route of a request, with the ids of its path; nothing where there is none.
struct Matched {
  const Route* route = nullptr;
  std::vector<std::int64_t> ids;
};
std::optional<Matched> match(std::string_view method, std::string_view path);
// Whether the path has a route of another method.
bool has_path(std::string_view path);

// The HTTP status of an error: 400, 403, 404, 409, 422, 429, 500, 507.
int status_of(ErrorKind kind);

// Checks the session and the role, then calls the handler. Every failure is a response, whose body
// is {"error": words}.
Response answer(Context& context, const Route& route, Request request);

// OpenAPI 3.1, made from the table. What replies hold is described in docs/formats.md.
Json openapi();

// The handlers, by what they are about.
Result<Response> sign_in(Context& context, const Request& request);
Result<Response> sign_out(Context& context, const Request& request);
Result<Response> who_am_i(Context& context, const Request& request);
Result<Response> invite(Context& context, const Request& request);
Result<Response> accept_invitation(Context& context, const Request& request);
Result<Response> describe(Context& context, const Request& request);
Result<Response> list_studies(Context& context, const Request& request);
Result<Response> show_study(Context& context, const Request& request);
Result<Response> show_guidelines(Context& context, const Request& request);
Result<Response> set_guidelines(Context& context, const Request& request);
Result<Response> preview_guidelines(Context& context, const Request& request);
Result<Response> show_status(Context& context, const Request& request);
Result<Response> show_view(Context& context, const Request& request);
Result<Response> export_study(Context& context, const Request& request);
Result<Response> list_disputes(Context& context, const Request& request);
Result<Response> show_dispute(Context& context, const Request& request);
Result<Response> decide_dispute(Context& context, const Request& request);
Result<Response> list_models(Context& context, const Request& request);
Result<Response> attach_model(Context& context, const Request& request);
Result<Response> detach_model(Context& context, const Request& request);
Result<Response> show_links(Context& context, const Request& request);
Result<Response> attach_links(Context& context, const Request& request);
Result<Response> detach_links(Context& context, const Request& request);
Result<Response> list_invitations(Context& context, const Request& request);
Result<Response> revoke_invitation(Context& context, const Request& request);
Result<Response> change_role(Context& context, const Request& request);
Result<Response> list_accounts(Context& context, const Request& request);
Result<Response> disable_account(Context& context, const Request& request);
Result<Response> enable_account(Context& context, const Request& request);
Result<Response> change_password(Context& context, const Request& request);
Result<Response> list_tokens(Context& context, const Request& request);
Result<Response> make_token(Context& context, const Request& request);
Result<Response> revoke_token(Context& context, const Request& request);
Result<Response> is_demo(Context& context, const Request& request);
Result<Response> enter_demo(Context& context, const Request& request);
Result<Response> show_standing(Context& context, const Request& request);
Result<Response> freeze_study(Context& context, const Request& request);
Result<Response> show_own_progress(Context& context, const Request& request);
Result<Response> next_item(Context& context, const Request& request);
Result<Response> show_slot(Context& context, const Request& request);
Result<Response> submit_answer(Context& context, const Request& request);
Result<Response> save_draft(Context& context, const Request& request);
Result<Response> renew_lease(Context& context, const Request& request);
Result<Response> skip_slot(Context& context, const Request& request);
Result<Response> undo_last(Context& context, const Request& request);

}  // namespace plumb::server
