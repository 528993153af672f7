#include "plumb/text/tokens/regex.h"

#include <cstdint>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <string>

#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

constexpr std::size_t kLongestPattern = 1 << 16;
constexpr std::uint32_t kMatchLimit = 20'000'000, kDepthLimit = 100'000, kHeapKibibytes = 65'536;

// Oniguruma's \s is White_Space; PCRE2's has U+180E too.
constexpr std::string_view kSpace =
    R"(\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kNoSpace =
    R"(\x00-\x08\x0e-\x1f\x21-\x84\x86-\x9f\xa1-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";

auto refuse(std::string_view what, std::size_t at) {
  return fail(ErrorKind::kBadInput,
              fmt::format("{} at byte {} of the pattern is not supported", what, at));
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> run() {
    while (at_ < pattern_.size()) {
      if (auto done = step(); !done) return tl::unexpected(done.error());
    }
    if (in_class_) return fail(ErrorKind::kBadInput, "a class of the pattern is not closed");
    return std::move(out_);
  }

 private:
  Result<void> step() {
    const char c = pattern_[at_];
    if (c == '\\') return escape();
    if (in_class_) return in_class(c);
    if (c == '[') return open_class();
    if (c == '{') return repeat();
    if (starts("(?") && at_ + 2 < pattern_.size() &&
        std::string_view("PR&0123456789+C~(|").find(pattern_[at_ + 2]) != std::string_view::npos) {
      return refuse(pattern_.substr(at_, 3), at_);
    }
    if (starts("(*")) return refuse("(*", at_);
    return copy(1);
  }

  Result<void> escape() {
    if (at_ + 1 == pattern_.size())
      return fail(ErrorKind::kBadInput, "the pattern ends in a backslash");
    const char c = pattern_[at_ + 1];
    switch (c) {
      case 's':
        return replace(2, in_class_ ? kSpace : fmt::format("[{}]", kSpace));
      case 'S':
        return replace(2, in_class_ ? std::string(kNoSpace) : fmt::format("[^{}]", kSpace));
      case 'h':
        return replace(2, in_class_ ? "0-9A-Fa-f" : "[0-9A-Fa-f]");
      case 'H':
        if (in_class_) return refuse("\\H in a class", at_);
        return replace(2, "[^0-9A-Fa-f]");
      case 'p':
      case 'P':
        return copy(3);
      default:
        break;
    }
    const bool known =
        std::string_view("wWdDbBAzZnrtfvaex0123456789u").find(c) != std::string_view::npos;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && !known) return refuse(pattern_.substr(at_, 2), at_);
    if (c == 'v' && !in_class_) return replace(2, "\\x0b");  // PCRE2: any vertical space
    if (c == 'v') return replace(2, "\\x0b");
    if (c == 'u') return hexadecimal();
    return copy(2);
  }

  Result<void> hexadecimal() {
    const std::string_view digits = pattern_.substr(at_ + 2).substr(0, 4);
    if (digits.size() < 4 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return refuse("\\u without four digits", at_);
    }
    return replace(6, fmt::format("\\x{{{}}}", digits));
  }

  Result<void> open_class() {
    in_class_ = true;
    copy_bytes(1);
    if (at_ < pattern_.size() && pattern_[at_] == '^') copy_bytes(1);
    if (at_ < pattern_.size() && pattern_[at_] == ']')
      return refuse("] as the first of a class", at_);
    return {};
  }

  Result<void> in_class(char c) {
    if (c == '[' && !starts("[:")) return refuse("a class in a class", at_);
    if (c == '[') {
      const std::size_t end = pattern_.find(":]", at_);
      if (end == std::string_view::npos) return refuse("[: in a class", at_);
      return copy(end + 2 - at_);
    }
    if (starts("&&")) return refuse("&& in a class", at_);
    if (c == ']') in_class_ = false;
    return copy(1);
  }

  // {,n} is {0,n} to Oniguruma; a + behind an interval repeats it there, and is possessive to
  // PCRE2.
  Result<void> repeat() {
    const std::size_t end = pattern_.find('}', at_);
    if (end != std::string_view::npos && end + 1 < pattern_.size() && pattern_[end + 1] == '+') {
      return refuse("+ behind }", end + 1);
    }
    if (starts("{,") && end != std::string_view::npos) return replace(1, "{0");
    return copy(1);
  }

  bool starts(std::string_view what) const { return pattern_.substr(at_).starts_with(what); }
  void copy_bytes(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ = std::min(at_ + count, pattern_.size());
  }
  Result<void> copy(std::size_t count) {
    copy_bytes(count);
    return {};
  }
  Result<void> replace(std::size_t count, std::string_view by) {
    out_ += by;
    at_ += count;
    return {};
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  std::string out_;
};

std::string words_of(int code) {
  unsigned char words[256];
  pcre2_get_error_message(code, words, sizeof words);
  return reinterpret_cast<const char*>(words);
}

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;

  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }

  int match(std::string_view text, std::size_t from, std::uint32_t options,
            pcre2_match_data* data) const {
    const int found = pcre2_match(code, units(text), text.size(), from,
                                  options | PCRE2_NO_UTF_CHECK, data, context);
    if (found != PCRE2_ERROR_JIT_STACKLIMIT) return found;
    return pcre2_match(code, units(text), text.size(), from,
                       options | PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context);
  }
};

Result<std::string> translate_pattern(std::string_view pattern) {
  if (pattern.size() > kLongestPattern)
    return fail(ErrorKind::kBadInput, "the pattern is longer than 64 KiB");
  return Translator(pattern).run();
}

Result<Regex> Regex::compile(std::string_view pattern) {
  PLUMB_TRY(translated, translate_pattern(pattern));
  auto code = std::make_shared<Code>();
  int error = 0;
  PCRE2_SIZE at = 0;
  code->code = pcre2_compile(units(translated), translated.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                             &error, &at, nullptr);
  if (code->code == nullptr) {
    return fail(ErrorKind::kBadInput,
                fmt::format("the pattern is wrong near '{}': {}",
                            std::string_view(translated).substr(0, at), words_of(error)));
  }
  pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE);  // without it, matching is slower and the same
  code->context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(code->context, kMatchLimit);
  pcre2_set_depth_limit(code->context, kDepthLimit);
  pcre2_set_heap_limit(code->context, kHeapKibibytes);
  return Regex(std::move(code));
}

Result<void> Regex::find_all(std::string_view text, std::vector<ByteRange>& found) const {
  const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create_from_pattern(code_->code, nullptr));
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
  std::size_t from = 0, last_end = text.size() + 1;
  while (from <= text.size()) {
    const int count = code_->match(text, from, 0, data.get());
    if (count == PCRE2_ERROR_NOMATCH) break;
    if (count < 0) {
      return fail(
          ErrorKind::kBadInput,
          fmt::format("a pattern of the tokenizer gives up on the text: {}", words_of(count)));
    }
    const std::size_t begin = range[0], end = range[1];
    if (end < begin)
      return fail(ErrorKind::kBadInput, "a pattern of the tokenizer matches backwards (\\K)");
    if (begin != end || begin != last_end)
      found.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    last_end = end;
    from = end;
    if (begin == end) from += end < text.size() ? utf8_length(text[end]) : 1;
  }
  return {};
}

}  // namespace plumb::tokens
