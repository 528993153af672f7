// Signing in and out, invitations.
#include <fmt/format.h>

#include "plumb/server/api.h"
#include "plumb/server/common.h"

namespace plumb::server {

using study::Accounts;

Result<Response> sign_in(Context& context, const Request& request) {
  PLUMB_TRY(name, text_of(request, "name"));
  PLUMB_TRY(password, text_of(request, "password"));
  const std::string by_name = "name " + name, by_address = "address " + request.address;
  if (auto refused = too_often(context, {by_name, by_address})) return std::move(*refused);
  const Accounts accounts(context.store);
  PLUMB_TRY(account, accounts.find(name));
  const HashTurn turn(context);
  if (auto refused = too_often(context, {by_name, by_address})) return std::move(*refused);
  const bool known = account && !account->disabled;
  if (!verify_password(password, known ? account->password_hash : "", context.cost)) {
    context.limiter.failed(by_name);
    context.limiter.failed(by_address);
    return Response{.status = 401, .body = {{"error", "wrong name or password"}}};
  }
  context.limiter.succeeded(by_name);
  context.limiter.succeeded(by_address);
  if (needs_rehash(account->password_hash, context.cost)) {
    PLUMB_TRY(hash, hash_password(password, context.cost));
    auto kept = accounts.set_password_hash(account->id, hash);
    if (!kept) return tl::unexpected(kept.error());
  }
  return session_for(context, *account);
}

Result<Response> sign_out(Context& context, const Request& request) {
  auto ended = Accounts(context.store).end_session(token_hash(request.token));
  if (!ended) return tl::unexpected(ended.error());
  return Response{.session = ""};
}

Result<Response> who_am_i(Context& /*context*/, const Request& request) {
  return Response{.body = account_json(*request.account)};
}

Result<Response> invite(Context& context, const Request& request) {
  PLUMB_TRY(name, text_of(request, "role"));
  const auto role = study::parse_role(name);
  if (!role) return fail(ErrorKind::kUsage, fmt::format("there is no role \"{}\"", name));
  std::optional<std::int64_t> of_study;
  const auto found = request.body.find("study");
  if (found != request.body.end() && found->is_number_integer()) {
    of_study = found->get<std::int64_t>();
  }
  PLUMB_TRY(token, random_token());
  auto kept =
      Accounts(context.store).invite(token_hash(token), *role, of_study, request.account->id);
  if (!kept) return tl::unexpected(kept.error());
  return Response{.body = {{"token", token}, {"hours", study::kInvitationMs / 3'600'000}}};
}

Result<Response> accept_invitation(Context& context, const Request& request) {
  PLUMB_TRY(token, text_of(request, "token"));
  PLUMB_TRY(name, text_of(request, "name"));
  PLUMB_TRY(password, text_of(request, "password"));
  const std::string by_address = "address " + request.address;
  if (auto refused = too_often(context, {by_address})) return std::move(*refused);
  const HashTurn turn(context);
  if (auto refused = too_often(context, {by_address})) return std::move(*refused);
  PLUMB_TRY(hash, hash_password(password, context.cost));
  auto account = Accounts(context.store).accept(token_hash(token), name, hash);
  if (!account) {
    if (account.error().kind == ErrorKind::kNotFound) context.limiter.failed(by_address);
    return tl::unexpected(account.error());
  }
  return session_for(context, *account);
}

Result<Response> describe(Context& /*context*/, const Request& /*request*/) {
  return Response{.body = openapi()};
}

}  // namespace plumb::server
