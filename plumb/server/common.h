// Small pieces that the handlers share.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/server/api.h"
#include "plumb/study/study.h"

namespace plumb::server {

// The study in the request's path. kNotFound: there is none of that id.
Result<study::Study> study_of(Context& context, const Request& request);

// The annotator that the account is in the study of the path. kNotFound: it is none.
Result<std::int64_t> annotator_of(const Request& request);

// A field of the query; "" where there is none.
std::string query_of(const Request& request, std::string_view field);
// kUsage: it is no whole number in the range.
Result<std::int64_t> whole_of(const Request& request, std::string_view field,
                              std::int64_t otherwise, std::int64_t least, std::int64_t most);

// A text of the body. kUsage: it is none.
Result<std::string> text_of(const Request& request, const char* field);

// While it lives one password may be hashed.
class HashTurn {
 public:
  explicit HashTurn(Context& context) : context_(context) { context_.hashing.acquire(); }
  ~HashTurn() { context_.hashing.release(); }
  HashTurn(const HashTurn&) = delete;
  HashTurn& operator=(const HashTurn&) = delete;

 private:
  Context& context_;
};

// A new session of the account, with its cookie.
Result<Response> session_for(Context& context, const study::Account& account);
Json account_json(const study::Account& account);

// 429, with how long to wait, where failures of one of the keys ask for it. To be asked before the
// turn to hash, and in it: whoever waited there beside others may have failed by their tries.
std::optional<Response> too_often(const Context& context,
                                  std::initializer_list<std::string_view> keys);

}  // namespace plumb::server
