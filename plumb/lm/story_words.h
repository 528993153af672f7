// The words of the story grammar: what stories.h writes with and story_sentences.h reads by.
#pragma once

#include <string_view>

namespace plumb::lm {

struct StoryHero {
  std::string_view name, pronoun, possessive;
};

inline constexpr StoryHero kStoryHeroes[] = {{"Mia", "She", "her"},  {"Tom", "He", "his"},
                                             {"Sara", "She", "her"}, {"Ben", "He", "his"},
                                             {"Lily", "She", "her"}, {"Omar", "He", "his"}};
inline constexpr std::string_view kStoryColors[] = {"red",    "blue", "green",
                                                    "yellow", "tiny", "old"};
inline constexpr std::string_view kStoryThings[] = {"kite", "ball", "boat", "hat",
                                                    "drum", "lamp", "bear"};
inline constexpr std::string_view kStoryPlaces[] = {"forest", "garden", "river",
                                                    "market", "attic",  "barn"};
inline constexpr std::string_view kStoryFriends[] = {"a bird", "an old man", "the cat",
                                                     "a little girl", "the farmer"};
inline constexpr std::string_view kStorySearches[] = {
    "looked under a stone", "called all day", "walked along the path", "asked everyone there",
    "sat down and thought"};
inline constexpr std::string_view kStoryMoods[] = {"It was a warm day", "Rain fell on the roof",
                                                   "The sun was low", "The wind was loud"};

// The article before a color.
constexpr std::string_view story_article(std::string_view color) {
  return color == "old" ? "an" : "a";
}

}  // namespace plumb::lm
