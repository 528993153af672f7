// One kept-alive connection to an HTTP server: a request out, an answer in, no policy. Used by
// http_client.h alone; sockets, TLS and cpp-httplib stay in http_connection.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb::raters {

struct HttpAddress {
  bool secure = false;    // https
  std::string host = {};  // a name, an IPv4 address, or an IPv6 address without its brackets
  int port = 80;
  std::string path = {};  // "/v1"; no slash at the end

  std::string text() const;  // "http://host:80/v1"

  bool operator==(const HttpAddress&) const = default;
};

// kUsage: neither http:// nor https://, no host, a port that is none, a name and password (they
// would be stored wherever the address is), a query or a fragment.
Result<HttpAddress> parse_address(std::string_view text);

struct ConnectionOptions {
  double connect_timeout_seconds = 10;
  double request_timeout_seconds = 120;  // from the first byte out to the last byte in
  std::size_t most_response_bytes = std::size_t{256} << 20;
  std::string certificate_file = {};  // PEM of who is trusted; "": whom the system trusts
};

struct HttpExchange {
  int status = 0;  // 0: no whole answer came, `failure` says why
  std::string body = {};
  std::string retry_after = {}, location = {};  // headers, "" where there are none
  std::string failure = {};
  bool refused = false;  // nobody listens there
  bool hopeless =
      false;  // the same would happen again: too large, a certificate nobody vouches for
};

class HttpConnection {
 public:
  HttpConnection(const HttpAddress& address, const ConnectionOptions& options);
  ~HttpConnection();

  // POSTs a JSON text. authorization: the value of that header, "" for none. Never throws, follows
  // no redirect, and is not stopped by SIGPIPE where the server hangs up.
  HttpExchange post(const std::string& path, const std::string& json,
                    const std::string& authorization);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumb::raters
