// The header of a safetensors file, parsed event by event: nothing is built that a rule refuses.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "plumb/base/json.h"
#include "plumb/nn/safetensors.h"

namespace plumb::nn {
namespace {

// A tensor as the header describes it.
struct Entry {
  std::string name;
  std::optional<DataType> type;
  std::optional<Shape> shape;
  std::optional<std::vector<std::size_t>> offsets;
};

bool is_printable(std::string_view name) {
  return std::ranges::none_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// nlohmann's SAX interface. Each event returns false, with `error_` set, where a rule is broken.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  std::string error_text() const { return error_; }

  bool null() override { return unexpected("null"); }
  bool boolean(bool /*value*/) override { return unexpected("true or false"); }
  bool number_integer(number_integer_t /*value*/) override {
    return unexpected("a negative number");
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return unexpected("the number " + text);
  }
  bool binary(binary_t& /*value*/) override { return unexpected("bytes"); }
  bool number_unsigned(number_unsigned_t value) override {
    if (list_ == nullptr) return unexpected("a number");
    if (list_ == &shape_ && list_->size() == kMaxRank) {
      return refuse(fmt::format("{}: the shape has over {} dimensions", subject(), kMaxRank));
    }
    if (list_ == &offsets_ && list_->size() == 2) {
      return refuse(fmt::format("{}: data_offsets has over 2 numbers", subject()));
    }
    list_->push_back(value);
    return true;
  }
  bool string(string_t& value) override;
  bool start_object(std::size_t elements) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(std::size_t elements) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& /*last*/,
                   const nlohmann::detail::exception& error) override {
    // The library's words without its "[json.exception...] parse error at ...: ".
    const std::string_view words = error.what();
    const std::size_t cut = words.rfind("column");
    const std::size_t start = cut == std::string_view::npos ? cut : words.find(": ", cut);
    return refuse(fmt::format("the header is not JSON at byte {}: {}", 8 + position,
                              start == std::string_view::npos ? words : words.substr(start + 2)));
  }

 private:
  bool refuse(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return false;
  }
  bool unexpected(std::string_view what) {
    return refuse(fmt::format("{}: {} where {} belongs", subject(), what, expected()));
  }
  std::string subject() const {
    if (in_metadata_) return "__metadata__";
    if (depth_ < 2) return depth_ == 0 || key_.empty() ? "the header" : "tensor \"" + key_ + "\"";
    return "tensor \"" + entries.back().name + "\"";
  }
  std::string_view expected() const {
    if (in_metadata_) return "a string";
    if (list_ != nullptr) return "a number that is not negative";
    if (depth_ < 2) return "an object";
    return field_ == "dtype" ? "a string" : "a list of numbers";
  }
  bool start_tensor();
  bool finish_tensor();
  bool metadata_key(const std::string& value);
  bool tensor_key(const std::string& value);
  bool field_key(const std::string& value);

  std::string error_;
  int depth_ = 0;
  bool in_metadata_ = false;
  bool seen_metadata_ = false;
  std::size_t metadata_bytes_ = 0;
  std::string key_;    // of depth 1: a tensor's name, or __metadata__
  std::string field_;  // of depth 2
  std::set<std::string, std::less<>> names_;
  std::vector<std::size_t> shape_, offsets_;
  std::vector<std::size_t>* list_ = nullptr;
};

bool HeaderReader::string(string_t& value) {
  if (in_metadata_) {
    metadata_bytes_ += value.size();
    if (metadata_bytes_ > kMaxMetadataBytes) return refuse("__metadata__ is over 1 MB");
    metadata[field_] = value;
    return true;
  }
  if (depth_ != 2 || list_ != nullptr || field_ != "dtype") return unexpected("a string");
  const std::optional<DataType> type = parse_data_type(value);
  if (!type) {
    return refuse(fmt::format("{}: the dtype \"{:.32}\" is not known", subject(), value));
  }
  entries.back().type = type;
  return true;
}

bool HeaderReader::start_object(std::size_t /*elements*/) {
  if (depth_ == 0) {
    depth_ = 1;
    return true;
  }
  if (depth_ > 1 || list_ != nullptr) return unexpected("an object");
  depth_ = 2;
  if (key_ == "__metadata__") {
    in_metadata_ = true;
    return true;
  }
  if (entries.size() == kMaxTensors) {
    return refuse(fmt::format("there are over {} tensors", kMaxTensors));
  }
  entries.emplace_back().name = key_;
  return true;
}

bool HeaderReader::key(string_t& value) {
  if (depth_ == 1) return tensor_key(value);
  return in_metadata_ ? metadata_key(value) : field_key(value);
}

bool HeaderReader::tensor_key(const std::string& value) {
  key_ = value;
  if (value == "__metadata__") {
    if (seen_metadata_) return refuse("__metadata__ comes twice");
    seen_metadata_ = true;
    return true;
  }
  if (value.empty()) return refuse("a tensor has an empty name");
  if (value.size() > kMaxNameBytes) {
    return refuse(fmt::format("the name \"{:.32}...\" is over {} bytes", value, kMaxNameBytes));
  }
  if (!is_printable(value)) return refuse("a tensor's name holds control characters");
  if (!names_.insert(value).second) {
    return refuse(fmt::format("tensor \"{}\" comes twice", value));
  }
  return true;
}

bool HeaderReader::metadata_key(const std::string& value) {
  field_ = value;
  metadata_bytes_ += value.size();
  if (metadata_bytes_ > kMaxMetadataBytes) return refuse("__metadata__ is over 1 MB");
  if (metadata.contains(value)) {
    return refuse(fmt::format("__metadata__: the key \"{:.64}\" comes twice", value));
  }
  return true;
}

bool HeaderReader::field_key(const std::string& value) {
  const Entry& entry = entries.back();
  field_ = value;
  const bool known = value == "dtype" || value == "shape" || value == "data_offsets";
  if (!known) return refuse(fmt::format("{}: the key \"{:.64}\" is not known", subject(), value));
  if ((value == "dtype" && entry.type) || (value == "shape" && entry.shape) ||
      (value == "data_offsets" && entry.offsets)) {
    return refuse(fmt::format("{}: {} comes twice", subject(), value));
  }
  return true;
}

bool HeaderReader::end_object() {
  if (depth_ == 2 && !in_metadata_ && !finish_tensor()) return false;
  in_metadata_ = false;
  --depth_;
  return true;
}

bool HeaderReader::start_array(std::size_t /*elements*/) {
  if (depth_ == 0) return refuse("the header is a list where an object belongs");
  if (depth_ != 2 || in_metadata_ || list_ != nullptr || field_ == "dtype") {
    return unexpected("a list");
  }
  list_ = field_ == "shape" ? &shape_ : &offsets_;
  list_->clear();
  return true;
}

bool HeaderReader::end_array() {
  (list_ == &shape_ ? entries.back().shape : entries.back().offsets) = *list_;
  list_ = nullptr;
  return true;
}

bool HeaderReader::finish_tensor() {
  const Entry& entry = entries.back();
  if (!entry.type) return refuse(fmt::format("{}: dtype is missing", subject()));
  if (!entry.shape) return refuse(fmt::format("{}: shape is missing", subject()));
  if (!entry.offsets) return refuse(fmt::format("{}: data_offsets is missing", subject()));
  if (entry.offsets->size() != 2) {
    return refuse(fmt::format("{}: data_offsets has not 2 numbers", subject()));
  }
  return true;
}

// dtype bytes times the dimensions; nothing where that overflows.
std::optional<std::size_t> byte_size(DataType type, std::span<const std::size_t> shape) {
  std::size_t size = data_type_bytes(type);
  for (const std::size_t dimension : shape) {
    if (__builtin_mul_overflow(size, dimension, &size)) return std::nullopt;
  }
  return size;
}

// What is wrong with where the tensors lie, "" where nothing is. `entries` become sorted by place.
std::string check_places(std::vector<Entry>& entries, std::size_t data_bytes) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return *a.offsets != *b.offsets ? *a.offsets < *b.offsets : a.name < b.name;
  });
  std::size_t filled = 0;
  for (const Entry& entry : entries) {
    const std::size_t begin = (*entry.offsets)[0], end = (*entry.offsets)[1];
    const auto wrong = [&](const std::string& why) {
      return fmt::format("tensor \"{}\": {}", entry.name, why);
    };
    const std::optional<std::size_t> size = byte_size(*entry.type, *entry.shape);
    if (!size) return wrong(fmt::format("the shape {} overflows", shape_text(*entry.shape)));
    if (begin > end) return wrong(fmt::format("it ends at {}, before it begins at {}", end, begin));
    if (end - begin != *size) {
      return wrong(fmt::format("{} of shape {} takes {} bytes, data_offsets give {}",
                               data_type_name(*entry.type), shape_text(*entry.shape), *size,
                               end - begin));
    }
    if (begin < filled) return wrong("it overlaps the tensor before it");
    if (begin > filled) return wrong(fmt::format("{} bytes before it are unused", begin - filled));
    if (end > data_bytes) {
      return wrong(fmt::format("it ends at byte {} of {}; the file is cut short", end, data_bytes));
    }
    filled = end;
  }
  if (filled == data_bytes) return "";
  return fmt::format("{} bytes after the last tensor are unused", data_bytes - filled);
}

}  // namespace

std::string shape_text(std::span<const std::size_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes,
                                            const std::string& file) {
  const auto wrong = [&](const std::string& why) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: {}; is it a whole safetensors file?", file, why));
  };
  std::uint64_t length = 0;
  if (bytes.size() < sizeof(length)) {
    return wrong(fmt::format("{} bytes are too few for a header", bytes.size()));
  }
  std::memcpy(&length, bytes.data(), sizeof(length));
  const std::span<const std::byte> rest = bytes.subspan(sizeof(length));
  if (length > kMaxHeaderBytes) {
    return wrong(fmt::format("a header of {} bytes is over the limit of 100 MB", length));
  }
  if (length > rest.size()) {
    return wrong(fmt::format("the header says {} bytes, {} are left", length, rest.size()));
  }
  if (length < 2) return wrong(fmt::format("a header of {} bytes is too short", length));
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
  if (text[0] != '{') return wrong("the header does not begin with '{'");

  // The JSON library takes a zero byte for the end.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return wrong(fmt::format("the header is not JSON at byte {}: a zero byte", 8 + zero));
  }

  HeaderReader reader;
  if (!Json::sax_parse(text, &reader)) return wrong(reader.error_text());
  const std::span<const std::byte> data = rest.subspan(length);
  if (std::string why = check_places(reader.entries, data.size()); !why.empty()) return wrong(why);

  SafetensorsHeader header{{}, std::move(reader.metadata)};
  header.tensors.reserve(reader.entries.size());
  for (Entry& entry : reader.entries) {
    const std::size_t begin = (*entry.offsets)[0], end = (*entry.offsets)[1];
    header.tensors.push_back({std::move(entry.name), *entry.type, std::move(*entry.shape),
                              data.subspan(begin, end - begin), file});
  }
  std::ranges::sort(header.tensors, {}, &Tensor::name);
  return header;
}

}  // namespace plumb::nn
