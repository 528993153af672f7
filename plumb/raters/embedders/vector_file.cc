#include "plumb/raters/embedders/vector_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/json.h"
#include "plumb/raters/embedders/npy.h"
#include "plumb/text/lines.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr TextRole kRoles[] = {TextRole::kText, TextRole::kQuery, TextRole::kDocument};
constexpr const char* kNameEndings[] = {".ids.jsonl", ".jsonl", ".ids.txt", ".ids", ".txt"};

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

std::string_view view_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

fs::path beside(const fs::path& path, const char* ending) {
  fs::path names = path;
  return names.replace_extension() += ending;
}

Result<fs::path> find_names(const fs::path& path) {
  std::vector<std::string> looked_for;
  for (const char* ending : kNameEndings) {
    const fs::path names = beside(path, ending);
    if (fs::exists(names)) return names;
    looked_for.push_back(names.filename().string());
  }
  return fail(
      ErrorKind::kNotFound,
      fmt::format("{}: no file beside it says of what texts its rows are ({}); write one, a "
                  "text or an item's id a line",
                  path.string(), fmt::join(looked_for, ", ")));
}

std::optional<TextRole> parse_role(std::string_view name) {
  for (const TextRole role : kRoles) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}

// Nothing: a member has the wrong type, or there is neither an id nor a text.
std::optional<RowName> parse_json_name(const Json& line) {
  RowName name;
  if (line.contains("text")) {
    if (!line["text"].is_string()) return std::nullopt;
    name.text = line["text"].get<std::string>();
  }
  if (line.contains("id")) {
    const Json& id = line["id"];
    if (!id.is_string() && !id.is_number_integer()) return std::nullopt;
    name.id = id.is_string() ? id.get<std::string>() : to_text(id, -1);
  }
  if (line.contains("part")) {
    if (!line["part"].is_number_unsigned()) return std::nullopt;
    name.part = line["part"].get<std::size_t>();
  }
  if (line.contains("role")) {
    if (!line["role"].is_string()) return std::nullopt;
    name.role = parse_role(line["role"].get<std::string>());
    if (!name.role) return std::nullopt;
  }
  if (!name.text && name.id.empty()) return std::nullopt;
  return name;
}

std::string to_line(const RowName& name) {
  Json line = Json::object();
  if (!name.id.empty()) {
    line["id"] = name.id;
    line["part"] = name.part;
  }
  if (name.text) line["text"] = *name.text;
  if (name.role) line["role"] = role_name(*name.role);
  return to_text(line, -1) + "\n";
}

// The named tensor, or the only matrix.
Result<const nn::Tensor*> find_matrix(const nn::Checkpoint& checkpoint) {
  for (const char* name : {"vectors", "embeddings"}) {
    if (const nn::Tensor* tensor = checkpoint.find(name)) return tensor;
  }
  std::vector<const nn::Tensor*> matrices;
  for (const nn::Tensor& tensor : checkpoint.tensors()) {
    if (tensor.shape.size() == 2) matrices.push_back(&tensor);
  }
  if (matrices.size() == 1) return matrices[0];
  return bad(fmt::format("{}: {} tensors are matrices; call the one with the vectors \"vectors\"",
                         checkpoint.path().string(), matrices.size()));
}

std::vector<float> dense_values(const Vectors& vectors) {
  std::vector<float> values(vectors.rows() * vectors.dimension());
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    for (const Vectors::Entry& entry : vectors.sparse_row(row)) {
      values[row * vectors.dimension() + entry.column] = entry.value;
    }
  }
  return values;
}

}  // namespace

Result<VectorFile> VectorFile::open(const fs::path& path, const fs::path& names) {
  VectorFile file;
  auto opened = path.extension() == ".npy" ? file.open_npy(path) : file.open_safetensors(path);
  if (!opened) return tl::unexpected(opened.error());
  fs::path names_path = names;
  if (names.empty()) {
    PLUMB_TRY(found, find_names(path));
    names_path = found;
  }
  if (auto read = file.read_names(names_path); !read) return tl::unexpected(read.error());
  if (file.names_.size() != file.rows_) {
    return bad(fmt::format("{}: {} names where {} has {} rows; a line a row, in their order",
                           names_path.string(), file.names_.size(), path.string(), file.rows_));
  }
  if (auto finite = file.check_finite(path); !finite) return tl::unexpected(finite.error());
  return file;
}

Result<void> VectorFile::open_npy(const fs::path& path) {
  PLUMB_TRY(mapped, MappedFile::open(path));
  mapped_ = std::move(mapped);
  PLUMB_TRY(header, parse_npy_header(mapped_.bytes(), path.string()));
  using Type = NpyHeader::Type;
  type_ = header.type == Type::kHalf    ? nn::DataType::kF16
          : header.type == Type::kFloat ? nn::DataType::kF32
                                        : nn::DataType::kF64;
  bytes_ = mapped_.bytes().subspan(header.data_offset);
  rows_ = header.rows;
  columns_ = header.columns;
  sha256_ = plumb::sha256(view_of(mapped_.bytes()));
  return {};
}

Result<void> VectorFile::open_safetensors(const fs::path& path) {
  PLUMB_TRY(checkpoint, nn::Checkpoint::open(path));
  checkpoint_.emplace(std::move(checkpoint));
  PLUMB_TRY(matrix, find_matrix(*checkpoint_));
  if (matrix->shape.size() != 2 || matrix->shape[1] == 0 || !nn::is_float_format(matrix->type)) {
    return bad(fmt::format("{}: tensor \"{}\" is {} {}; vectors are a matrix of floats",
                           path.string(), matrix->name, nn::data_type_name(matrix->type),
                           nn::shape_text(matrix->shape)));
  }
  type_ = matrix->type;
  bytes_ = matrix->bytes;
  rows_ = matrix->shape[0];
  columns_ = matrix->shape[1];
  PLUMB_TRY(mapped, MappedFile::open(path));
  sha256_ = plumb::sha256(view_of(mapped.bytes()));
  return {};
}

Result<void> VectorFile::read_names(const fs::path& path) {
  names_path_ = path;
  PLUMB_TRY(lines, LineReader::open(path));
  std::optional<bool> is_json;
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) break;
    if (line->empty()) return bad(fmt::format("{}: the line is empty", lines.where()));
    if (!is_json) is_json = path.extension() == ".jsonl" || line->starts_with('{');
    if (!*is_json) {
      names_.push_back({.line = std::string(*line)});
      continue;
    }
    const Json json = Json::parse(*line, nullptr, false);
    const auto name = json.is_object() ? parse_json_name(json) : std::nullopt;
    if (!name) {
      return bad(
          fmt::format("{}: the line is no object with a \"text\" (a string) or an \"id\", "
                      "\"part\" a whole number, \"role\" one of text, query, document",
                      lines.where()));
    }
    names_.push_back(*name);
  }
  PLUMB_TRY(bytes, read_file(path));
  names_sha256_ = plumb::sha256(bytes);
  return {};
}

std::string VectorFile::where(std::size_t row) const {
  return fmt::format("{}:{}", names_path_.string(), row + 1);
}

Result<void> VectorFile::check_finite(const fs::path& path) const {
  std::vector<float> values(columns_);
  for (std::size_t row = 0; row < rows_; ++row) {
    copy_row(row, values);
    const auto found = std::find_if_not(values.begin(), values.end(),
                                        [](float value) { return std::isfinite(value); });
    if (found == values.end()) continue;
    return bad(fmt::format("{}: number {} of row {} ({}) is not finite", path.string(),
                           found - values.begin() + 1, row + 1, where(row)));
  }
  return {};
}

void VectorFile::copy_row(std::size_t row, std::span<float> values) const {
  const std::size_t row_bytes = columns_ * nn::data_type_bytes(type_);
  nn::copy_floats(type_, bytes_.subspan(row * row_bytes, row_bytes), values);
}

namespace {

// The names beside vectors of another ending: those of both, or not ours to write.
Result<void> check_names_are_free(const fs::path& path, const fs::path& names_path,
                                  std::string_view lines) {
  fs::path other = path;
  other.replace_extension(path.extension() == ".npy" ? ".safetensors" : ".npy");
  std::error_code error;
  if (!fs::exists(other, error) || !fs::exists(names_path, error)) return {};
  PLUMB_TRY(theirs, read_file(names_path));
  if (theirs == lines) return {};
  return fail(
      ErrorKind::kUsage,
      fmt::format("{}: {} says of what the rows of {} are; give these vectors another name, "
                  "or remove those",
                  path.string(), names_path.string(), other.string()));
}

}  // namespace

Result<fs::path> write_vector_file(const fs::path& path, const Vectors& vectors,
                                   std::span<const RowName> names) {
  assert(names.size() == vectors.rows());
  const bool npy = path.extension() == ".npy";
  if (!npy && path.extension() != ".safetensors") {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: vectors are written to .npy or .safetensors", path.string()));
  }
  constexpr std::size_t kMostValues = std::size_t{1} << 30;
  if (!vectors.is_dense() && vectors.rows() * vectors.dimension() > kMostValues) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} sparse rows of {} numbers would take over 4 GiB; such vectors "
                            "are made again faster than read",
                            path.string(), vectors.rows(), vectors.dimension()));
  }
  std::string lines;
  for (const RowName& name : names) lines += to_line(name);
  const fs::path names_path = beside(path, kNameEndings[0]);
  if (auto free = check_names_are_free(path, names_path, lines); !free) {
    return tl::unexpected(free.error());
  }
  if (auto written = write_file_atomic(names_path, lines); !written) {
    return tl::unexpected(written.error());
  }
  const std::vector<float> made = vectors.is_dense() ? std::vector<float>{} : dense_values(vectors);
  const std::span<const float> values = vectors.is_dense() ? vectors.dense_values() : made;
  const std::string head = npy_head(vectors.rows(), vectors.dimension());
  const std::vector<std::string_view> parts = {
      head, {reinterpret_cast<const char*>(values.data()), values.size_bytes()}};
  const auto written =
      npy ? write_file_atomic(path, parts)
          : nn::write_safetensors(
                path, std::vector{
                          nn::tensor_of("vectors", {vectors.rows(), vectors.dimension()}, values)});
  if (!written) return tl::unexpected(written.error());
  return names_path;
}

}  // namespace plumb::raters
