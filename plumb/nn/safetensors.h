// Checkpoints in the safetensors format: one file, or a folder's shards behind an index.
//
// A file is 8 bytes of header length (little-endian), a JSON header, and the tensors' bytes. The
// header is checked whole before anything is allocated by what it says: its length, its depth
// (3), every dtype, shape and offset; tensors lie one after another and fill the file, with no hole
// and no overlap. Tensors stay in the mapped file until someone reads them.
//
//   PLUMB_TRY(checkpoint, Checkpoint::open("model.safetensors"));
//   PLUMB_TRY(weight, checkpoint.require("wte.weight", std::array{50257UL, 768UL}));
//   std::vector<float> values(weight->elements());
//   if (auto done = weight->copy_to(values); !done) return done;
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/mapped_file.h"
#include "plumb/base/result.h"
#include "plumb/nn/data_type.h"

namespace plumb::nn {

using Shape = std::vector<std::size_t>;

std::string shape_text(std::span<const std::size_t> shape);  // "[2, 3]"

// A tensor in memory that someone else owns.
struct Tensor {
  std::string name;
  DataType type = DataType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;
  std::string file;  // for error messages

  std::size_t elements() const { return bytes.size() / data_type_bytes(type); }

  // The elements as floats. kBadInput: they are integers. REQUIRES: values.size() == elements().
  Result<void> copy_to(std::span<float> values) const;

  // kBadInput, with the place, where an element is NaN or infinite. Integers pass.
  Result<void> check_finite() const;
};

struct SafetensorsHeader {
  std::vector<Tensor> tensors;  // by name
  std::map<std::string, std::string> metadata;
};

inline constexpr std::size_t kMaxHeaderBytes = 100'000'000;
inline constexpr std::size_t kMaxTensors = 100'000;
inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::size_t kMaxNameBytes = 512;
inline constexpr std::size_t kMaxMetadataBytes = 1 << 20;

// The header of a file whose bytes these are; its tensors are views into `bytes`. `file` is the
// name for errors, which are kBadInput and say what is wrong with which tensor.
Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> bytes,
                                            const std::string& file);

// The tensors of one file or of all shards, mapped.
class Checkpoint {
 public:
  // `path`: a .safetensors file, or an index (model.safetensors.index.json) whose shards lie beside
  // it. kBadInput: a malformed file, a shard that lacks a tensor or holds one that the index does
  // not place there, a shard named with a folder.
  static Result<Checkpoint> open(const std::filesystem::path& path);

  // By name.
  std::span<const Tensor> tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }

  // nullptr where there is none.
  const Tensor* find(std::string_view name) const;

  // kBadInput, with the name: there is none, or its shape is another.
  Result<const Tensor*> require(std::string_view name, std::span<const std::size_t> shape) const;

 private:
  static Result<Checkpoint> open_index(const std::filesystem::path& path);
  Result<void> add_file(const std::filesystem::path& path);

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  std::vector<Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes the tensors sorted by name, atomically: a full disk leaves the file that was there.
// kExhausted, kNotAllowed, kNotFound as write_file_atomic; kInternal where a name comes twice or a
// tensor's bytes do not fit its shape.
Result<void> write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                               const std::map<std::string, std::string>& metadata = {});

// A view of floats as a tensor, for writing.
Tensor tensor_of(std::string name, Shape shape, std::span<const float> values);

}  // namespace plumb::nn
