#include "plumb/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>

#include "plumb/base/parallel.h"
#include "plumb/text/lines.h"
#include "plumb/text/tokens/pipeline.h"

namespace plumb {
namespace {

using tokens::AlignedText;
using tokens::Piece;
using tokens::PieceToken;
using tokens::Section;

constexpr std::size_t kLongestText = 1 << 30;
constexpr std::size_t kCachePays = 1 << 13;  // bytes of a text that is encoded alone

// The tokens of pieces that were met lately: a table of fixed size, in which a newer piece takes
// the place of an older one.
class PieceCache {
 public:
  static constexpr std::size_t kLongestPiece = 64;

  PieceCache() : entries_(1 << 13) {}

  const std::vector<PieceToken>* find(std::string_view piece, std::size_t hash) const {
    const Entry& entry = entries_[hash % entries_.size()];
    return entry.hash == hash && entry.piece == piece && !entry.tokens.empty() ? &entry.tokens
                                                                               : nullptr;
  }
  void keep(std::string_view piece, std::size_t hash, std::span<const PieceToken> made) {
    Entry& entry = entries_[hash % entries_.size()];
    entry.hash = hash;
    entry.piece = piece;
    entry.tokens.assign(made.begin(), made.end());
  }

 private:
  struct Entry {
    std::size_t hash = 0;
    std::string piece;
    std::vector<PieceToken> tokens;
  };
  std::vector<Entry> entries_;
};

// Encodes texts one after the other, on one thread.
class Encoder {
 public:
  Encoder(const Tokenizer::State& state, const EncodeOptions& options)
      : state_(state), options_(options) {}

  void remember_pieces() { cache_.emplace(); }

  Result<Encoding> encode(std::string_view text) {
    if (text.size() >= kLongestText)
      return fail(ErrorKind::kBadInput, "the text is 1 GiB or longer; split it");
    PLUMB_TRY(limit, tokens_of_text());
    if (auto done = cut(text); !done) return tl::unexpected(done.error());
    for (const tokens::PreTokenizer& step : state_.pre_tokenizers) {
      if (auto done = step(pieces_); !done) return tl::unexpected(done.error());
    }
    Encoding encoding;
    for (const Piece& piece : pieces_.list) append(piece, encoding);
    if (state_.trims_offsets) trim_offsets(encoding);
    truncate(encoding, limit);
    add_template(encoding);
    return encoding;
  }

 private:
  // How many tokens the text may have, beside the template's.
  Result<std::size_t> tokens_of_text() const {
    const std::size_t limit =
        options_.max_tokens == kFileLimit ? state_.max_tokens : options_.max_tokens;
    const std::size_t added =
        options_.add_special ? state_.before.size() + state_.behind.size() : 0;
    if (limit == kNoLimit) return limit;
    if (limit < added) {
      return fail(
          ErrorKind::kBadInput,
          fmt::format("max_tokens {} does not hold the {} tokens of the template", limit, added));
    }
    return limit - added;
  }

  // Fills pieces_: added tokens, and normalized text between them.
  Result<void> cut(std::string_view text) {
    pieces_.text.clear();
    pieces_.list.clear();
    const bool replaced = state_.invalid_bytes == tokens::InvalidBytes::kReplaced;
    const AlignedText base = replaced ? readable(text) : AlignedText(text, 0);
    std::vector<Section> sections;
    state_.added.find(base.text(), false, options_.special_in_text, sections);
    for (const Section& section : sections) {
      if (section.token >= 0) {
        push(base, section.range, {.token = section.token});
        continue;
      }
      for (std::uint32_t at = section.range.begin; at < section.range.end;) {
        const bool apart = state_.invalid_bytes == tokens::InvalidBytes::kApart;
        const ByteRange run =
            apart ? run_at(base.text(), at, section.range.end) : ByteRange{at, section.range.end};
        at = run.end;
        if (apart && tokens::valid_length(base.text(), run.begin) == 0) {
          push(base, run, {.literal = true});
        } else if (auto done = cut_normalized(base, run); !done) {
          return done;
        }
      }
    }
    return {};
  }

  Result<void> cut_normalized(const AlignedText& base, ByteRange run) {
    AlignedText part;
    part.append(base, run);
    if (auto done = tokens::normalize(state_, part); !done) return done;
    state_.added.find(part.text(), true, options_.special_in_text, inner_);
    const bool at_start = run.begin == 0;
    if (inner_.size() == 1 && inner_[0].token < 0) {
      const std::uint32_t begin = pieces_.text.size();
      pieces_.text.append(std::move(part));
      pieces_.list.push_back({{begin, pieces_.text.size()}, -1, false, at_start});
      return {};
    }
    for (const Section& section : inner_) {
      push(part, section.range,
           {.token = section.token, .starts_text = at_start && section.range.begin == 0});
    }
    return {};
  }

  void push(const AlignedText& text, ByteRange range, Piece piece) {
    const std::uint32_t begin = pieces_.text.size();
    pieces_.text.append(text, range);
    piece.range = {begin, pieces_.text.size()};
    pieces_.list.push_back(piece);
  }

  // The longest run of well-formed or of ill-formed bytes.
  static ByteRange run_at(std::string_view text, std::uint32_t begin, std::uint32_t limit) {
    const bool valid = tokens::valid_length(text, begin) > 0;
    std::uint32_t end = begin;
    while (end < limit && (tokens::valid_length(text, end) > 0) == valid) {
      end += valid ? static_cast<std::uint32_t>(tokens::utf8_length(text[end])) : 1;
    }
    return {begin, end};
  }

  // The text with U+FFFD for what is no UTF-8.
  static AlignedText readable(std::string_view text) {
    AlignedText made;
    const auto size = static_cast<std::uint32_t>(text.size());
    if (!first_bad_utf8(text)) return {text, 0};
    const AlignedText all(text, 0);
    for (std::uint32_t at = 0; at < size;) {
      if (tokens::valid_length(text, at) > 0) {
        const ByteRange run = run_at(text, at, size);
        made.append(all, run);
        at = run.end;
      } else {
        const auto end = at + static_cast<std::uint32_t>(tokens::invalid_length(text, at));
        made.append("\xef\xbf\xbd", {at, end});
        at = end;
      }
    }
    return made;
  }

  void append(const Piece& piece, Encoding& encoding) {
    if (piece.token >= 0) {
      encoding.ids.push_back(piece.token);
      encoding.offsets.push_back(pieces_.text.origin(piece.range));
      return;
    }
    for (const PieceToken& token : tokens_of(pieces_.text.view(piece.range))) {
      encoding.ids.push_back(token.id);
      encoding.offsets.push_back(pieces_.text.origin(
          {piece.range.begin + token.range.begin, piece.range.begin + token.range.end}));
    }
  }

  std::span<const PieceToken> tokens_of(std::string_view piece) {
    const bool cached = cache_ && piece.size() <= PieceCache::kLongestPiece;
    const std::size_t hash = cached ? std::hash<std::string_view>{}(piece) : 0;
    if (cached) {
      if (const auto* known = cache_->find(piece, hash)) return *known;
    }
    made_.clear();
    state_.model->tokenize(piece, workspace_, made_);
    if (cached) cache_->keep(piece, hash, made_);
    return made_;
  }

  // As ByteLevel and RoBERTa's processor do with trim_offsets.
  void trim_offsets(Encoding& encoding) const {
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
      const std::string_view token = state_.vocabulary.text(encoding.ids[i]);
      ByteRange& range = encoding.offsets[i];
      std::uint32_t leading = blanks(token, false);
      const std::uint32_t trailing = blanks(token, true);
      if (leading > 0 && state_.blank_is_added && (i == 0 || range.begin == 0)) --leading;
      range.begin = std::min(range.begin + leading, range.end);
      if (trailing > 0 && range.end >= trailing)
        range.end = std::max(range.end - trailing, range.begin);
    }
  }

  static std::uint32_t blanks(std::string_view token, bool from_behind) {
    constexpr std::string_view kBlank =
        "\xc4\xa0";  // the byte of a blank in the alphabet of byte-level BPE
    std::uint32_t count = 0;
    while (from_behind ? token.ends_with(kBlank) : token.starts_with(kBlank)) {
      from_behind ? token.remove_suffix(kBlank.size()) : token.remove_prefix(kBlank.size());
      ++count;
    }
    return count;
  }

  void truncate(Encoding& encoding, std::size_t limit) const {
    if (encoding.ids.size() <= limit) return;
    encoding.truncated = encoding.ids.size() - limit;
    if (state_.cuts_left) {
      const auto cut = static_cast<std::ptrdiff_t>(encoding.truncated);
      encoding.ids.erase(encoding.ids.begin(), encoding.ids.begin() + cut);
      encoding.offsets.erase(encoding.offsets.begin(), encoding.offsets.begin() + cut);
    }
    encoding.ids.resize(limit);
    encoding.offsets.resize(limit);
  }

  void add_template(Encoding& encoding) const {
    if (!options_.add_special) return;
    encoding.ids.insert(encoding.ids.begin(), state_.before.begin(), state_.before.end());
    encoding.offsets.insert(encoding.offsets.begin(), state_.before.size(), ByteRange{});
    encoding.ids.insert(encoding.ids.end(), state_.behind.begin(), state_.behind.end());
    encoding.offsets.resize(encoding.ids.size());
  }

  const Tokenizer::State& state_;
  EncodeOptions options_;
  tokens::Pieces pieces_;
  std::vector<Section> inner_;
  tokens::Workspace workspace_;
  std::vector<PieceToken> made_;
  std::optional<PieceCache> cache_;
};

}  // namespace

namespace tokens {

Result<void> normalize(const Tokenizer::State& state, AlignedText& text) {
  const std::size_t before = text.size();
  for (const Normalizer& step : state.normalizers) {
    if (auto done = step(text); !done) return done;
    if (auto done = check_growth(before, text.size()); !done) return done;
  }
  return {};
}

}  // namespace tokens

Result<void> Tokenizer::State::enter_added_tokens() {
  for (const tokens::AddedToken& token : added_list) {
    AlignedText spelling(token.content, 0);
    if (token.normalized) {
      if (auto done = tokens::normalize(*this, spelling); !done) return done;
    }
    added.add(token, spelling.text());
  }
  return {};
}

TokenBatch pad_batch(std::span<const Encoding> encodings, TokenId padding, PaddingSide side,
                     std::size_t multiple) {
  TokenBatch batch;
  batch.rows = encodings.size();
  for (const Encoding& encoding : encodings)
    batch.columns = std::max(batch.columns, encoding.ids.size());
  multiple = std::max<std::size_t>(multiple, 1);
  batch.columns = (batch.columns + multiple - 1) / multiple * multiple;
  batch.ids.assign(batch.rows * batch.columns, padding);
  batch.mask.assign(batch.rows * batch.columns, 0);
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const auto& ids = encodings[row].ids;
    const std::size_t begin =
        row * batch.columns + (side == PaddingSide::kLeft ? batch.columns - ids.size() : 0);
    std::ranges::copy(ids, batch.ids.begin() + static_cast<std::ptrdiff_t>(begin));
    std::fill_n(batch.mask.begin() + static_cast<std::ptrdiff_t>(begin), ids.size(),
                std::uint8_t{1});
  }
  return batch;
}

Tokenizer::Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<Encoding> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  Encoder encoder(*state_, options);
  if (text.size() > kCachePays) encoder.remember_pieces();
  return encoder.encode(text);
}

Result<std::vector<Encoding>> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                                      const EncodeOptions& options,
                                                      int threads) const {
  std::vector<Encoding> encodings(texts.size());
  std::mutex mutex;
  std::size_t failed = texts.size();
  Error error{ErrorKind::kInternal, ""};
  const std::size_t workers = static_cast<std::size_t>(threads > 0 ? threads : default_threads());
  const std::size_t grain = std::max<std::size_t>(32, texts.size() / (4 * workers));
  parallel_for(texts.size(), grain, threads, [&](std::size_t begin, std::size_t end) {
    Encoder encoder(*state_, options);
    encoder.remember_pieces();
    for (std::size_t i = begin; i < end; ++i) {
      auto encoding = encoder.encode(texts[i]);
      if (encoding) {
        encodings[i] = std::move(*encoding);
        continue;
      }
      const std::lock_guard lock(mutex);
      if (i < failed) {
        failed = i;
        error = {encoding.error().kind,
                 fmt::format("text {}: {}", i + 1, encoding.error().message)};
      }
      return;
    }
  });
  if (failed < texts.size()) return tl::unexpected(error);
  return encodings;
}

Result<std::string> Tokenizer::decode(std::span<const TokenId> ids,
                                      const DecodeOptions& options) const {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const TokenId id : ids) {
    if (!state_->vocabulary.has(id)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("id {} names no token; the vocabulary has {} of them", id,
                              state_->vocabulary.count()));
    }
    if (options.skip_special && state_->added.is_special(id)) continue;
    texts.emplace_back(state_->vocabulary.text(id));
  }
  for (const tokens::Decoder& step : state_->decoders) {
    if (texts.empty()) break;
    if (auto done = step(texts, options.continues); !done) return tl::unexpected(done.error());
  }
  std::string all;
  for (const std::string& text : texts) all += text;
  return all;
}

TokenBatch Tokenizer::pad(std::span<const Encoding> encodings) const {
  return pad_batch(encodings, state_->padding, state_->padding_side, state_->padding_multiple);
}

std::size_t Tokenizer::vocabulary_size() const { return state_->vocabulary.size(); }
std::string_view Tokenizer::token(TokenId id) const { return state_->vocabulary.text(id); }
std::optional<TokenId> Tokenizer::find(std::string_view token) const {
  return state_->vocabulary.find(token);
}
const SpecialTokens& Tokenizer::special() const { return state_->special; }
bool Tokenizer::is_special(TokenId id) const { return state_->added.is_special(id); }
std::optional<std::size_t> Tokenizer::model_max_tokens() const { return state_->model_max_tokens; }

}  // namespace plumb
