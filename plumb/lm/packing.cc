#include "plumb/lm/packing.h"

#include <fmt/format.h>

#include <numeric>

#include "plumb/base/random.h"

namespace plumb::lm {

void Block::append(const Block& other) {
  const auto offset = static_cast<std::uint32_t>(tokens.size());
  if (starts.empty()) starts.push_back(0);
  for (std::size_t i = 1; i < other.starts.size(); ++i) starts.push_back(offset + other.starts[i]);
  tokens.insert(tokens.end(), other.tokens.begin(), other.tokens.end());
  targets.insert(targets.end(), other.targets.begin(), other.targets.end());
}

Result<PackedTexts> PackedTexts::make(const Tokenizer& tokenizer, const TextFrame& frame,
                                      std::span<const std::string> documents, std::size_t length) {
  PackedTexts texts;
  texts.length_ = length;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto ids = encode_text(tokenizer, frame, documents[i]);
    if (!ids) {
      return fail(ids.error().kind, fmt::format("document {}: {}", i + 1, ids.error().message));
    }
    const std::size_t first = texts.stream_.size();
    texts.stream_.insert(texts.stream_.end(), ids->begin(), ids->end());
    const bool end = frame.end && frame.end != frame.begin;
    if (end) texts.stream_.push_back(*frame.end);
    texts.begins_.resize(texts.stream_.size());
    texts.ends_.resize(texts.stream_.size());
    texts.begins_[first] = true;
    texts.ends_.back() = end;
  }
  if (texts.stream_.size() <= length) {
    return fail(ErrorKind::kBadInput,
                fmt::format("the texts hold {} tokens, fewer than one block of {}; give more text "
                            "or a shorter --context",
                            texts.stream_.size(), length + 1));
  }
  return texts;
}

Block PackedTexts::draw(std::uint64_t seed, std::size_t draw) {
  const std::size_t epoch = draw / blocks();
  if (epoch != epoch_) {
    order_.resize(blocks());
    std::iota(order_.begin(), order_.end(), 0U);
    Stream stream(seed, "epoch", epoch);
    shuffle(std::span(order_), stream);
    epoch_ = epoch;
  }
  const std::size_t first = order_[draw % blocks()] * length_;
  Block block;
  for (std::size_t at = first; at < first + length_; ++at) {
    if (at == first || begins_[at]) {
      block.starts.push_back(static_cast<std::uint32_t>(at - first));
    }
    block.tokens.push_back(stream_[at]);
    block.targets.push_back(ends_[at] ? nn::kNoTarget : stream_[at + 1]);
  }
  block.starts.push_back(static_cast<std::uint32_t>(length_));
  return block;
}

}  // namespace plumb::lm
