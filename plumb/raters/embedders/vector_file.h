// Vectors in files, with a file beside that says of what text each row is.
//
// Who uses it: `plumb embed -o`, and whoever has vectors of a model that plumb does not run. The
// vectors are a matrix in .npy (npy.h) or in .safetensors (the tensor "vectors", else "embeddings",
// else the only matrix). The names are lines beside them, a line a row, in one of two forms:
//   JSON lines   {"text": ...}, or {"id": ...} of a task's item, with "part" where an item has
//                several texts (0 the first), and "role" ("query", "document") where one text has
//                two vectors. With a text, the id is not looked at.
//   plain lines  a text; or an item's id, "ID#PART" where an item has several texts.
// For vectors.npy they are looked for in vectors.ids.jsonl, vectors.jsonl, vectors.ids.txt,
// vectors.ids and vectors.txt.
//
//   PLUMB_TRY(file, VectorFile::open("vectors.npy", ""));
//   std::vector<float> row(file.columns());
//   file.copy_row(3, row);
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/mapped_file.h"
#include "plumb/base/result.h"
#include "plumb/nn/safetensors.h"
#include "plumb/raters/embedders/embedder.h"

namespace plumb::raters {

// Of what a row is the vector.
struct RowName {
  std::string id = {};
  std::size_t part = 0;
  std::optional<std::string> text = {};
  std::optional<TextRole> role = {};
  std::string line = {};  // a plain line as it stands
};

class VectorFile {
 public:
  // `names`: the file of names; "" looks beside the vectors. kNotFound: one of the files is
  // missing. kBadInput, with file and line, row or tensor: what npy.h and nn/safetensors.h say; no
  // matrix of floats; more or fewer names than rows; a name that is empty, no JSON object, or has
  // members of the wrong type; a value that is not finite.
  static Result<VectorFile> open(const std::filesystem::path& path,
                                 const std::filesystem::path& names);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::span<const RowName> names() const { return names_; }
  const std::string& sha256() const { return sha256_; }              // of the file of vectors
  const std::string& names_sha256() const { return names_sha256_; }  // of the file of names
  std::string where(std::size_t row) const;                          // "names.jsonl:4"

  // REQUIRES: row < rows(), values.size() == columns().
  void copy_row(std::size_t row, std::span<float> values) const;

 private:
  Result<void> open_npy(const std::filesystem::path& path);
  Result<void> open_safetensors(const std::filesystem::path& path);
  Result<void> read_names(const std::filesystem::path& path);
  Result<void> check_finite(const std::filesystem::path& path) const;

  MappedFile mapped_;                         // .npy
  std::optional<nn::Checkpoint> checkpoint_;  // .safetensors
  nn::DataType type_ = nn::DataType::kF32;
  std::span<const std::byte> bytes_;  // of the matrix
  std::size_t rows_ = 0, columns_ = 0;
  std::vector<RowName> names_;
  std::filesystem::path names_path_;
  std::string sha256_, names_sha256_;
};

// Writes both files, the names (JSON lines) first, each atomically. The ending of `path`, .npy or
// .safetensors, says the format; returns where the names are. kUsage: another ending; the
// names are those of vectors of the other ending, and differ; sparse vectors that would take over
// 4 GiB. Else see write_file_atomic(). REQUIRES: a name a row.
Result<std::filesystem::path> write_vector_file(const std::filesystem::path& path,
                                                const Vectors& vectors,
                                                std::span<const RowName> names);

}  // namespace plumb::raters
