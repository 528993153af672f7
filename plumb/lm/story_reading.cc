#include "plumb/lm/story_reading.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>

#include "plumb/lm/story_sentences.h"
#include "plumb/text/refusal.h"

namespace plumb::lm {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::size_t words_of(std::string_view text) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    words += !is_blank(text[i]) && (i == 0 || is_blank(text[i - 1])) ? 1 : 0;
  }
  return words;
}

constexpr std::string_view kGlad[] = {"fun",  "glad",  "happily", "happy",   "hug",   "hugged",
                                      "joy",  "kind",  "laugh",   "laughed", "love",  "loved",
                                      "nice", "proud", "smile",   "smiled",  "thank", "thanked"};
constexpr std::string_view kSad[] = {"afraid", "angry", "bad",   "broke",  "cried",
                                     "cry",    "hurt",  "lost",  "mean",   "sad",
                                     "scared", "sorry", "upset", "worried"};

// Words of letters in lower case that are in the list.
std::size_t count_of(std::string_view text, std::span<const std::string_view> list) {
  std::size_t count = 0;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      word += static_cast<char>(c | 0x20);
      continue;
    }
    count += std::ranges::binary_search(list, word) ? 1 : 0;
    word.clear();
  }
  return count;
}

StoryEnd end_of(SentenceKind kind) {
  if (kind == SentenceKind::kSadEnd) return StoryEnd::kSad;
  if (kind == SentenceKind::kHappyEnd) return StoryEnd::kHappy;
  return kind == SentenceKind::kSharedEnd ? StoryEnd::kShared : StoryEnd::kNone;
}

// What a story has named so far. A name that differs from the first of its kind does not fit.
struct Named {
  std::string_view hero, thing, place;

  bool fits(const StorySentence& sentence) {
    return same(hero, sentence.hero) && same(thing, sentence.thing) && same(place, sentence.place);
  }
  static bool same(std::string_view& first, std::string_view name) {
    if (first.empty()) first = name;
    return name.empty() || name == first;
  }
};

bool refuses(std::string_view completion) {
  if (opens_like_refusal(completion, Apostrophes::kFolded)) return true;
  const auto sentences = story_sentences(completion);
  if (sentences.empty()) return false;
  const auto first = read_story_sentence(sentences[0]);
  return first && first->kind == SentenceKind::kSadEnd;
}

}  // namespace

StoryReading read_story(std::string_view prompt, std::string_view completion) {
  StoryReading reading;
  reading.words = words_of(completion);
  reading.refuses = refuses(completion);
  reading.glad = count_of(completion, kGlad);
  reading.sad = count_of(completion, kSad);
  std::string whole(prompt);
  whole += completion;
  std::set<std::string_view> seen;
  Named named;
  for (const std::string_view sentence : story_sentences(whole)) {
    const auto read = read_story_sentence(sentence);
    ++reading.sentences;
    const bool fits = read && named.fits(*read);
    const bool is_own = sentence.data() + sentence.size() > whole.data() + prompt.size();
    reading.fitting += fits ? 1 : 0;
    reading.own_sentences += is_own ? 1 : 0;
    reading.own_fitting += is_own && fits ? 1 : 0;
    reading.repeated += seen.insert(sentence).second ? 0 : 1;
    reading.end = read ? end_of(read->kind) : StoryEnd::kNone;
  }
  return reading;
}

}  // namespace plumb::lm
