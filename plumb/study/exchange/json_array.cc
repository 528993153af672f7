#include "plumb/study/exchange/json_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "plumb/text/lines.h"

namespace plumb::study {
namespace {

constexpr std::string_view kBetween = " \t\r\n,";
constexpr int kDeepest = 64;

// A place in the text that knows its line.
class Cursor {
 public:
  Cursor(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return text_[at_]; }
  std::string where() const { return fmt::format("{}:{}", name_, line_); }

  tl::unexpected<Error> bad(std::string_view message) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where(), message));
  }

  void skip(std::string_view characters) {
    while (!at_end() && characters.find(here()) != std::string_view::npos) step();
  }
  void step() { line_ += text_[at_++] == '\n' ? 1 : 0; }

  // The object that starts here, up to its closing brace; nothing where it has none, or is nested
  // too deep.
  std::optional<std::string_view> object() {
    const std::size_t begin = at_;
    int depth = 0;
    bool quoted = false;
    for (; !at_end(); step()) {
      const char c = here();
      if (quoted && c == '\\') {
        step();
        if (at_end()) break;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && (c == '{' || c == '[')) {
        if (++depth > kDeepest) return std::nullopt;
      } else if (!quoted && (c == '}' || c == ']') && --depth == 0) {
        step();
        return text_.substr(begin, at_ - begin);
      }
    }
    return std::nullopt;
  }

 private:
  const std::string& name_;
  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

Result<void> for_each_object(
    const std::string& name, std::string_view text,
    const std::function<Result<void>(const std::string& where, const Json& object)>& each) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Cursor cursor(name, text);
  if (const auto broken = first_bad_utf8(text)) {
    const auto line = 1 + std::ranges::count(text.substr(0, *broken), '\n');
    return fail(ErrorKind::kBadInput, fmt::format("{}:{}: bytes that are no UTF-8", name, line));
  }
  cursor.skip(" \t\r\n");
  const bool list = !cursor.at_end() && cursor.here() == '[';
  if (list) cursor.step();
  std::string before;  // where the last record starts
  for (std::size_t record = 1;; ++record) {
    cursor.skip(kBetween);
    if (cursor.at_end()) {
      return list ? cursor.bad("the list does not end: is the file cut short?") : Result<void>();
    }
    if (list && cursor.here() == ']') return {};
    std::string where = cursor.where();
    const bool shares_its_line = where == before;
    before = where;
    if (shares_its_line) where += fmt::format(" (record {})", record);
    if (cursor.here() != '{') return cursor.bad("an object was expected");
    const auto bytes = cursor.object();
    const Json object = bytes ? Json::parse(*bytes, nullptr, false) : Json();
    if (!object.is_object()) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: not a JSON object", where));
    }
    if (auto taken = each(where, object); !taken) return taken;
  }
}

}  // namespace plumb::study
