#include "plumb/rlhf/preferences/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace plumb::rlhf {
namespace {

struct Marker {
  std::string_view text, role;
};

constexpr std::array<Marker, 2> kMarkers = {
    {{"\n\nHuman:", "user"}, {"\n\nAssistant:", "assistant"}}};

struct Found {
  std::size_t at;
  const Marker* marker;
};

Found next_marker(std::string_view text, std::size_t from) {
  Found first{std::string_view::npos, nullptr};
  for (const Marker& marker : kMarkers) {
    const std::size_t at = text.find(marker.text, from);
    if (at < first.at) first = {at, &marker};
  }
  return first;
}

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

Result<Turn> parse_message(const Json& message, const char* field) {
  Turn turn;
  for (const auto& [name, member] : {std::pair("role", &turn.role), {"content", &turn.content}}) {
    const auto found = message.is_object() ? message.find(name) : message.end();
    if (found == message.end() || !found->is_string()) {
      return bad(
          fmt::format("a message of \"{}\" has no text \"{}\"; it must be "
                      "{{\"role\": \"user\", \"content\": \"...\"}}",
                      field, name));
    }
    *member = found->get<std::string>();
  }
  return turn;
}

}  // namespace

std::optional<Conversation> parse_transcript(std::string_view text) {
  Found found = next_marker(text, 0);
  if (found.at != 0) return std::nullopt;
  Conversation turns;
  while (found.marker != nullptr) {
    const std::size_t begin = found.at + found.marker->text.size();
    const Found next = next_marker(text, begin);
    turns.push_back({std::string(found.marker->role),
                     std::string(trimmed(text.substr(begin, next.at - begin)))});
    found = next;
  }
  return turns;
}

Result<Conversation> parse_conversation(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end()) return bad(fmt::format("\"{}\" is missing", field));
  if (found->is_null()) return bad(fmt::format("\"{}\" is null", field));
  if (found->is_string()) return Conversation{{"", found->get<std::string>()}};
  if (!found->is_array() || found->empty()) {
    return bad(fmt::format("\"{}\" is neither a text nor a list of messages", field));
  }
  Conversation turns;
  for (const Json& message : *found) {
    PLUMB_TRY(turn, parse_message(message, field));
    turns.push_back(std::move(turn));
  }
  return turns;
}

std::string_view last_text(const Conversation& conversation) {
  return conversation.empty() ? std::string_view() : trimmed(conversation.back().content);
}

std::string plain_text(const Conversation& conversation) {
  std::string text;
  for (const Turn& turn : conversation) {
    const auto marker = std::ranges::find(kMarkers, turn.role, &Marker::role);
    if (marker != kMarkers.end()) {
      text.append(marker->text).append(" ");
    } else if (!turn.role.empty()) {
      text.append("\n\n").append(turn.role).append(": ");
    }
    text += turn.content;
  }
  return text;
}

}  // namespace plumb::rlhf
