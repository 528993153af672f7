#include "plumb/text/tokens/json_node.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::tokens {

namespace dom = simdjson::dom;

tl::unexpected<Error> JsonNode::bad(std::string_view what) const {
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: {}: {}", *file_, path_.empty() ? "the document" : path_, what));
}

std::string JsonNode::kind() const {
  switch (value_.type()) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "a text";
    case dom::element_type::BOOL:
      return "true or false";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

JsonNode JsonNode::child(dom::element value, std::string_view key) const {
  return {value, *file_, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key)};
}

JsonNode JsonNode::child(dom::element value, std::size_t index) const {
  return {value, *file_, fmt::format("{}[{}]", path_, index)};
}

Result<dom::object> JsonNode::object() const {
  dom::object object;
  if (value_.get(object) != simdjson::SUCCESS)
    return bad(fmt::format("must be an object, it is {}", kind()));
  return object;
}

Result<JsonNode> JsonNode::at(std::string_view key) const {
  PLUMB_TRY(object, this->object());
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS) return bad(fmt::format("'{}' is missing", key));
  return child(value, key);
}

Result<std::optional<JsonNode>> JsonNode::find(std::string_view key) const {
  PLUMB_TRY(object, this->object());
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return child(value, key);
}

Result<std::vector<JsonNode>> JsonNode::items() const {
  dom::array array;
  if (value_.get(array) != simdjson::SUCCESS)
    return bad(fmt::format("must be a list, it is {}", kind()));
  std::vector<JsonNode> nodes;
  for (const dom::element item : array) nodes.push_back(child(item, nodes.size()));
  return nodes;
}

Result<void> JsonNode::only(std::initializer_list<std::string_view> keys) const {
  PLUMB_TRY(object, this->object());
  std::vector<std::string_view> seen;
  for (const auto field : object) {
    if (std::ranges::find(keys, field.key) == keys.end())
      return bad(fmt::format("'{}' is not supported here", field.key));
    if (std::ranges::find(seen, field.key) != seen.end())
      return bad(fmt::format("'{}' stands there twice", field.key));
    seen.push_back(field.key);
  }
  return {};
}

Result<std::string_view> JsonNode::text() const {
  std::string_view text;
  if (value_.get(text) != simdjson::SUCCESS)
    return bad(fmt::format("must be a text, it is {}", kind()));
  return text;
}

Result<bool> JsonNode::flag() const {
  bool flag = false;
  if (value_.get(flag) != simdjson::SUCCESS)
    return bad(fmt::format("must be true or false, it is {}", kind()));
  return flag;
}

Result<std::int64_t> JsonNode::whole(std::int64_t low, std::int64_t high) const {
  std::int64_t number = 0;
  if (value_.get(number) != simdjson::SUCCESS || number < low || number > high) {
    return bad(fmt::format("must be a whole number from {} to {}", low, high));
  }
  return number;
}

Result<std::string_view> JsonNode::text_at(std::string_view key) const {
  PLUMB_TRY(node, at(key));
  return node.text();
}

Result<std::string_view> JsonNode::text_or(std::string_view key, std::string_view otherwise) const {
  PLUMB_TRY(node, find(key));
  return node ? node->text() : otherwise;
}

Result<bool> JsonNode::flag_or(std::string_view key, bool otherwise) const {
  PLUMB_TRY(node, find(key));
  return node ? node->flag() : otherwise;
}

Result<std::int64_t> JsonNode::whole_or(std::string_view key, std::int64_t otherwise,
                                        std::int64_t low, std::int64_t high) const {
  PLUMB_TRY(node, find(key));
  return node ? node->whole(low, high) : otherwise;
}

}  // namespace plumb::tokens
