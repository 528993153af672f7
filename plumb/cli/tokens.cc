// plumb tokens encode|decode: texts to the ids of a model's tokenizer, and back.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>

#include "plumb/cli/options.h"
#include "plumb/text/lines.h"
#include "plumb/text/tokenizer.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kLinesAtOnce = 4096;
constexpr std::size_t kBytesAtOnce = 4 << 20;

struct TokensCommand {
  std::string tokenizer, file = "-";
  bool no_special = false, with_special = false, json = false;
  std::size_t max_tokens = 0;
  int threads = 0;

  Result<void> encode() const;
  Result<void> decode() const;

 private:
  Result<void> write_encoded(const Tokenizer& model, std::span<const std::string> texts,
                             std::size_t first_line, std::size_t& cut) const;
  Result<std::string> decoded(const Tokenizer& model, std::string_view line,
                              const std::string& where) const;
};

Error at(const std::string& where, const Error& error) {
  return {error.kind, fmt::format("{}: {}", where, error.message)};
}

std::string name_of(const std::string& file) { return file == "-" ? "standard input" : file; }

Result<void> TokensCommand::write_encoded(const Tokenizer& model,
                                          std::span<const std::string> texts,
                                          std::size_t first_line, std::size_t& cut) const {
  const EncodeOptions options{.add_special = !no_special, .max_tokens = max_tokens};
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto encodings = model.encode_batch(views, options, threads);
  if (!encodings) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto one = model.encode(texts[i], options);
      if (!one)
        return tl::unexpected(at(fmt::format("{}:{}", name_of(file), first_line + i), one.error()));
    }
    return tl::unexpected(encodings.error());
  }
  std::string lines;
  for (const Encoding& encoding : *encodings) {
    cut += encoding.truncated > 0 ? 1 : 0;
    const std::string ids = fmt::format("{}", fmt::join(encoding.ids, json ? "," : " "));
    lines += json ? fmt::format("[{}]\n", ids) : ids + "\n";
  }
  return write_stdout(lines);
}

Result<void> TokensCommand::encode() const {
  PLUMB_TRY(model, load_tokenizer(tokenizer));
  PLUMB_TRY(reader, LineReader::open(file, LineReader::Content::kAnyBytes));
  std::vector<std::string> texts;
  std::size_t cut = 0, bytes = 0, written = 0;
  for (bool ended = false; !ended;) {
    PLUMB_TRY(line, reader.next());
    ended = !line.has_value();
    if (line) {
      bytes += line->size();
      texts.emplace_back(*line);
    }
    if (!ended && texts.size() < kLinesAtOnce && bytes < kBytesAtOnce) continue;
    if (auto done = write_encoded(model, texts, written + 1, cut); !done) return done;
    written += texts.size();
    texts.clear();
    bytes = 0;
  }
  if (cut > 0) {
    fmt::print(stderr, "plumb: {} of {} texts were longer than {} tokens and were cut\n", cut,
               written,
               max_tokens > 0 ? fmt::format("{}", max_tokens) : "the tokenizer's own limit of");
  }
  return {};
}

// "[1, 2]" and "1 2" alike.
Result<std::vector<TokenId>> parse_ids(std::string_view line, const std::string& where) {
  constexpr std::string_view kBetween = " \t,[]";
  std::vector<TokenId> ids;
  for (std::size_t begin = line.find_first_not_of(kBetween); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBetween, begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    TokenId id = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || rest != word.data() + word.size()) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: '{}' is no token id; ids are whole numbers separated by blanks",
                              where, word));
    }
    ids.push_back(id);
    begin = line.find_first_not_of(kBetween, end);
  }
  return ids;
}

Result<std::string> TokensCommand::decoded(const Tokenizer& model, std::string_view line,
                                           const std::string& where) const {
  PLUMB_TRY(ids, parse_ids(line, where));
  auto text = model.decode(ids, {.skip_special = !with_special});
  if (!text) return tl::unexpected(at(where, text.error()));
  return json ? to_text(Json(*text)) : *text;
}

Result<void> TokensCommand::decode() const {
  PLUMB_TRY(model, load_tokenizer(tokenizer));
  PLUMB_TRY(reader, LineReader::open(file));
  std::string lines;
  while (true) {
    PLUMB_TRY(line, reader.next());
    if (!line) break;
    PLUMB_TRY(text, decoded(model, *line, reader.where()));
    lines.append(text).append("\n");
    if (lines.size() < kBytesAtOnce) continue;
    if (auto done = write_stdout(lines); !done) return done;
    lines.clear();
  }
  return write_stdout(lines);
}

CLI::App* declare(CLI::App& tokens, const char* name, const char* help, TokensCommand& command) {
  CLI::App* verb = tokens.add_subcommand(name, help);
  verb->add_option("FILE", command.file, "one a line, plain or gzip; - is standard input")
      ->type_name("")
      ->check(not_empty());
  verb->add_option("--tokenizer", command.tokenizer,
                   "folder, tokenizer.json, vocab.txt, vocab.json or tokenizer.bin")
      ->type_name("PATH")
      ->check(not_empty())
      ->required();
  verb->add_flag("--json", command.json, "one JSON value a line");
  return verb;
}

}  // namespace

void add_tokens(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("tokens",
                         "Example:\n  plumb tokens encode --tokenizer MODEL texts.txt\n\n"
                         "Texts to the ids of a model's tokenizer, and back.");
  verb->require_subcommand(1);
  auto encoding = std::make_shared<TokensCommand>();
  CLI::App* encode =
      declare(*verb, "encode",
              "Example:\n  echo 'Once upon a time' | plumb tokens encode --tokenizer MODEL\n\n"
              "One text a line in, its ids separated by blanks out.",
              *encoding);
  encode->add_flag("--no-special", encoding->no_special,
                   "without the tokens that the tokenizer puts around a text");
  encode
      ->add_option("--max-tokens", encoding->max_tokens,
                   "cut longer texts; what the tokenizer's file says unless given")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  add_threads(*encode, encoding->threads);
  encode->callback(
      [encoding, &program] { program.action = [encoding] { return encoding->encode(); }; });
  auto decoding = std::make_shared<TokensCommand>();
  CLI::App* decode =
      declare(*verb, "decode",
              "Example:\n  echo '1 403 407 261 378' | plumb tokens decode --tokenizer MODEL\n\n"
              "The ids of one text a line in, separated by blanks or as a JSON list; the text out.",
              *decoding);
  decode->add_flag("--special", decoding->with_special,
                   "with the special tokens, which are left out otherwise");
  decode->callback(
      [decoding, &program] { program.action = [decoding] { return decoding->decode(); }; });
}

}  // namespace plumb::cli
