#include "plumb/nn/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "plumb/base/files.h"
#include "plumb/base/json.h"

namespace plumb::nn {
namespace {

constexpr std::size_t kScanBlock = 4096;

// A file name of this folder: no separators, no way up.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t size_of(const Tensor& tensor) {
  std::size_t size = data_type_bytes(tensor.type);
  for (const std::size_t dimension : tensor.shape) size *= dimension;
  return size;
}

// The length and the JSON, padded with blanks so that the tensors begin at a multiple of 8.
std::string header_text(std::span<const Tensor* const> tensors,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t at = 0;
  for (const Tensor* tensor : tensors) {
    header[tensor->name] = {{"dtype", data_type_name(tensor->type)},
                            {"shape", tensor->shape},
                            {"data_offsets", {at, at + tensor->bytes.size()}}};
    at += tensor->bytes.size();
  }
  std::string json = to_text(header);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = json.size();
  std::string text(sizeof(length), '\0');
  std::memcpy(text.data(), &length, sizeof(length));
  return text + json;
}

}  // namespace

Result<void> Tensor::copy_to(std::span<float> values) const {
  if (!is_float_format(type)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: tensor \"{}\" holds {}, not F32, F16, BF16 or F64; convert the "
                            "checkpoint to one of them",
                            file, name, data_type_name(type)));
  }
  copy_floats(type, bytes, values);
  return {};
}

Result<void> Tensor::check_finite() const {
  if (!is_float_format(type)) return {};
  std::vector<float> block(std::min(kScanBlock, elements()));
  const std::size_t width = data_type_bytes(type);
  for (std::size_t begin = 0; begin < elements(); begin += block.size()) {
    const std::size_t count = std::min(block.size(), elements() - begin);
    const std::span<float> values(block.data(), count);
    copy_floats(type, bytes.subspan(begin * width, count * width), values);
    const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
    if (bad == values.end()) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: tensor \"{}\" of shape {} holds {} at element {}; the checkpoint "
                            "is damaged or its training diverged",
                            file, name, shape_text(shape), *bad,
                            begin + static_cast<std::size_t>(bad - values.begin())));
  }
  return {};
}

Result<void> Checkpoint::add_file(const std::filesystem::path& path) {
  PLUMB_TRY(mapped, MappedFile::open(path));
  PLUMB_TRY(header, parse_safetensors(mapped.bytes(), path.string()));
  files_.push_back(std::move(mapped));
  std::ranges::move(header.tensors, std::back_inserter(tensors_));
  metadata_.merge(header.metadata);
  return {};
}

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& path) {
  if (path.extension() == ".json") return open_index(path);
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  if (auto added = checkpoint.add_file(path); !added) return tl::unexpected(added.error());
  return checkpoint;
}

Result<Checkpoint> Checkpoint::open_index(const std::filesystem::path& path) {
  PLUMB_TRY(text, read_file(path));
  const auto wrong = [&](const std::string& why) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", path.string(), why));
  };
  const Json index = Json::parse(text, nullptr, false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return wrong("not an index of shards; it needs an object \"weight_map\"");
  }
  std::map<std::string, std::string> places;
  std::set<std::string> shards;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    if (!shard.is_string() || !is_plain_name(shard.get<std::string>())) {
      return wrong(fmt::format("tensor \"{}\" is placed in {}, which is no file name", name,
                               to_text(shard)));
    }
    places[name] = shard.get<std::string>();
    shards.insert(places[name]);
  }
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  for (const std::string& shard : shards) {
    const std::size_t before = checkpoint.tensors_.size();
    const auto added = checkpoint.add_file(path.parent_path() / shard);
    if (!added) return tl::unexpected(added.error());
    for (std::size_t i = before; i < checkpoint.tensors_.size(); ++i) {
      const auto place = places.find(checkpoint.tensors_[i].name);
      if (place != places.end() && place->second == shard) continue;
      return wrong(fmt::format("shard {} holds tensor \"{}\", which the index does not place there",
                               shard, checkpoint.tensors_[i].name));
    }
  }
  std::ranges::sort(checkpoint.tensors_, {}, &Tensor::name);
  for (const auto& [name, shard] : places) {
    if (checkpoint.find(name) == nullptr) {
      return wrong(fmt::format("shard {} lacks tensor \"{}\"", shard, name));
    }
  }
  return checkpoint;
}

const Tensor* Checkpoint::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tensors_, name, {}, &Tensor::name);
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

Result<const Tensor*> Checkpoint::require(std::string_view name,
                                          std::span<const std::size_t> shape) const {
  const Tensor* tensor = find(name);
  if (tensor == nullptr) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: tensor \"{}\" is missing; is it a checkpoint of the architecture "
                            "that its config.json names?",
                            path_.string(), name));
  }
  if (!std::ranges::equal(tensor->shape, shape)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: tensor \"{}\" has shape {}, the configuration asks for {}",
                            tensor->file, name, shape_text(tensor->shape), shape_text(shape)));
  }
  return tensor;
}

Result<void> write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                               const std::map<std::string, std::string>& metadata) {
  std::vector<const Tensor*> sorted;
  for (const Tensor& tensor : tensors) sorted.push_back(&tensor);
  std::ranges::sort(sorted, {}, [](const Tensor* tensor) { return tensor->name; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool twice = i > 0 && sorted[i]->name == sorted[i - 1]->name;
    if (twice || size_of(*sorted[i]) != sorted[i]->bytes.size()) {
      return fail(ErrorKind::kInternal,
                  fmt::format("{}: tensor \"{}\" {}", path.string(), sorted[i]->name,
                              twice ? "is written twice" : "does not fill its shape"));
    }
  }
  const std::string header = header_text(sorted, metadata);
  std::vector<std::string_view> parts = {header};
  for (const Tensor* tensor : sorted) parts.push_back(text_of(tensor->bytes));
  return write_file_atomic(path, parts);
}

Tensor tensor_of(std::string name, Shape shape, std::span<const float> values) {
  return {std::move(name), DataType::kF32, std::move(shape), std::as_bytes(values), ""};
}

}  // namespace plumb::nn
