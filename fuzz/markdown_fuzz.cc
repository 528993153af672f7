// Whatever the bytes are, guidelines become a tree of bounded depth whose links are safe.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plumb/server/markdown.h"

namespace {

void check(const plumb::Json& nodes, std::size_t depth) {
  if (depth > plumb::server::kDeepestMarkdown + 1) std::abort();
  for (const plumb::Json& node : nodes) {
    if (!node.contains("type")) std::abort();
    const auto link = node.find("href");
    if (link != node.end() && !plumb::server::is_safe_link(link->get<std::string>())) std::abort();
    if (node.contains("children")) check(node["children"], depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(plumb::server::markdown_blocks({reinterpret_cast<const char*>(data), size}), 1);
  return 0;
}
