#include "plumb/raters/embedders/word_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "plumb/text/byte_reader.h"

namespace plumb::raters {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are copied as they lie");

constexpr std::size_t kLargestDimension = 1 << 16, kLongestWord = 1 << 16;

struct Header {
  std::uint64_t words = 0, dimension = 0;
};

std::string_view trimmed(std::string_view line) {
  const std::size_t end = line.find_last_not_of(" \t\r");
  return end == std::string_view::npos ? std::string_view{} : line.substr(0, end + 1);
}

template <typename Number>
bool parse_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "COUNT DIMENSION", both whole numbers.
std::optional<Header> parse_header(std::string_view line, char separator) {
  const std::size_t at = line.find(separator);
  Header header;
  if (at == std::string_view::npos || !parse_number(line.substr(0, at), header.words) ||
      !parse_number(line.substr(at + 1), header.dimension)) {
    return std::nullopt;
  }
  return header;
}

// What the two formats share: which words are kept, and errors that name the place.
class Reader {
 public:
  Reader(const std::filesystem::path& path, ByteReader& bytes,
         const std::unordered_set<std::string>& wanted, const Progress& progress)
      : name_(path.string()), bytes_(bytes), wanted_(wanted), progress_(progress) {}

  Result<WordVectors> read_text();
  Result<WordVectors> read_binary();

 private:
  static constexpr std::uint64_t kProgressWords = 4096;

  Result<void> take_line(std::string_view line);
  Result<void> parse_numbers(std::string_view word, std::string_view numbers);
  Result<void> take_binary_word();
  Result<void> set_dimension(std::uint64_t dimension);
  Result<WordVectors> finish(std::optional<Header> header);

  bool is_new(std::string_view word) {
    word_.assign(word);
    return wanted_.contains(word_) && !vectors_.places.contains(word_);
  }
  void keep() {
    vectors_.places.emplace(word_, static_cast<std::uint32_t>(vectors_.order.size()));
    vectors_.order.push_back(vectors_.words_in_file);
  }
  void count_word() {
    if (++vectors_.words_in_file % kProgressWords == 0 && progress_) {
      progress_(bytes_.bytes_read(), bytes_.bytes_total());
    }
  }
  tl::unexpected<Error> bad(std::string_view what) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}:{}: {}", name_, line_, what));
  }
  tl::unexpected<Error> bad_file(std::string_view what) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", name_, what));
  }

  std::string name_;
  ByteReader& bytes_;
  const std::unordered_set<std::string>& wanted_;
  const Progress& progress_;
  WordVectors vectors_;
  std::string word_;
  std::uint64_t line_ = 0;
  char separator_ = ' ';
};

Result<void> Reader::set_dimension(std::uint64_t dimension) {
  if (dimension == 0 || dimension > kLargestDimension) {
    return bad(fmt::format("a dimension of {}; word vectors have 1 to {} numbers", dimension,
                           kLargestDimension));
  }
  vectors_.dimension = static_cast<std::size_t>(dimension);
  return {};
}

Result<WordVectors> Reader::read_text() {
  vectors_.format = "text";
  std::optional<Header> header;
  while (true) {
    PLUMB_TRY(next, bytes_.until('\n'));
    if (!next) break;
    ++line_;
    std::string_view line = trimmed(*next);
    if (line_ == 1) {
      if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
      if (line.find('\t') != std::string_view::npos) separator_ = '\t';
      header = parse_header(line, separator_);
      const auto numbers = std::count(line.begin(), line.end(), separator_);
      auto set = set_dimension(header ? header->dimension : static_cast<std::uint64_t>(numbers));
      if (!set) return tl::unexpected(set.error());
      if (header) continue;
    }
    if (line.empty()) continue;
    if (auto taken = take_line(line); !taken) return tl::unexpected(taken.error());
  }
  return finish(header);
}

// A word may hold blanks; its numbers are the last of the line.
Result<void> Reader::take_line(std::string_view line) {
  const auto fields = static_cast<std::size_t>(std::count(line.begin(), line.end(), separator_));
  if (fields < vectors_.dimension) {
    return bad(
        fmt::format("{} numbers where the file's vectors have {}; the line is cut short, or "
                    "the file is no word vectors",
                    fields, vectors_.dimension));
  }
  std::size_t end = line.find(separator_);
  for (std::size_t more = fields - vectors_.dimension; more > 0; --more) {
    end = line.find(separator_, end + 1);
  }
  if (is_new(line.substr(0, end))) {
    if (auto parsed = parse_numbers(word_, line.substr(end + 1)); !parsed) return parsed;
    keep();
  }
  count_word();
  return {};
}

Result<void> Reader::parse_numbers(std::string_view word, std::string_view numbers) {
  for (std::size_t i = 0; i < vectors_.dimension; ++i) {
    const std::string_view number = numbers.substr(0, numbers.find(separator_));
    double value = 0;
    if (!parse_number(number, value)) {
      return bad(fmt::format("\"{}\", number {} of the word \"{}\", is not a number", number, i + 1,
                             word));
    }
    vectors_.values.push_back(static_cast<float>(value));
    if (!std::isfinite(vectors_.values.back())) {
      return bad(
          fmt::format("{}, number {} of the word \"{}\", is not finite", number, i + 1, word));
    }
    numbers.remove_prefix(std::min(number.size() + 1, numbers.size()));
  }
  return {};
}

Result<WordVectors> Reader::read_binary() {
  vectors_.format = "word2vec binary";
  line_ = 1;
  PLUMB_TRY(first, bytes_.until('\n', kLongestWord));
  const auto header = first ? parse_header(trimmed(*first), ' ') : std::nullopt;
  if (!header) {
    return bad(
        "no line \"COUNT DIMENSION\" at the start of the binary file; a text file must not "
        "be called .bin");
  }
  if (auto set = set_dimension(header->dimension); !set) return tl::unexpected(set.error());
  while (vectors_.words_in_file < header->words) {
    if (auto taken = take_binary_word(); !taken) return tl::unexpected(taken.error());
  }
  PLUMB_TRY(rest, bytes_.take(2));
  if (!rest.empty() && rest != "\n") {
    return bad_file(
        fmt::format("bytes follow after the {} words of its first line", header->words));
  }
  return finish(header);
}

Result<void> Reader::take_binary_word() {
  const auto cut_short = [&] {
    return bad_file(
        fmt::format("ends in word {}, at byte {}; its first line promises more words, "
                    "fetch it again",
                    vectors_.words_in_file + 1, bytes_.offset()));
  };
  PLUMB_TRY(word, bytes_.until(' ', kLongestWord));
  if (!word) return cut_short();
  std::string_view bare = *word;
  if (bare.starts_with('\n')) bare.remove_prefix(1);  // as word2vec's own program writes
  const bool kept = is_new(bare);
  PLUMB_TRY(bytes, bytes_.take(vectors_.dimension * sizeof(float)));
  if (bytes.size() < vectors_.dimension * sizeof(float)) return cut_short();
  if (kept) {
    const std::size_t old = vectors_.values.size();
    vectors_.values.resize(old + vectors_.dimension);
    std::memcpy(vectors_.values.data() + old, bytes.data(), bytes.size());
    for (std::size_t i = old; i < vectors_.values.size(); ++i) {
      if (std::isfinite(vectors_.values[i])) continue;
      return bad_file(fmt::format("number {} of word {}, \"{}\", is not finite", i - old + 1,
                                  vectors_.words_in_file + 1, word_));
    }
    keep();
  }
  count_word();
  return {};
}

Result<WordVectors> Reader::finish(std::optional<Header> header) {
  if (vectors_.words_in_file == 0) return bad_file("holds no word vectors");
  if (header && header->words != vectors_.words_in_file) {
    return bad_file(fmt::format("{} words where its first line says {}; fetch it again",
                                vectors_.words_in_file, header->words));
  }
  PLUMB_TRY(hash, bytes_.sha256());
  vectors_.sha256 = hash;
  return std::move(vectors_);
}

bool has_binary_name(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name.ends_with(".bin");
}

}  // namespace

Result<WordVectors> read_word_vectors(const std::filesystem::path& path,
                                      const std::unordered_set<std::string>& wanted,
                                      const Progress& progress) {
  PLUMB_TRY(bytes, ByteReader::open(path));
  Reader reader(path, bytes, wanted, progress);
  return has_binary_name(path.string()) ? reader.read_binary() : reader.read_text();
}

}  // namespace plumb::raters
