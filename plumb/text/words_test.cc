#include "plumb/text/words.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace plumb {
namespace {

using Words = std::vector<std::string_view>;

Words unicode(std::string_view text) { return WordSplitter(WordRule::kUnicode).split(text); }
Words blanks(std::string_view text) { return WordSplitter(WordRule::kBlanks).split(text); }

TEST(WordSplitter, LeavesPunctuationOut) {
  EXPECT_EQ(unicode("Don't look, it's 3.14 (or so)!"),
            (Words{"Don't", "look", "it's", "3.14", "or", "so"}));
  EXPECT_EQ(unicode("snow_plough e-mail a/b"), (Words{"snow_plough", "e", "mail", "a", "b"}));
  EXPECT_EQ(unicode(" ?! ... \n"), Words{});
  EXPECT_EQ(unicode(""), Words{});
}

TEST(WordSplitter, KnowsOtherScripts) {
  EXPECT_EQ(unicode("Паром, в семь"), (Words{"Паром", "в", "семь"}));
  EXPECT_EQ(unicode("كَتَبَ الوَلَدُ"), (Words{"كَتَبَ", "الوَلَدُ"}));  // marks stay with their letters
  EXPECT_EQ(unicode("été"), Words{"été"});
  EXPECT_EQ(unicode("e\u0301te\u0301"), Words{"e\u0301te\u0301"});
  EXPECT_GT(unicode("今天天气很好").size(), 1U);  // by a dictionary
}

TEST(WordSplitter, SplitsAtBlanksOfAnyKind) {
  EXPECT_EQ(blanks(" Don't look ,\tit 's\u3000x\n"),
            (Words{"Don't", "look", ",", "it", "'s", "x"}));
  EXPECT_EQ(blanks("  "), Words{});
  EXPECT_EQ(blanks("été"), Words{"été"});
}

TEST(LowerCase, IsOfNoLanguage) {
  EXPECT_EQ(lower_case("ÉTÉ ПОРТ Straße I"), "été порт straße i");
  EXPECT_EQ(lower_case("a\xff"), "a\ufffd");
}

TEST(WordRule, HasNames) {
  EXPECT_EQ(parse_word_rule("unicode"), WordRule::kUnicode);
  EXPECT_EQ(parse_word_rule("blanks"), WordRule::kBlanks);
  EXPECT_EQ(parse_word_rule("letters"), std::nullopt);
}

// Whatever the bytes, words are parts of the text in its order, and none is empty.
RC_GTEST_PROP(WordSplitter, GivesPartsOfTheText, (const std::string& text)) {
  for (const WordRule rule : {WordRule::kUnicode, WordRule::kBlanks}) {
    const char* end = text.data();
    for (const std::string_view word : WordSplitter(rule).split(text)) {
      RC_ASSERT(!word.empty());
      RC_ASSERT(word.data() >= end);
      end = word.data() + word.size();
      RC_ASSERT(end <= text.data() + text.size());
    }
  }
}

// Plain ASCII is read without ICU, and the same.
RC_GTEST_PROP(WordSplitter, ReadsAsciiAsIcuDoes, (std::string text)) {
  for (char& c : text) c = static_cast<char>(c & 0x7f);
  const std::string longer = text + " \u00e9";
  Words words = blanks(longer);
  RC_ASSERT(words.back() == "\u00e9");
  words.pop_back();
  RC_ASSERT(blanks(text) == words);
  RC_ASSERT(lower_case(text) + " \u00e9" == lower_case(longer));
}

}  // namespace
}  // namespace plumb
