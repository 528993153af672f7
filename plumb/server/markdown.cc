#include "plumb/server/markdown.h"

#include <md4c.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace plumb::server {
namespace {

// U+FFFD for what is no scalar value.
void append_utf8(std::string& text, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  const auto byte = [&text](std::uint32_t value) { text += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6U);
    return byte(0x80 | (code & 0x3FU));
  }
  if (code < 0x10000) {
    byte(0xE0 | code >> 12U);
  } else {
    byte(0xF0 | code >> 18U);
    byte(0x80 | (code >> 12U & 0x3FU));
  }
  byte(0x80 | (code >> 6U & 0x3FU));
  byte(0x80 | (code & 0x3FU));
}

// The character of an entity; one that is not known stays as it was written.
std::string entity_text(std::string_view entity) {
  constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
      {"&amp;", "&"},        {"&lt;", "<"},         {"&gt;", ">"},
      {"&quot;", "\""},      {"&apos;", "'"},       {"&nbsp;", "\u00a0"},
      {"&ndash;", "\u2013"}, {"&mdash;", "\u2014"}, {"&hellip;", "\u2026"}};
  for (const auto& [name, text] : kNamed) {
    if (entity == name) return std::string(text);
  }
  if (!entity.starts_with("&#") || entity.size() < 4) return std::string(entity);
  std::string_view digits = entity.substr(2, entity.size() - 3);
  const bool hexadecimal = digits.front() == 'x' || digits.front() == 'X';
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t code = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
  std::string text;
  append_utf8(text, code);
  return text;
}

std::string attribute_text(const MD_ATTRIBUTE& attribute) {
  std::string text;
  for (std::size_t part = 0;
       attribute.substr_offsets != nullptr && attribute.substr_offsets[part] < attribute.size;
       ++part) {
    const MD_OFFSET begin = attribute.substr_offsets[part];
    const std::string_view piece(attribute.text + begin,
                                 attribute.substr_offsets[part + 1] - begin);
    text += attribute.substr_types[part] == MD_TEXT_ENTITY ? entity_text(piece) : piece;
  }
  return text;
}

// Builds the tree as the parser walks the text.
class Builder {
 public:
  Builder() { open_.push_back({{"children", Json::array()}}); }

  void enter(Json node) {
    if (open_.size() > kDeepestMarkdown) node = Json();  // its children go to its parent
    skipped_.push_back(node.is_null());
    if (node.is_null()) return;
    node["children"] = Json::array();
    open_.push_back(std::move(node));
  }
  void leave() {
    if (skipped_.empty()) return;
    const bool skipped = skipped_.back();
    skipped_.pop_back();
    if (skipped) return;
    Json node = std::move(open_.back());
    open_.pop_back();
    if (node["type"] == "code") node = code_of(node);
    open_.back()["children"].push_back(std::move(node));
  }
  void add_text(std::string_view text) {
    Json& children = open_.back()["children"];
    if (!children.empty() && children.back()["type"] == "text") {
      children.back()["text"].get_ref<std::string&>() += text;
    } else {
      children.push_back({{"type", "text"}, {"text", text}});
    }
  }
  void add(Json leaf) { open_.back()["children"].push_back(std::move(leaf)); }
  Json take() {
    while (open_.size() > 1) leave();
    return std::move(open_.front()["children"]);
  }

 private:
  static Json code_of(const Json& node) {
    std::string text;
    for (const Json& child : node["children"]) text += child.value("text", "\n");
    return {{"type", "code"}, {"text", std::move(text)}};
  }

  std::vector<Json> open_;
  std::vector<bool> skipped_;
};

Json block_of(MD_BLOCKTYPE type, void* detail) {
  switch (type) {
    case MD_BLOCK_QUOTE:
      return {{"type", "quote"}};
    case MD_BLOCK_UL:
      return {{"type", "list"}, {"ordered", false}};
    case MD_BLOCK_OL:
      return {{"type", "list"},
              {"ordered", true},
              {"start", static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start}};
    case MD_BLOCK_LI:
      return {{"type", "item"}};
    case MD_BLOCK_H:
      return {{"type", "heading"}, {"level", static_cast<MD_BLOCK_H_DETAIL*>(detail)->level}};
    case MD_BLOCK_CODE:
      return {{"type", "code"}};
    case MD_BLOCK_P:
      return {{"type", "paragraph"}};
    case MD_BLOCK_TABLE:
      return {{"type", "table"}};
    case MD_BLOCK_TR:
      return {{"type", "row"}};
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
      return {{"type", "cell"}, {"header", type == MD_BLOCK_TH}};
    default:
      return nullptr;  // the document, the parts of a table
  }
}

Json span_of(MD_SPANTYPE type, void* detail) {
  switch (type) {
    case MD_SPAN_EM:
      return {{"type", "emphasis"}};
    case MD_SPAN_STRONG:
      return {{"type", "strong"}};
    case MD_SPAN_DEL:
      return {{"type", "strike"}};
    case MD_SPAN_CODE:
      return {{"type", "code"}};
    case MD_SPAN_A: {
      std::string address = attribute_text(static_cast<MD_SPAN_A_DETAIL*>(detail)->href);
      if (!is_safe_link(address)) return nullptr;
      return {{"type", "link"}, {"href", std::move(address)}};
    }
    default:
      return nullptr;
  }
}

Builder& builder_of(void* data) { return *static_cast<Builder*>(data); }

int enter_block(MD_BLOCKTYPE type, void* detail, void* data) {
  if (type == MD_BLOCK_HR) {
    builder_of(data).add({{"type", "rule"}});
  } else {
    builder_of(data).enter(block_of(type, detail));
  }
  return 0;
}

int leave_block(MD_BLOCKTYPE type, void* /*detail*/, void* data) {
  if (type != MD_BLOCK_HR) builder_of(data).leave();
  return 0;
}

int enter_span(MD_SPANTYPE type, void* detail, void* data) {
  builder_of(data).enter(span_of(type, detail));
  return 0;
}

int leave_span(MD_SPANTYPE /*type*/, void* /*detail*/, void* data) {
  builder_of(data).leave();
  return 0;
}

int take_text(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* data) {
  const std::string_view piece(text, size);
  switch (type) {
    case MD_TEXT_BR:
      builder_of(data).add({{"type", "break"}});
      break;
    case MD_TEXT_SOFTBR:
      builder_of(data).add_text("\n");
      break;
    case MD_TEXT_NULLCHAR:
      builder_of(data).add_text("\uFFFD");
      break;
    case MD_TEXT_ENTITY:
      builder_of(data).add_text(entity_text(piece));
      break;
    default:
      builder_of(data).add_text(piece);
  }
  return 0;
}

}  // namespace

bool is_safe_link(std::string_view address) {
  const auto hides = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  if (std::ranges::any_of(address, hides)) return false;
  std::string scheme(address.substr(0, address.find(':')));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  if (scheme == "mailto") return address.size() > 7;
  return (scheme == "http" || scheme == "https") &&
         address.substr(scheme.size()).starts_with("://");
}

Json markdown_blocks(std::string_view markdown) {
  MD_PARSER parser = {};
  parser.flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH;
  parser.enter_block = enter_block;
  parser.leave_block = leave_block;
  parser.enter_span = enter_span;
  parser.leave_span = leave_span;
  parser.text = take_text;
  Builder builder;
  md_parse(markdown.data(), static_cast<MD_SIZE>(markdown.size()), &parser, &builder);
  return builder.take();
}

}  // namespace plumb::server
