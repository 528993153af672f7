// Guidelines as people write them, in Markdown, as a tree that a page can show without trusting it:
// no HTML, no images, links to web and mail addresses alone.
//
//   Json blocks = markdown_blocks("# Rules\n\nBe *kind*.");
//
//   block   {"type": "heading", "level": 1-6, "children": [inline]}, paragraph, quote, list
//           ("ordered", "start"), item, code ("text"), rule, table, row, cell ("header": bool)
//   inline  {"type": "text", "text": ".."}, emphasis, strong, strike, code, break,
//           link ("href"); an image is its description, raw HTML is text
//
// Whatever the input, the tree is at most kDeepestMarkdown deep; what is nested deeper stands in
// the deepest level.
#pragma once

#include <cstddef>
#include <string_view>

#include "plumb/base/json.h"

namespace plumb::server {

inline constexpr std::size_t kDeepestMarkdown = 16;

Json markdown_blocks(std::string_view markdown);

// Whether a link may be followed: http, https or mailto, and nothing that a browser reads as
// something else.
bool is_safe_link(std::string_view address);

}  // namespace plumb::server
