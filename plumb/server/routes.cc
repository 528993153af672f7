#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "plumb/server/api.h"

namespace plumb::server {
namespace {

using study::Role;

constexpr Roles kOwner = bit(Role::kOwner), kManager = bit(Role::kManager);
constexpr Roles kAdjudicator = bit(Role::kAdjudicator), kAnnotator = bit(Role::kAnnotator);
constexpr Roles kViewer = bit(Role::kViewer);
constexpr Roles kManagers = kOwner | kManager;
constexpr Roles kResearchers = kManagers | kAdjudicator | kViewer;
constexpr Roles kAll = kResearchers | kAnnotator;
constexpr Roles kDeciders = kManagers | kAdjudicator;

constexpr Route kRoutes[] = {
    {"GET", "/api/openapi.json", kOpen, "this description", describe},
    {"POST",
     "/api/login",
     kOpen,
     "a session for a name and a password",
     sign_in,
     {.body = "name password"}},
    {"POST", "/api/logout", kAll, "ends the session", sign_out},
    {"GET", "/api/me", kAll, "whose session it is", who_am_i},
    {"PUT",
     "/api/me/password",
     kAll | kInPerson,
     "another password; all sessions end",
     change_password,
     {.body = "old new"}},
    {"GET", "/api/me/tokens", kAll | kInPerson, "tokens of programs that act for the account",
     list_tokens},
    {"POST",
     "/api/me/tokens",
     kAll | kInPerson,
     "a token for a program, shown once",
     make_token,
     {.body = "name role days?:integer"}},
    {"POST", "/api/me/tokens/{token}/revoke", kAll | kInPerson, "ends a token", revoke_token},
    {"GET", "/api/accounts", kManagers | kInPerson, "who may sign in", list_accounts},
    {"POST", "/api/accounts/{account}/disable", kManagers | kInPerson,
     "ends the account's sessions and tokens, and lets it in no more", disable_account},
    {"POST", "/api/accounts/{account}/enable", kManagers | kInPerson, "lets it in again",
     enable_account},
    {"PUT",
     "/api/accounts/{account}/role",
     kManagers | kInPerson,
     "another role; the account's sessions and tokens end",
     change_role,
     {.body = "role"}},
    {"GET", "/api/invitations", kManagers | kInPerson, "invitations that wait for somebody",
     list_invitations},
    {"POST",
     "/api/invitations/revoke",
     kManagers | kInPerson,
     "takes an invitation back",
     revoke_invitation,
     {.body = "invitation"}},
    {"POST",
     "/api/invitations",
     kManagers,
     "a link that makes one account, shown once",
     invite,
     {.body = "role study?:integer"}},
    {"POST",
     "/api/invitations/accept",
     kOpen,
     "an account for an invitation",
     accept_invitation,
     {.body = "token name password"}},
    {"GET", "/api/studies", kAll, "the studies that the account may see", list_studies},
    {"GET", "/api/studies/{study}", kAll, "a study and its tasks", show_study},
    {"GET", "/api/studies/{study}/guidelines", kAll, "what annotators are told", show_guidelines},
    {"PUT",
     "/api/studies/{study}/guidelines",
     kManagers,
     "the next version of it",
     set_guidelines,
     {.body = "markdown"}},
    {"POST",
     "/api/guidelines/preview",
     kManagers,
     "how guidelines would look",
     preview_guidelines,
     {.body = "markdown"}},
    {"GET", "/api/studies/{study}/status", kResearchers, "progress, quality and time", show_status},
    {"GET", "/api/studies/{study}/view", kResearchers,
     "status, agreement, disputes and the gap so far, as a snapshot", show_view},
    {"GET",
     "/api/studies/{study}/export",
     kManagers,
     "answers and decisions as a file: ?format=answers, csv, preferences, mteb, adjudicated, gold",
     export_study,
     {.query = "format? task? history?:integer subset?"}},
    {"GET",
     "/api/studies/{study}/disputes",
     kDeciders,
     "items that annotators disagree on: ?task, show=open|decided|all, offset, most",
     list_disputes,
     {.query = "task? show? offset?:integer most?:integer"}},
    {"GET", "/api/studies/{study}/disputes/{item}", kDeciders, "one item with its answers",
     show_dispute},
    {"PUT",
     "/api/studies/{study}/disputes/{item}/decision",
     kDeciders,
     "decides it, with a reason; an answer of null withdraws the decision",
     decide_dispute,
     {.body = "reason answer:object", .keyed = true, .revised = true}},
    {"GET", "/api/studies/{study}/models", kResearchers, "models whose answers are attached",
     list_models},
    {"POST",
     "/api/studies/{study}/models",
     kManagers,
     "attaches answers of models, or of the built-in ones",
     attach_model,
     {.body = "answers? built_in?:boolean task?"}},
    {"POST",
     "/api/studies/{study}/models/remove",
     kManagers,
     "takes a model's answers away",
     detach_model,
     {.body = "rater"}},
    {"GET", "/api/studies/{study}/links", kResearchers,
     "the report of the three links that is attached", show_links},
    {"POST",
     "/api/studies/{study}/links",
     kManagers,
     "attaches the text of a plumb.links-report/1",
     attach_links,
     {.body = "report"}},
    {"POST", "/api/studies/{study}/links/remove", kManagers, "takes the report of links away",
     detach_links},
    {"POST", "/api/studies/{study}/freeze", kManagers, "ends the study", freeze_study},
    {"GET", "/api/demo", kOpen, "whether this server shows a demonstration", is_demo},
    {"POST", "/api/demo", kOpen, "a visitor's session, on a demonstration alone", enter_demo},
    {"GET", "/api/demo/standing", kAnnotator,
     "a visitor's score among the built-in models, on a demonstration alone", show_standing},
    {"GET", "/api/studies/{study}/progress", kAnnotator, "how far one is", show_own_progress},
    {"POST", "/api/studies/{study}/next", kAnnotator, "the item to answer", next_item},
    {"POST",
     "/api/studies/{study}/undo",
     kAnnotator,
     "takes the last answer back",
     undo_last,
     {.keyed = true}},
    {"GET", "/api/studies/{study}/slots/{slot}", kAnnotator, "an own item again", show_slot},
    {"PUT",
     "/api/studies/{study}/slots/{slot}/answer",
     kAnnotator,
     "answers it",
     submit_answer,
     {.body = "answer:object flagged?:boolean comment? timing?:object",
      .keyed = true,
      .revised = true}},
    {"PUT",
     "/api/studies/{study}/slots/{slot}/draft",
     kAnnotator,
     "keeps a draft",
     save_draft,
     {.body = "answer:object"}},
    {"POST", "/api/studies/{study}/slots/{slot}/renew", kAnnotator, "keeps the item", renew_lease},
    {"POST",
     "/api/studies/{study}/slots/{slot}/skip",
     kAnnotator,
     "gives it back",
     skip_slot,
     {.body = "reason? comment?", .keyed = true}},
};

std::string_view take_segment(std::string_view& path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// The ids in a path of this pattern; nothing where it is another.
std::optional<std::vector<std::int64_t>> ids_of(std::string_view pattern, std::string_view path) {
  std::vector<std::int64_t> ids;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view wanted = take_segment(pattern), given = take_segment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != given) return std::nullopt;
      continue;
    }
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), id);
    if (error != std::errc() || end != given.data() + given.size() || id < 0) return std::nullopt;
    ids.push_back(id);
  }
  return ids;
}

Response failure(int status, std::string words) {
  return {.status = status, .body = {{"error", std::move(words)}}};
}

// Whether an annotator asks about a study that they are in; others see all of them.
Result<bool> may_see(Context& context, const Route& route, Request& request) {
  const bool of_study = route.pattern.starts_with("/api/studies/{study}");
  if (request.account->role != Role::kAnnotator || !of_study) return true;
  PLUMB_TRY(annotator,
            study::Accounts(context.store).annotator(request.account->id, request.ids.front()));
  request.annotator = annotator;
  return annotator.has_value();
}

std::optional<Response> refusal(Context& context, const Route& route, Request& request) {
  if (route.roles == kOpen) return std::nullopt;
  if (request.token.empty()) return failure(401, "sign in first");
  const study::Accounts accounts(context.store);
  const std::string hash = token_hash(request.token);
  auto account = request.by_program ? accounts.bearer(hash) : accounts.session(hash);
  if (!account) return failure(status_of(account.error().kind), account.error().message);
  if (!*account) {
    return failure(401, request.by_program ? "the token is unknown, revoked or too old"
                                           : "the session has ended; sign in again");
  }
  request.account = **account;
  if (!request.as.empty() && request.as != std::to_string(request.account->id)) {
    return failure(401, "somebody else has signed in here meanwhile; sign in again");
  }
  if ((route.roles & bit(request.account->role)) == 0) {
    return failure(403, fmt::format("not for the role {}", role_name(request.account->role)));
  }
  if (request.by_program && (route.roles & kInPerson) != 0) {
    return failure(403, "not by a program's token; sign in");
  }
  const auto seen = may_see(context, route, request);
  if (!seen) return failure(status_of(seen.error().kind), seen.error().message);
  if (*seen) return std::nullopt;
  return failure(404, "there is no such study for this account");
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::optional<Matched> match(std::string_view method, std::string_view path) {
  for (const Route& route : kRoutes) {
    if (route.method != method) continue;
    if (auto ids = ids_of(route.pattern, path)) return Matched{&route, std::move(*ids)};
  }
  return std::nullopt;
}

bool has_path(std::string_view path) {
  return std::ranges::any_of(
      kRoutes, [path](const Route& route) { return ids_of(route.pattern, path).has_value(); });
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return 400;
    case ErrorKind::kBadInput:
      return 422;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kBusy:
      return 409;
    case ErrorKind::kNotAllowed:
      return 403;
    case ErrorKind::kExhausted:
      return 507;
    default:
      return 500;
  }
}

Response answer(Context& context, const Route& route, Request request) {
  if (auto refused = refusal(context, route, request)) return std::move(*refused);
  auto response = route.handler(context, request);
  if (response) return std::move(*response);
  return failure(status_of(response.error().kind), response.error().message);
}

}  // namespace plumb::server
