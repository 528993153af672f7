// The parts of tokenizer.json, each read into what runs it. Errors name the file and the JSON path;
// an unknown type or key is one.
#pragma once

#include <algorithm>

#include "plumb/text/tokens/json_node.h"
#include "plumb/text/tokens/pipeline.h"

namespace plumb::tokens {

// Each appends the steps of one node; a Sequence appends several.
Result<void> read_normalizer(const JsonNode& node, std::vector<Normalizer>& steps);
Result<void> read_decoder(const JsonNode& node, std::vector<Decoder>& steps);

struct PreTokenizers {
  std::vector<PreTokenizer> steps;
  bool bytes = false;  // there is a ByteLevel, the last of them
};
Result<void> read_pre_tokenizer(const JsonNode& node, PreTokenizers& made);

// The template and what becomes of offsets.
Result<void> read_post_processor(const JsonNode& node, Tokenizer::State& state);

// The vocabulary and the model. `bytes`: pieces are bytes, and tokens are spelled in the alphabet
// of byte-level BPE.
Result<void> read_model(const JsonNode& node, bool bytes, Tokenizer::State& state);

// Shared by them.
Result<std::string_view> read_type(const JsonNode& node);
tl::unexpected<Error> unsupported(const JsonNode& node, std::string_view type,
                                  std::string_view known);
Result<Pattern> read_pattern(const JsonNode& node);  // {"String": ...} or {"Regex": ...}
Result<std::string_view> read_character(const JsonNode& node, std::string_view key,
                                        std::string_view otherwise);

// Applies `read` to each element of a Sequence's list, which may hold Sequences in turn.
inline constexpr std::size_t kDeepestSequence = 8;
template <typename Read>
Result<void> read_sequence(const JsonNode& node, std::string_view list, const Read& read) {
  if (auto done = node.only({"type", list}); !done) return done;
  const auto depth =
      static_cast<std::size_t>(std::count(node.path().begin(), node.path().end(), '['));
  if (depth >= kDeepestSequence) return node.bad("sequences are nested too deep");
  PLUMB_TRY(nodes, node.at(list));
  PLUMB_TRY(items, nodes.items());
  for (const JsonNode& item : items) {
    if (auto done = read(item); !done) return done;
  }
  return {};
}

}  // namespace plumb::tokens
