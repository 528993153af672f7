#include "plumb/lm/stories.h"

#include <fmt/format.h>

#include <set>
#include <span>

#include "plumb/base/random.h"
#include "plumb/lm/story_words.h"

namespace plumb::lm {
namespace {

template <typename T, std::size_t n>
const T& one_of(const T (&choices)[n], Stream& stream) {
  return choices[stream.below(n)];
}

// The sentences between the loss and the end.
std::vector<std::string> middle(const StoryHero& hero, std::string_view place, Stream& stream) {
  std::vector<std::string> sentences;
  const std::size_t count = stream.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    switch (stream.below(3)) {
      case 0:
        sentences.push_back(fmt::format("{} {}.", hero.pronoun, one_of(kStorySearches, stream)));
        break;
      case 1:
        sentences.push_back(
            fmt::format("In the {} {} met {}.", place, hero.name, one_of(kStoryFriends, stream)));
        break;
      default:
        sentences.push_back(fmt::format("{}.", one_of(kStoryMoods, stream)));
    }
  }
  return sentences;
}

std::string ending(const StoryHero& hero, std::string_view thing, const Story& story) {
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
  const StoryHero& hero = one_of(kStoryHeroes, stream);
  const std::string_view color = one_of(kStoryColors, stream), thing = one_of(kStoryThings, stream),
                         place = one_of(kStoryPlaces, stream);
  Story story{{}, std::string(hero.name), std::string(thing), std::string(place)};
  story.happy = stream.uniform() < options.happy;
  story.shares = story.happy && stream.uniform() < options.shares;
  std::vector<std::string> sentences = {
      fmt::format("{} had {} {} {}.", hero.name, story_article(color), color, thing),
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
      if (!word.empty()) all.insert(std::move(word));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  };
  for (const StoryHero& hero : kStoryHeroes) {
    for (const std::string_view word : {hero.name, hero.pronoun, hero.possessive}) add(word);
  }
  for (const std::span<const std::string_view> list :
       {std::span<const std::string_view>(kStoryColors),
        std::span<const std::string_view>(kStoryThings),
        std::span<const std::string_view>(kStoryPlaces),
        std::span<const std::string_view>(kStoryFriends),
        std::span<const std::string_view>(kStorySearches),
        std::span<const std::string_view>(kStoryMoods)}) {
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
