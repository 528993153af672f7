#include "plumb/server/markdown.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "plumb/base/random.h"

namespace plumb::server {
namespace {

Json of(const char* text) { return Json::parse(text); }

// Every node of a tree, and how deep it lies.
void each_node(const Json& nodes, std::size_t depth,
               const std::function<void(const Json&, std::size_t)>& use) {
  for (const Json& node : nodes) {
    use(node, depth);
    if (node.contains("children")) each_node(node["children"], depth + 1, use);
  }
}

// What no tree may hold, whatever it was made of.
void expect_safe(const std::string& markdown) {
  const std::set<std::string> types = {"heading", "paragraph", "quote", "list",    "item", "code",
                                       "rule",    "table",     "row",   "cell",    "text", "strong",
                                       "strike",  "break",     "link",  "emphasis"};
  const std::set<std::string> fields = {"type",  "level", "children", "ordered",
                                        "start", "text",  "header",   "href"};
  each_node(markdown_blocks(markdown), 1, [&](const Json& node, std::size_t depth) {
    EXPECT_TRUE(types.contains(node["type"].get<std::string>())) << node;
    for (const auto& [field, value] : node.items()) EXPECT_TRUE(fields.contains(field)) << field;
    EXPECT_LE(depth, kDeepestMarkdown + 1) << markdown.substr(0, 80);
    const bool safe = !node.contains("href") || is_safe_link(node["href"].get<std::string>());
    EXPECT_TRUE(safe) << node;
  });
}

TEST(Markdown, BecomesATreeOfBlocks) {
  EXPECT_EQ(markdown_blocks("# Rules\n\nBe *kind*, **clear**\nand `exact`."),
            of(R"([{"type":"heading","level":1,"children":[{"type":"text","text":"Rules"}]},
                   {"type":"paragraph","children":[
                     {"type":"text","text":"Be "},
                     {"type":"emphasis","children":[{"type":"text","text":"kind"}]},
                     {"type":"text","text":", "},
                     {"type":"strong","children":[{"type":"text","text":"clear"}]},
                     {"type":"text","text":"\nand "},
                     {"type":"code","text":"exact"},
                     {"type":"text","text":"."}]}])"));
  EXPECT_EQ(markdown_blocks("3. a\n4. b"),
            of(R"([{"type":"list","ordered":true,"start":3,"children":[
                     {"type":"item","children":[{"type":"text","text":"a"}]},
                     {"type":"item","children":[{"type":"text","text":"b"}]}]}])"));
  EXPECT_EQ(markdown_blocks("|a|b|\n|---|---|\n|c|d|"), of(R"([{"type":"table","children":[
                     {"type":"row","children":[
                       {"type":"cell","header":true,"children":[{"type":"text","text":"a"}]},
                       {"type":"cell","header":true,"children":[{"type":"text","text":"b"}]}]},
                     {"type":"row","children":[
                       {"type":"cell","header":false,"children":[{"type":"text","text":"c"}]},
                       {"type":"cell","header":false,"children":[{"type":"text","text":"d"}]}]}]}])"));
  EXPECT_EQ(markdown_blocks("```\n<b>\n```\n\n---"),
            of(R"([{"type":"code","text":"<b>\n"},{"type":"rule"}])"));
  EXPECT_EQ(markdown_blocks("شرح &amp; &#x5d0;")[0]["children"][0]["text"], "شرح & \u05d0");
  EXPECT_EQ(markdown_blocks(""), Json::array());
}

TEST(Markdown, LinksToWebAndMailAndDropsTheOthers) {
  EXPECT_EQ(markdown_blocks("[a](https://x.org/?q=1&amp;r=2)")[0]["children"][0],
            of(R"({"type":"link","href":"https://x.org/?q=1&r=2",
                   "children":[{"type":"text","text":"a"}]})"));
  for (const char* hostile :
       {"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#115;cript:alert(1)",
        "java&Tab;script:alert(1)", "&#x6A;avascript:alert(1)", "data:text/html,x", "vbscript:x",
        "file:///etc/passwd", "//evil.example", "/api/logout", "#x", "\\javascript:x",
        "javascript&colon;alert(1)", "http:evil", "blob:x", ""}) {
    const Json tree = markdown_blocks(fmt::format("[a]({})", hostile));
    each_node(tree, 1, [hostile](const Json& node, std::size_t) {
      EXPECT_NE(node["type"], "link") << hostile << " " << node;
    });
  }
}

TEST(Markdown, HasNoHtmlAndNoImages) {
  const Json tree = markdown_blocks(
      "<script>alert(1)</script>\n\na <img src=x onerror=alert(1)> ![b](http://c/d)");
  EXPECT_EQ(tree[0]["children"][0]["text"], "<script>alert(1)</script>") << "shown as it is";
  EXPECT_EQ(to_text(tree).find("http://c/d"), std::string::npos) << tree;
  EXPECT_EQ(tree[1]["children"][0]["text"], "a <img src=x onerror=alert(1)> b");
}

TEST(Markdown, OfHostileTextsIsSafe) {
  const auto repeated = [](std::string_view piece, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += piece;
    return text;
  };
  for (const char* piece : {">", "> ", "- ", "1. ", "*", "**a ", "[", "[a](", "![", "`", "<", "&#",
                            "&#x110000;", "|", "~~", "\\", "\t", "<a href='javascript:1'>"}) {
    expect_safe(repeated(piece, 20'000));
    expect_safe(repeated(piece, 20'000) + "x" + repeated("\n", 10));
  }
  expect_safe(repeated("> - ", 500) + "deep");
  expect_safe(std::string("a\0b", 3));
  expect_safe("\xff\xfe[\x80](\xc3)");
}

TEST(Markdown, OfRandomPiecesIsSafe) {
  const std::vector<std::string> pieces = {"#",       "\n",
                                           "\n\n",    "> ",
                                           "- ",      "1. ",
                                           "*",       "**",
                                           "_",       "`",
                                           "```\n",   "[",
                                           "](",      ")",
                                           "![",      "javascript:",
                                           "data:",   "https://",
                                           "mailto:", "<",
                                           ">",       "<script>",
                                           "&#106;",  "&colon;",
                                           "&",       ";",
                                           "|",       "-|-\n",
                                           "~~",      "\\",
                                           " ",       "\t",
                                           "x",       "\u05d0",
                                           "\u202e",  "\r",
                                           "[a]: ",   std::string(1, '\0'),
                                           "\xff"};
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Stream stream(11, "markdown", i);
    std::string text;
    for (std::uint64_t n = stream.below(60); n > 0; --n)
      text += pieces[stream.below(pieces.size())];
    expect_safe(text);
  }
}

}  // namespace
}  // namespace plumb::server
