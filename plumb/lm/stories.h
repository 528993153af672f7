// Little stories with known attributes, written by a grammar: text that the project makes itself,
// to train a language model of seconds on, and to plant a truth in.
//
//   const std::vector<Story> stories = write_stories(6000, {.seed = 1});
//   stories[0].text;     // "Mia had a red kite. One day it got lost in the forest. ..."
//   stories[0].happy;    // how it ends
//
// Everyone who writes this language uses one list of words, so a tokenizer of whole
// words (story_tokenizer) covers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"

namespace plumb::lm {

struct Story {
  std::string text;
  std::string hero, thing, place;
  std::size_t sentences = 0;  // 3 to 7
  bool happy = false;         // the thing is found
  bool shares = false;        // the hero shares it with someone
};

struct StoryOptions {
  std::uint64_t seed = 0;
  double happy = 0.5;   // the share of stories that end well
  double shares = 0.3;  // of those in which the hero shares
};

// Story i depends on the seed and i alone.
std::vector<Story> write_stories(std::size_t count, const StoryOptions& options);

Json story_json(const Story& story);

// tokenizer.json: a token a word (its blank before it) or mark, and <unk>, <s>, </s>. Decoding
// gives a story back.
Json story_tokenizer();

}  // namespace plumb::lm
