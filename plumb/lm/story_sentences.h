// Reads what the story grammar writes: what each sentence of a text says, or that the grammar did
// not write it. Any text can be read.
//
//   for (std::string_view sentence : story_sentences(text)) {
//     if (auto read = read_story_sentence(sentence)) read->kind, read->thing;
//   }
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace plumb::lm {

enum class SentenceKind {
  kOpening,    // "Mia had a red kite"
  kLoss,       // "One day it got lost in the forest"
  kSearch,     // "She called all day"
  kMeeting,    // "In the forest Mia met the cat"
  kMood,       // "The sun was low"
  kHappyEnd,   // "Mia found the kite and was happy"
  kSharedEnd,  // "Mia found the kite and gave it to her friend"
  kSadEnd,     // "Mia never found the kite and went home sad"
};

// What it names; "" where it does not. Static texts.
struct StorySentence {
  SentenceKind kind;
  std::string_view hero = {}, pronoun = {}, thing = {}, place = {};
};

// The parts between full stops, without the blanks around them; empty ones are left out. What
// follows the last full stop is a sentence too.
std::vector<std::string_view> story_sentences(std::string_view text);

// A sentence without its full stop, blanks of any number between its words. Nothing: the grammar
// does not write it.
std::optional<StorySentence> read_story_sentence(std::string_view sentence);

}  // namespace plumb::lm
