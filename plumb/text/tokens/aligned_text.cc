#include "plumb/text/tokens/aligned_text.h"

namespace plumb::tokens {

AlignedText::AlignedText(std::string_view text, std::uint32_t begin) : text_(text), shift_(begin) {}

ByteRange AlignedText::origin(ByteRange range) const {
  if (identical_) return {range.begin + shift_, range.end + shift_};
  if (range.begin < range.end) return {origins_[range.begin].begin, origins_[range.end - 1].end};
  const std::uint32_t at = range.begin < size() ? origins_[range.begin].begin
                           : text_.empty()      ? shift_
                                                : origins_.back().end;
  return {at, at};
}

void AlignedText::align() {
  if (!identical_) return;
  identical_ = false;
  origins_.reserve(text_.size());
  for (std::uint32_t i = 0; i < text_.size(); ++i) origins_.push_back({shift_ + i, shift_ + i + 1});
}

void AlignedText::append(std::string_view bytes, ByteRange origin) {
  align();
  text_ += bytes;
  origins_.insert(origins_.end(), bytes.size(), origin);
}

void AlignedText::append(const AlignedText& other, ByteRange range) {
  if (other.identical_ && text_.empty() && origins_.empty()) {
    identical_ = true;
    shift_ = other.shift_ + range.begin;
  } else if (!identical_ || !other.identical_ || shift_ + size() != other.shift_ + range.begin) {
    align();
    if (other.identical_) {
      for (std::uint32_t i = range.begin; i < range.end; ++i) {
        origins_.push_back({other.shift_ + i, other.shift_ + i + 1});
      }
    } else {
      origins_.insert(origins_.end(), other.origins_.begin() + range.begin,
                      other.origins_.begin() + range.end);
    }
  }
  text_ += other.view(range);
}

void AlignedText::append(AlignedText&& other) {
  if (text_.empty() && origins_.empty()) {
    *this = std::move(other);
  } else {
    append(other, {0, other.size()});
  }
}

void AlignedText::clear() {
  text_.clear();
  origins_.clear();
  identical_ = true;
  shift_ = 0;
}

void AlignedText::reserve(std::size_t bytes) { text_.reserve(bytes); }

}  // namespace plumb::tokens
