// Invitations that wait: who was asked to come, and taking it back.
#include "plumb/server/api.h"
#include "plumb/server/common.h"

namespace plumb::server {

using study::Accounts;

Result<Response> list_invitations(Context& context, const Request& /*request*/) {
  PLUMB_TRY(waiting, Accounts(context.store).invitations());
  Json list = Json::array();
  for (const study::Invitation& one : waiting) {
    list.push_back({{"invitation", one.token_sha256},
                    {"role", role_name(one.role)},
                    {"study", one.study ? Json(*one.study) : Json(nullptr)},
                    {"invited_by", one.invited_by},
                    {"made", study::utc_text(one.created_ms)},
                    {"expires", study::utc_text(one.expires_ms)}});
  }
  return Response{.body = {{"invitations", std::move(list)}}};
}

Result<Response> revoke_invitation(Context& context, const Request& request) {
  PLUMB_TRY(invitation, text_of(request, "invitation"));
  auto gone = Accounts(context.store).revoke_invitation(invitation);
  if (!gone) return tl::unexpected(gone.error());
  return Response{};
}

}  // namespace plumb::server
