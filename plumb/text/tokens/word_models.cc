#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plumb/base/utf8.h"
#include "plumb/text/tokens/model.h"
#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

std::uint32_t length_of(std::string_view text) { return static_cast<std::uint32_t>(text.size()); }

Trie trie_of(const Vocabulary& vocabulary) {
  Trie trie;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const auto token = static_cast<TokenId>(id);
    if (vocabulary.has(token)) trie.add(vocabulary.text(token), token);
  }
  return trie;
}

class WordPiece final : public Model {
 public:
  WordPiece(Trie trie, WordPieceOptions options)
      : trie_(std::move(trie)),
        options_(std::move(options)),
        inside_(trie_.walk(Trie::kRoot, options_.prefix)) {}

  void tokenize(std::string_view piece, Workspace&,
                std::vector<PieceToken>& tokens) const override {
    const std::size_t before = tokens.size();
    const bool too_long =
        piece.size() > options_.longest_word && count_characters(piece) > options_.longest_word;
    for (std::uint32_t at = 0; !too_long && at < piece.size();) {
      const PieceToken longest = longest_at(piece, at);
      if (longest.id < 0) break;
      tokens.push_back(longest);
      at = longest.range.end;
    }
    if (tokens.size() > before && tokens.back().range.end == piece.size()) return;
    tokens.resize(before, {});
    tokens.push_back({options_.unknown, {0, length_of(piece)}});
  }

 private:
  PieceToken longest_at(std::string_view piece, std::uint32_t at) const {
    PieceToken longest = {-1, {at, at}};
    Trie::Node node = at == 0 ? Trie::kRoot : inside_;
    for (std::uint32_t i = at; i < piece.size() && node != Trie::kNone; ++i) {
      node = trie_.child(node, piece[i]);
      if (node != Trie::kNone && trie_.token(node) >= 0) longest = {trie_.token(node), {at, i + 1}};
    }
    return longest;
  }

  Trie trie_;
  WordPieceOptions options_;
  Trie::Node inside_;
};

class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, TokenId unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(unknown) {}

  void tokenize(std::string_view piece, Workspace&,
                std::vector<PieceToken>& tokens) const override {
    tokens.push_back({vocabulary_.find(piece).value_or(unknown_), {0, length_of(piece)}});
  }

 private:
  Vocabulary vocabulary_;
  TokenId unknown_;
};

class Unigram final : public Model {
 public:
  Unigram(const Vocabulary& vocabulary, UnigramOptions options)
      : trie_(trie_of(vocabulary)), options_(std::move(options)) {
    unknown_score_ = *std::ranges::min_element(options_.scores) - 10.0;
    for (int byte = 0; byte < 256; ++byte) {
      bytes_[static_cast<std::size_t>(byte)] =
          vocabulary.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
    }
  }

  void tokenize(std::string_view piece, Workspace& workspace,
                std::vector<PieceToken>& tokens) const override {
    fill_steps(piece, workspace.steps);
    auto& path = workspace.backwards;
    path.clear();
    for (std::uint32_t end = length_of(piece); end > 0;) {
      const Workspace::Step& step = workspace.steps[end];
      if (!path.empty() && step.id == options_.unknown && path.back().id == options_.unknown) {
        path.back().range.begin = step.begin;
      } else {
        path.push_back({step.id, {step.begin, end}});
      }
      end = step.begin;
    }
    for (std::size_t i = path.size(); i-- > 0;) append(piece, path[i], tokens);
  }

 private:
  // steps[i]: the best segmentation of the first i bytes, its last token.
  void fill_steps(std::string_view piece, std::vector<Workspace::Step>& steps) const {
    steps.assign(piece.size() + 1, {0, 0, -1});
    for (std::uint32_t at = 0; at < piece.size();) {
      const auto next = at + static_cast<std::uint32_t>(utf8_length(piece[at]));
      const double score = steps[at].score;
      bool single = false;
      Trie::Node node = Trie::kRoot;
      for (std::uint32_t i = at; i < piece.size(); ++i) {
        node = trie_.child(node, piece[i]);
        if (node == Trie::kNone) break;
        const TokenId id = trie_.token(node);
        if (id < 0) continue;
        improve(steps[i + 1], score + options_.scores[static_cast<std::size_t>(id)], at, id);
        single = single || i + 1 == next;
      }
      if (!single) improve(steps[next], score + unknown_score_, at, options_.unknown);
      at = next;
    }
  }

  static void improve(Workspace::Step& step, double score, std::uint32_t begin, TokenId id) {
    if (step.id < 0 || score > step.score) step = {score, begin, id};
  }

  // A run of unknown characters may spell a token after all, which is then meant.
  void append(std::string_view piece, const PieceToken& token,
              std::vector<PieceToken>& tokens) const {
    if (token.id != options_.unknown) {
      tokens.push_back(token);
      return;
    }
    const std::string_view text =
        piece.substr(token.range.begin, token.range.end - token.range.begin);
    const Trie::Node node = trie_.walk(Trie::kRoot, text);
    if (node != Trie::kNone && trie_.token(node) >= 0) {
      tokens.push_back({trie_.token(node), token.range});
    } else if (options_.byte_fallback && std::ranges::all_of(text, [this](char byte) {
                 return bytes_[static_cast<unsigned char>(byte)] >= 0;
               })) {
      for (std::uint32_t i = token.range.begin; i < token.range.end; ++i) {
        tokens.push_back({bytes_[static_cast<unsigned char>(piece[i])], {i, i + 1}});
      }
    } else {
      tokens.push_back(token);
    }
  }

  Trie trie_;
  UnigramOptions options_;
  double unknown_score_ = 0;
  std::array<TokenId, 256> bytes_ = {};
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const Vocabulary& vocabulary,
                                       const WordPieceOptions& options) {
  return std::make_unique<WordPiece>(trie_of(vocabulary), options);
}

std::unique_ptr<Model> make_word_level(Vocabulary vocabulary, TokenId unknown) {
  return std::make_unique<WordLevel>(std::move(vocabulary), unknown);
}

std::unique_ptr<Model> make_unigram(const Vocabulary& vocabulary, UnigramOptions options) {
  return std::make_unique<Unigram>(vocabulary, std::move(options));
}

}  // namespace plumb::tokens
