#include "plumb/server/common.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace plumb::server {

Result<study::Study> Studies::of(study::Store& store, std::int64_t id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = studies_.find(id); known != studies_.end()) return known->second;
  }
  PLUMB_TRY(name,
            store.read<std::string>([id](study::Connection& connection) -> Result<std::string> {
              PLUMB_TRY(row, connection.first("SELECT name FROM studies WHERE id = ?1", {id}));
              if (row) return row->text(0);
              return fail(ErrorKind::kNotFound, fmt::format("there is no study {}", id));
            }));
  PLUMB_TRY(opened, study::Study::open(store, name));
  const std::lock_guard lock(mutex_);
  return studies_.emplace(id, std::move(opened)).first->second;
}

Result<study::Study> study_of(Context& context, const Request& request) {
  return context.studies.of(context.store, request.ids.front());
}

Result<std::int64_t> annotator_of(const Request& request) {
  if (request.annotator) return *request.annotator;
  return fail(ErrorKind::kNotFound, "the account is no annotator of this study");
}

std::string query_of(const Request& request, std::string_view field) {
  const auto found = request.query.find(field);
  return found == request.query.end() ? "" : found->second;
}

Result<std::int64_t> whole_of(const Request& request, std::string_view field,
                              std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const std::string text = query_of(request, field);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most) {
    return value;
  }
  return fail(ErrorKind::kUsage,
              fmt::format("\"{}\" is a whole number from {} to {}", field, least, most));
}

Result<std::string> text_of(const Request& request, const char* field) {
  const auto found = request.body.find(field);
  if (found != request.body.end() && found->is_string()) return found->get<std::string>();
  return fail(ErrorKind::kUsage, fmt::format("the body needs a text \"{}\"", field));
}

Json account_json(const study::Account& account) {
  return {{"account", account.id}, {"name", account.name}, {"role", role_name(account.role)}};
}

Result<Response> session_for(Context& context, const study::Account& account) {
  PLUMB_TRY(token, random_token());
  auto started = study::Accounts(context.store).start_session(account.id, token_hash(token));
  if (!started) return tl::unexpected(started.error());
  return Response{.body = account_json(account), .session = token};
}

std::optional<Response> too_often(const Context& context,
                                  std::initializer_list<std::string_view> keys) {
  std::int64_t wait_ms = 0;
  for (const std::string_view key : keys) {
    wait_ms = std::max(wait_ms, context.limiter.wait_ms(std::string(key)));
  }
  if (wait_ms == 0) return std::nullopt;
  return Response{.status = 429,
                  .body = {{"error", "too many failures; wait before the next try"},
                           {"retry_after_seconds", (wait_ms + 999) / 1000}}};
}

}  // namespace plumb::server
