#include "plumb/raters/remote/remote_spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::raters {

bool is_remote(std::string_view name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

Result<RemoteSpec> parse_remote_spec(std::string_view text, std::string_view model) {
  const auto usage = [](std::string message) {
    return fail(ErrorKind::kUsage, std::move(message));
  };
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::string_view named = hash < text.size() ? text.substr(hash + 1) : "";
  RemoteSpec spec;
  PLUMB_TRY(address, parse_address(text.substr(0, hash)));
  spec.address = address;
  if (spec.address.path.empty()) spec.address.path = "/v1";
  for (const std::string_view endpoint : {"/embeddings", "/chat/completions", "/completions"}) {
    if (!spec.address.path.ends_with(endpoint)) continue;
    return usage(fmt::format("{}: give the address without \"{}\"; plumb adds it",
                             spec.address.text(), endpoint));
  }
  if (named.empty() && model.empty()) {
    return usage(fmt::format("{0}: which model of this server? Add its name, such as {0}#NAME",
                             spec.address.text()));
  }
  if (!named.empty() && !model.empty() && named != model) {
    return usage(fmt::format("{}: the address names the model \"{}\", the option \"{}\"",
                             spec.address.text(), named, model));
  }
  spec.model = named.empty() ? model : named;
  return spec;
}

}  // namespace plumb::raters
