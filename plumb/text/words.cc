#include "plumb/text/words.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include <algorithm>

namespace plumb {
namespace {

// A text as ICU reads it, closed at the end.
class View {
 public:
  explicit View(std::string_view text)
      : view_(utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &code_)) {}
  ~View() { utext_close(view_); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  UText* get() { return view_; }
  UErrorCode& code() { return code_; }

 private:
  UErrorCode code_ = U_ZERO_ERROR;
  UText* view_;
};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// What ICU would say, without asking it: most texts are such.
std::vector<std::string_view> between_ascii_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::vector<std::string_view> between_blanks(std::string_view text) {
  if (is_ascii(text)) return between_ascii_blanks(text);
  std::vector<std::string_view> words;
  View view(text);
  const auto place = [&] { return static_cast<std::size_t>(utext_getNativeIndex(view.get())); };
  std::size_t start = 0, end = 0;
  for (UChar32 character = utext_next32(view.get()); character != U_SENTINEL;
       character = utext_next32(view.get())) {
    if (u_isUWhiteSpace(character) != 0) {
      if (end > start) words.push_back(text.substr(start, end - start));
      start = place();
    }
    end = place();
  }
  if (end > start) words.push_back(text.substr(start, end - start));
  return words;
}

}  // namespace

std::string_view word_rule_name(WordRule rule) {
  return rule == WordRule::kUnicode ? "unicode" : "blanks";
}

std::optional<WordRule> parse_word_rule(std::string_view name) {
  for (const WordRule rule : {WordRule::kUnicode, WordRule::kBlanks}) {
    if (word_rule_name(rule) == name) return rule;
  }
  return std::nullopt;
}

std::string lower_case(std::string_view text) {
  std::string lower;
  if (is_ascii(text)) {
    for (const char c : text) lower += 'A' <= c && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return lower;
  }
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

struct WordSplitter::State {
  std::unique_ptr<icu::BreakIterator> boundaries;  // nothing: split at blanks
};

WordSplitter::WordSplitter(WordRule rule) : state_(std::make_unique<State>()) {
  if (rule == WordRule::kBlanks) return;
  UErrorCode code = U_ZERO_ERROR;
  state_->boundaries.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), code));
  if (U_FAILURE(code)) state_->boundaries.reset();
}

WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;
WordSplitter& WordSplitter::operator=(WordSplitter&&) noexcept = default;
WordSplitter::~WordSplitter() = default;

std::vector<std::string_view> WordSplitter::split(std::string_view text) {
  icu::BreakIterator* boundaries = state_->boundaries.get();
  if (boundaries == nullptr) return between_blanks(text);
  std::vector<std::string_view> words;
  View view(text);
  boundaries->setText(view.get(), view.code());
  if (U_FAILURE(view.code())) return words;
  auto begin = static_cast<std::size_t>(boundaries->first());
  for (int32_t next = boundaries->next(); next != icu::BreakIterator::DONE;
       next = boundaries->next()) {
    const auto end = static_cast<std::size_t>(next);
    if (boundaries->getRuleStatus() >= UBRK_WORD_NONE_LIMIT) {
      words.push_back(text.substr(begin, end - begin));
    }
    begin = end;
  }
  return words;
}

}  // namespace plumb
