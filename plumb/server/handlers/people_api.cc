// Accounts: who there is, who may no longer sign in, passwords, tokens of programs.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/server/api.h"
#include "plumb/server/common.h"

namespace plumb::server {
namespace {

using study::Account;
using study::Accounts;
using study::Role;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::string_view kTokenPrefix = "plumb_";

Json or_null(const std::optional<std::int64_t>& at_ms) {
  return at_ms ? Json(study::utc_text(*at_ms)) : Json(nullptr);
}

Json token_json(const study::Token& one) {
  return {{"token", one.id},
          {"name", one.name},
          {"role", role_name(one.role)},
          {"made", study::utc_text(one.created_ms)},
          {"expires", study::utc_text(one.expires_ms)},
          {"used", or_null(one.used_ms)},
          {"revoked", or_null(one.revoked_ms)}};
}

// A manager sets adjudicators and viewers, an owner everybody else.
Result<void> check_may_set_role(const Account& who, const Account& whom, Role role) {
  if (who.id == whom.id) {
    return fail(ErrorKind::kNotAllowed, "nobody changes the role of themselves");
  }
  const bool above = std::min(whom.role, role) <= Role::kManager;
  if (who.role == Role::kOwner || !above) return {};
  return fail(ErrorKind::kNotAllowed, "only an owner makes, or changes, managers and owners");
}

Result<void> check_may_disable(const Account& who, const Account& whom) {
  if (who.id == whom.id) return fail(ErrorKind::kNotAllowed, "nobody disables themselves");
  const bool above = whom.role == Role::kOwner || whom.role == Role::kManager;
  if (who.role == Role::kOwner || !above) return {};
  return fail(ErrorKind::kNotAllowed, "only an owner disables managers and owners");
}

Result<Response> set_disabled(Context& context, const Request& request, bool disabled) {
  const Accounts accounts(context.store);
  PLUMB_TRY(whom, accounts.by_id(request.ids.front()));
  if (auto may = check_may_disable(*request.account, whom); !may) {
    return tl::unexpected(may.error());
  }
  auto set = accounts.set_disabled(whom.id, disabled);
  if (!set) return tl::unexpected(set.error());
  return Response{.body = {{"account", whom.id}, {"disabled", disabled}}};
}

}  // namespace

Result<Response> list_accounts(Context& context, const Request& /*request*/) {
  PLUMB_TRY(lines, Accounts(context.store).list());
  Json list = Json::array();
  for (const study::AccountLine& one : lines) {
    list.push_back({{"account", one.account.id},
                    {"name", one.account.name},
                    {"role", role_name(one.account.role)},
                    {"disabled", one.account.disabled},
                    {"made", study::utc_text(one.created_ms)},
                    {"seen", or_null(one.seen_ms)}});
  }
  return Response{.body = {{"accounts", std::move(list)}}};
}

Result<Response> disable_account(Context& context, const Request& request) {
  return set_disabled(context, request, true);
}

Result<Response> enable_account(Context& context, const Request& request) {
  return set_disabled(context, request, false);
}

Result<Response> change_role(Context& context, const Request& request) {
  const Accounts accounts(context.store);
  PLUMB_TRY(whom, accounts.by_id(request.ids.front()));
  PLUMB_TRY(name, text_of(request, "role"));
  const auto role = study::parse_role(name);
  if (!role) return fail(ErrorKind::kUsage, fmt::format("there is no role \"{}\"", name));
  if (auto may = check_may_set_role(*request.account, whom, *role); !may) {
    return tl::unexpected(may.error());
  }
  auto set = accounts.set_role(whom.id, *role);
  if (!set) return tl::unexpected(set.error());
  return Response{.body = {{"account", whom.id}, {"role", role_name(*role)}}};
}

Result<Response> change_password(Context& context, const Request& request) {
  PLUMB_TRY(old_password, text_of(request, "old"));
  PLUMB_TRY(new_password, text_of(request, "new"));
  const std::string by_name = "name " + request.account->name;
  if (auto refused = too_often(context, {by_name})) return std::move(*refused);
  const HashTurn turn(context);
  if (auto refused = too_often(context, {by_name})) return std::move(*refused);
  if (!verify_password(old_password, request.account->password_hash, context.cost)) {
    context.limiter.failed(by_name);
    return fail(ErrorKind::kNotAllowed, "the old password is another");
  }
  context.limiter.succeeded(by_name);
  PLUMB_TRY(hash, hash_password(new_password, context.cost));
  auto changed = Accounts(context.store).change_password(request.account->id, hash);
  if (!changed) return tl::unexpected(changed.error());
  return session_for(context, *request.account);
}

Result<Response> list_tokens(Context& context, const Request& request) {
  PLUMB_TRY(tokens, Accounts(context.store).tokens_of(request.account->id));
  Json list = Json::array();
  for (const study::Token& one : tokens) list.push_back(token_json(one));
  return Response{.body = {{"tokens", std::move(list)}}};
}

Result<Response> make_token(Context& context, const Request& request) {
  PLUMB_TRY(name, text_of(request, "name"));
  PLUMB_TRY(role_text, text_of(request, "role"));
  const auto role = study::parse_role(role_text);
  if (!role) return fail(ErrorKind::kUsage, fmt::format("there is no role \"{}\"", role_text));
  const Json days = request.body.value("days", Json(90));
  if (!days.is_number_integer() || days.get<std::int64_t>() < 1 || days.get<std::int64_t>() > 366) {
    return fail(ErrorKind::kUsage, "\"days\" is a whole number from 1 to 366");
  }
  PLUMB_TRY(secret, random_token());
  const std::string token = std::string(kTokenPrefix) + secret;
  PLUMB_TRY(made, Accounts(context.store)
                      .make_token(request.account->id, token_hash(token), name, *role,
                                  context.store.now_ms() + days.get<std::int64_t>() * kDayMs));
  Json json = token_json(made);
  json["secret"] = token;
  return Response{.body = std::move(json)};
}

Result<Response> revoke_token(Context& context, const Request& request) {
  auto revoked = Accounts(context.store).revoke_token(request.account->id, request.ids.front());
  if (!revoked) return tl::unexpected(revoked.error());
  return Response{};
}

}  // namespace plumb::server
