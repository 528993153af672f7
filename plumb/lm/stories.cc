#include "plumb/lm/stories.h"

#include <fmt/format.h>

#include <set>
#include <span>

#include "plumb/base/random.h"

namespace plumb::lm {
namespace {

struct Hero {
  std::string_view name, pronoun, possessive;
};
constexpr Hero kHeroes[] = {{"Mia", "She", "her"}, {"Tom", "He", "his"},   {"Sara", "She", "her"},
                            {"Ben", "He", "his"},  {"Lily", "She", "her"}, {"Omar", "He", "his"}};
constexpr std::string_view kColors[] = {"red", "blue", "green", "yellow", "tiny", "old"};
constexpr std::string_view kThings[] = {"kite", "ball", "boat", "hat", "drum", "lamp", "bear"};
constexpr std::string_view kPlaces[] = {"forest", "garden", "river", "market", "attic", "barn"};
constexpr std::string_view kFriends[] = {"a bird", "an old man", "the cat", "a little girl",
                                         "the farmer"};
constexpr std::string_view kSearches[] = {"looked under a stone", "called all day",
                                          "walked along the path", "asked everyone there",
                                          "sat down and thought"};
constexpr std::string_view kMoods[] = {"It was a warm day.", "Rain fell on the roof.",
                                       "The sun was low.", "The wind was loud."};

template <typename T, std::size_t n>
const T& one_of(const T (&choices)[n], Stream& stream) {
  return choices[stream.below(n)];
}

// The sentences between the loss and the end.
std::vector<std::string> middle(const Hero& hero, std::string_view place, Stream& stream) {
  std::vector<std::string> sentences;
  const std::size_t count = stream.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    switch (stream.below(3)) {
      case 0:
        sentences.push_back(fmt::format("{} {}.", hero.pronoun, one_of(kSearches, stream)));
        break;
      case 1:
        sentences.push_back(
            fmt::format("In the {} {} met {}.", place, hero.name, one_of(kFriends, stream)));
        break;
      default:
        sentences.emplace_back(one_of(kMoods, stream));
    }
  }
  return sentences;
}

std::string ending(const Hero& hero, std::string_view thing, const Story& story) {
  if (!story.happy) {
    return fmt::format("{} never found the {} and went home sad.", hero.name, thing);
  }
  if (story.shares) {
    return fmt::format("{} found the {} and gave it to {} friend.", hero.name, thing,
                       hero.possessive);
  }
  return fmt::format("{} found the {} and was happy.", hero.name, thing);
}

Story write_story(const StoryOptions& options, std::size_t index) {
  Stream stream(options.seed, "story", index);
  const Hero& hero = one_of(kHeroes, stream);
  const std::string_view color = one_of(kColors, stream), thing = one_of(kThings, stream),
                         place = one_of(kPlaces, stream);
  Story story{{}, std::string(hero.name), std::string(thing), std::string(place)};
  story.happy = stream.uniform() < options.happy;
  story.shares = story.happy && stream.uniform() < options.shares;
  std::vector<std::string> sentences = {
      fmt::format("{} had {} {} {}.", hero.name, color == "old" ? "an" : "a", color, thing),
      fmt::format("One day it got lost in the {}.", place)};
  for (std::string& sentence : middle(hero, place, stream)) {
    sentences.push_back(std::move(sentence));
  }
  sentences.push_back(ending(hero, thing, story));
  story.sentences = sentences.size();
  story.text = fmt::format("{}", fmt::join(sentences, " "));
  return story;
}

// Every word that a story can hold, without its marks.
std::set<std::string> words() {
  std::set<std::string> all;
  const auto add = [&all](std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      std::string word(text.substr(0, end));
      if (word.ends_with('.')) word.pop_back();
      if (!word.empty()) all.insert(std::move(word));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  };
  for (const Hero& hero : kHeroes) {
    for (const std::string_view word : {hero.name, hero.pronoun, hero.possessive}) add(word);
  }
  for (const std::span<const std::string_view> list :
       {std::span<const std::string_view>(kColors), std::span<const std::string_view>(kThings),
        std::span<const std::string_view>(kPlaces), std::span<const std::string_view>(kFriends),
        std::span<const std::string_view>(kSearches), std::span<const std::string_view>(kMoods)}) {
    for (const std::string_view text : list) add(text);
  }
  add("had a an One day it got lost in the In met never found and went home sad gave to friend was "
      "happy");
  return all;
}

}  // namespace

std::vector<Story> write_stories(std::size_t count, const StoryOptions& options) {
  std::vector<Story> stories;
  stories.reserve(count);
  for (std::size_t i = 0; i < count; ++i) stories.push_back(write_story(options, i));
  return stories;
}

Json story_json(const Story& story) {
  return {{"text", story.text},    {"hero", story.hero},           {"thing", story.thing},
          {"place", story.place},  {"sentences", story.sentences}, {"happy", story.happy},
          {"shares", story.shares}};
}

Json story_tokenizer() {
  const std::string blank = "\u2581";  // as SentencePiece writes it
  Json vocabulary = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}, {".", 3}};
  for (const std::string& word : words()) vocabulary[blank + word] = vocabulary.size();
  Json added = Json::array();
  int id = 0;
  for (const char* token : {"<unk>", "<s>", "</s>"}) {
    added.push_back({{"id", id++},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json metaspace = {
      {"type", "Metaspace"}, {"replacement", blank}, {"prepend_scheme", "always"}, {"split", true}};
  return {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", std::move(added)},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers",
         {metaspace,
          {{"type", "Split"},
           {"pattern", {{"String", "."}}},
           {"behavior", "Isolated"},
           {"invert", false}}}}}},
      {"post_processor", nullptr},
      {"decoder", metaspace},
      {"model", {{"type", "WordLevel"}, {"vocab", std::move(vocabulary)}, {"unk_token", "<unk>"}}}};
}

}  // namespace plumb::lm
