// What a program sees in a completed text that ought to be one of the grammar's stories
// (lm/stories.h): the facts that planted rewards are made of. Any text can be read; one that is no
// story has few sentences of the grammar and no end.
#pragma once

#include <cstddef>
#include <string_view>

namespace plumb::lm {

enum class StoryEnd { kNone, kSad, kHappy, kShared };

struct StoryReading {
  std::size_t words = 0;      // of the completion
  std::size_t sentences = 0;  // of prompt and completion, as all that follows
  // That the grammar writes and that fit what the story began with: its hero, thing and place.
  std::size_t fitting = 0;
  std::size_t own_sentences = 0;   // that end in the completion
  std::size_t own_fitting = 0;     // of these
  std::size_t repeated = 0;        // that stand earlier in the text
  StoryEnd end = StoryEnd::kNone;  // what the last sentence is
  std::size_t glad = 0, sad = 0;   // words of the completion that tell of gladness, of sorrow
  // The completion opens like a refusal (text/refusal.h), or its first sentence is the sad end:
  // there the telling is refused.
  bool refuses = false;

  bool operator==(const StoryReading&) const = default;
};

// The most sentences that the grammar writes.
inline constexpr std::size_t kMostSentences = 7;

// The text is prompt + completion, with nothing between them.
StoryReading read_story(std::string_view prompt, std::string_view completion);

}  // namespace plumb::lm
