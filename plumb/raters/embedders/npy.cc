#include "plumb/raters/embedders/npy.h"

#include <fmt/format.h>

#include <cassert>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace plumb::raters {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 1 << 16, kAlignment = 64;

// The header, a Python dictionary of a string, a boolean and a tuple of whole numbers.
struct Fields {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::size_t>> shape;
};

class DictionaryParser {
 public:
  explicit DictionaryParser(std::string_view text) : rest_(text) {}

  // Nothing: the text is something else.
  std::optional<Fields> parse() {
    Fields fields;
    if (!take("{")) return std::nullopt;
    while (!take("}")) {
      const auto key = quoted();
      if (!key || !take(":") || !value(*key, fields)) return std::nullopt;
      if (take(",")) continue;
      if (!take("}")) return std::nullopt;
      break;
    }
    skip_blanks();
    const bool complete = rest_.empty() && fields.descr && fields.fortran_order && fields.shape;
    return complete ? std::optional(fields) : std::nullopt;
  }

 private:
  void skip_blanks() {
    const std::size_t at = rest_.find_first_not_of(" \n\t\r");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string> quoted() {
    for (const char quote : {'\'', '"'}) {
      if (!take(std::string_view(&quote, 1))) continue;
      const std::size_t end = rest_.find(quote);
      if (end == std::string_view::npos) return std::nullopt;
      std::string text(rest_.substr(0, end));
      rest_.remove_prefix(end + 1);
      return text;
    }
    return std::nullopt;
  }

  bool value(const std::string& key, Fields& fields) {
    if (key == "descr" && !fields.descr) {
      // A list is the type of a record: told apart so that the error can say it.
      fields.descr = rest_.find('[') < rest_.find('\'') ? std::nullopt : quoted();
      return fields.descr.has_value();
    }
    if (key == "fortran_order" && !fields.fortran_order) {
      if (take("True")) fields.fortran_order = true;
      if (!fields.fortran_order && take("False")) fields.fortran_order = false;
      return fields.fortran_order.has_value();
    }
    if (key == "shape" && !fields.shape) {
      fields.shape = tuple();
      return fields.shape.has_value();
    }
    return false;
  }

  std::optional<std::vector<std::size_t>> tuple() {
    std::vector<std::size_t> sizes;
    if (!take("(")) return std::nullopt;
    while (!take(")")) {
      skip_blanks();
      std::size_t size = 0;
      const char* begin = rest_.data();
      const auto [end, error] = std::from_chars(begin, begin + rest_.size(), size);
      if (error != std::errc()) return std::nullopt;
      rest_.remove_prefix(static_cast<std::size_t>(end - begin));
      (void)take("L");  // Python 2 wrote long integers so
      sizes.push_back(size);
      if (take(",")) continue;
      if (!take(")")) return std::nullopt;
      break;
    }
    return sizes;
  }

  std::string_view rest_;
};

std::optional<NpyHeader::Type> parse_type(std::string_view descr) {
  if (descr == "<f2") return NpyHeader::Type::kHalf;
  if (descr == "<f4") return NpyHeader::Type::kFloat;
  if (descr == "<f8") return NpyHeader::Type::kDouble;
  return std::nullopt;
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::span<const std::byte> bytes, const std::string& file) {
  const auto bad = [&](std::string_view what) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", file, what));
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(text[i]));
  };
  if (!text.starts_with(kMagic)) return bad("is no .npy file; write it with numpy.save");
  if (text.size() < 10) return bad("the file is cut short in its header");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) {
    return bad(fmt::format("version {}.{} of the .npy format is not known; 1.0, 2.0 and 3.0 are",
                           version, byte(7)));
  }
  const std::size_t start = version == 1 ? 10 : 12;
  if (text.size() < start) return bad("the file is cut short in its header");
  std::size_t length = byte(8) + (byte(9) << 8);
  if (version > 1) length += (byte(10) << 16) + (byte(11) << 24);
  if (length > kLongestHeader) {
    return bad(fmt::format("a header of {} bytes; a matrix needs about a hundred", length));
  }
  if (text.size() - start < length) return bad("the file is cut short in its header");
  const auto fields = DictionaryParser(text.substr(start, length)).parse();
  if (!fields) return bad("the header is no dictionary of descr, fortran_order and shape");
  const auto type = parse_type(*fields->descr);
  if (!type) {
    return bad(
        fmt::format("numbers of type \"{}\"; vectors are little-endian floats (\"<f2\", "
                    "\"<f4\", \"<f8\"), convert them with array.astype(\"<f4\")",
                    *fields->descr));
  }
  if (*fields->fortran_order) {
    return bad("in Fortran order; save numpy.ascontiguousarray(array)");
  }
  if (fields->shape->size() != 2 || (*fields->shape)[1] == 0) {
    return bad(fmt::format("a shape of ({}); vectors are a matrix of a row a text",
                           fmt::join(*fields->shape, ", ")));
  }
  const NpyHeader header{*type, (*fields->shape)[0], (*fields->shape)[1], start + length};
  const std::size_t held = (text.size() - header.data_offset) / header.value_bytes();
  const bool whole = (text.size() - header.data_offset) % header.value_bytes() == 0;
  if (!whole || held % header.columns != 0 || held / header.columns != header.rows) {
    return bad(
        fmt::format("{} bytes of numbers where {} rows of {} need others; the file is cut "
                    "short or damaged",
                    text.size() - header.data_offset, header.rows, header.columns));
  }
  return header;
}

std::string npy_head(std::size_t rows, std::size_t columns) {
  std::string dictionary =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  constexpr std::size_t kStart = 10;
  const std::size_t end = kStart + dictionary.size() + 1;
  dictionary.append((kAlignment - end % kAlignment) % kAlignment, ' ');
  dictionary.push_back('\n');
  std::string bytes(kMagic);
  bytes.append({'\1', '\0', static_cast<char>(dictionary.size() & 0xff),
                static_cast<char>(dictionary.size() >> 8)});
  return bytes + dictionary;
}

std::string npy_bytes(std::size_t rows, std::size_t columns, std::span<const float> values) {
  assert(values.size() == rows * columns);
  std::string bytes = npy_head(rows, columns);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

}  // namespace plumb::raters
