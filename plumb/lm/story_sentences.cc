#include "plumb/lm/story_sentences.h"

#include <string>

#include "plumb/lm/story_words.h"

namespace plumb::lm {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string single_blanks(std::string_view text) {
  std::string result;
  for (const char c : trimmed(text)) {
    if (!is_blank(c)) {
      result += c;
    } else if (result.back() != ' ') {
      result += ' ';
    }
  }
  return result;
}

// What is left of a sentence. After a phrase that does not come next, nothing fits any more.
class Reading {
 public:
  explicit Reading(std::string_view text) : rest_(text) {}

  Reading& phrase(std::string_view words) {
    fits_ = fits_ && take(words);
    return *this;
  }

  template <typename List>
  Reading& one_of(const List& list, std::string_view& target) {
    if (!fits_) return *this;
    for (const std::string_view words : list) {
      if (take(words)) {
        target = words;
        return *this;
      }
    }
    fits_ = false;
    return *this;
  }

  bool whole() const { return fits_ && rest_.empty(); }

 private:
  bool take(std::string_view words) {
    if (!rest_.starts_with(words)) return false;
    if (rest_.size() > words.size() && rest_[words.size()] != ' ') return false;
    rest_.remove_prefix(std::min(rest_.size(), words.size() + 1));
    return true;
  }

  std::string_view rest_;
  bool fits_ = true;
};

std::optional<StorySentence> read_of_hero(const std::string& text, const StoryHero& hero) {
  StorySentence read{SentenceKind::kOpening, hero.name, {}, {}, {}};
  for (const std::string_view color : kStoryColors) {
    Reading reading(text);
    reading.phrase(hero.name).phrase("had").phrase(story_article(color)).phrase(color);
    if (reading.one_of(kStoryThings, read.thing).whole()) return read;
  }
  struct Ending {
    SentenceKind kind;
    std::string_view before, after, possessive, end;
  };
  const Ending endings[] = {
      {SentenceKind::kHappyEnd, "found the", "and was happy", {}, {}},
      {SentenceKind::kSharedEnd, "found the", "and gave it to", hero.possessive, "friend"},
      {SentenceKind::kSadEnd, "never found the", "and went home sad", {}, {}}};
  for (const Ending& ending : endings) {
    Reading reading(text);
    reading.phrase(hero.name).phrase(ending.before).one_of(kStoryThings, read.thing);
    reading.phrase(ending.after);
    if (!ending.end.empty()) reading.phrase(ending.possessive).phrase(ending.end);
    read.kind = ending.kind;
    if (reading.whole()) return read;
  }
  read = {SentenceKind::kMeeting, hero.name, {}, {}, {}};
  Reading reading(text);
  std::string_view whom;
  reading.phrase("In the").one_of(kStoryPlaces, read.place).phrase(hero.name).phrase("met");
  if (reading.one_of(kStoryFriends, whom).whole()) return read;
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> story_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view sentence = trimmed(text.substr(0, end));
    if (!sentence.empty()) sentences.push_back(sentence);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sentences;
}

std::optional<StorySentence> read_story_sentence(std::string_view sentence) {
  if (trimmed(sentence).empty()) return std::nullopt;
  const std::string text = single_blanks(sentence);
  for (const StoryHero& hero : kStoryHeroes) {
    if (auto read = read_of_hero(text, hero)) return read;
  }
  StorySentence loss{SentenceKind::kLoss, {}, {}, {}, {}};
  if (Reading(text).phrase("One day it got lost in the").one_of(kStoryPlaces, loss.place).whole()) {
    return loss;
  }
  StorySentence search{SentenceKind::kSearch, {}, {}, {}, {}};
  std::string_view what;
  constexpr std::string_view kPronouns[] = {"She", "He"};
  if (Reading(text).one_of(kPronouns, search.pronoun).one_of(kStorySearches, what).whole()) {
    return search;
  }
  for (const std::string_view mood : kStoryMoods) {
    if (text == mood) return StorySentence{SentenceKind::kMood, {}, {}, {}, {}};
  }
  return std::nullopt;
}

}  // namespace plumb::lm
