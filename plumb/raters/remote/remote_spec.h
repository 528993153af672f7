// Names of models behind a server: http://HOST:PORT/v1#MODEL, or the address alone and the model
// apart.
//
//   if (is_remote(name)) { PLUMB_TRY(spec, parse_remote_spec(name)); ... }
#pragma once

#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/raters/remote/http_connection.h"

namespace plumb::raters {

struct RemoteSpec {
  HttpAddress address;  // up to /v1, or whatever stands before /embeddings and /chat/completions
  std::string model;    // as the server calls it
};

// Whether the name of a model is the address of a server.
bool is_remote(std::string_view name);

// model: an option beside the address, "" where there is none. A path that is not given is /v1.
// kUsage: no address (see parse_address()), a whole endpoint in place of its root, no name of a
// model, or two that differ.
Result<RemoteSpec> parse_remote_spec(std::string_view text, std::string_view model = "");

}  // namespace plumb::raters
