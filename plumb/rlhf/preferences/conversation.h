// Conversations: what a completion completes, and what it says.
//
// Three forms are read: a plain text (one turn of no role), a list of {"role", "content"} as chat
// models take it, and a transcript of HH-RLHF, "\n\nHuman: ...\n\nAssistant: ...".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/text/trimmed.h"

namespace plumb::rlhf {

struct Turn {
  std::string role;  // "user", "assistant", "system", ...; "": a plain text
  std::string content;

  bool operator==(const Turn&) const = default;
};

using Conversation = std::vector<Turn>;

// The turns of a transcript, blanks around their texts left out; nothing where the text does not
// begin with "Human:" or "Assistant:" after two line breaks. A last turn may be empty.
std::optional<Conversation> parse_transcript(std::string_view text);

// A field that holds a text or a list of messages. kBadInput: missing, empty list, a message
// without "role" or "content" as texts.
Result<Conversation> parse_conversation(const Json& object, const char* field);

// What the last turn says, without the blanks around it; "" where there is no turn.
std::string_view last_text(const Conversation& conversation);

// One text: a plain text as it is, turns as a transcript. Distinct conversations of one form have
// distinct texts, so it also serves as the conversation's name.
std::string plain_text(const Conversation& conversation);

}  // namespace plumb::rlhf
