#include "plumb/nn/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/mapped_file.h"
#include "plumb/nn/llama2c.h"

namespace plumb::nn {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> pickle(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return fail(
      ErrorKind::kBadInput,
      fmt::format("{}: a pickle can run any code when it is read, so plumb reads none; convert it "
                  "with: python3 -c \"from transformers import AutoModel as M; "
                  "M.from_pretrained('{}').save_pretrained('{}', safe_serialization=True)\"",
                  file.string(), folder.string(), folder.string()));
}

// A zip of pickles (PyTorch since 1.6) or a bare one.
bool is_pickle(std::span<const std::byte> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 4));
  return head.starts_with("PK\x03\x04") ||
         (head.starts_with('\x80') && head.size() > 1 && head[1] >= 2 && head[1] <= 5);
}

// The order of rows of a piece by head: file row [head][3][head_width] of ours [3][head][...].
std::size_t row_by_head(const TransformerConfig& config, std::size_t file_row) {
  const std::size_t within = file_row % config.head_width, part = file_row / config.head_width % 3,
                    head = file_row / config.head_width / 3;
  return (part * config.heads + head) * config.head_width + within;
}

std::size_t columns_of(const Piece& piece) { return piece.shape.size() == 2 ? piece.shape[1] : 1; }

// From the file's order to ours.
void place(const TransformerConfig& config, const Piece& piece, std::span<const float> from,
           float* to) {
  const std::size_t rows = piece.shape[0], columns = columns_of(piece);
  switch (piece.order) {
    case PieceOrder::kPlain:
      std::ranges::copy(from, to);
      break;
    case PieceOrder::kTransposed:
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
      }
      break;
    case PieceOrder::kByHead:
      for (std::size_t i = 0; i < rows; ++i) {
        std::copy_n(from.data() + i * columns, columns, to + row_by_head(config, i) * columns);
      }
  }
}

// From our order to the file's.
void take(const TransformerConfig& config, const Piece& piece, const float* from,
          std::span<float> to) {
  const std::size_t rows = piece.shape[0], columns = columns_of(piece);
  switch (piece.order) {
    case PieceOrder::kPlain:
      std::copy_n(from, to.size(), to.data());
      break;
    case PieceOrder::kTransposed:
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) to[i * columns + j] = from[j * rows + i];
      }
      break;
    case PieceOrder::kByHead:
      for (std::size_t i = 0; i < rows; ++i) {
        std::copy_n(from + row_by_head(config, i) * columns, columns, to.data() + i * columns);
      }
  }
}

Result<void> load_piece(const Checkpoint& checkpoint, const std::string& prefix, const Piece& piece,
                        Transformer& model) {
  const std::string name = prefix + piece.name;
  if (name == "score.bias" && checkpoint.find(name) == nullptr) return {};  // most have none
  PLUMB_TRY(tensor, checkpoint.require(name, piece.shape));
  if (auto finite = tensor->check_finite(); !finite) return finite;
  if (piece.order == PieceOrder::kPlain) {
    return tensor->copy_to({model.at(piece.offset), tensor->elements()});
  }
  Buffer values(tensor->elements());
  if (auto copied = tensor->copy_to(values.span()); !copied) return copied;
  place(model.config(), piece, values.span(), model.at(piece.offset));
  return {};
}

// Masks and angles that some checkpoints store and that follow from the configuration.
bool is_derived(std::string_view name) {
  constexpr std::string_view kSuffixes[] = {"attn.bias",      "attn.masked_bias",
                                            "attention.bias", "attention.masked_bias",
                                            "inv_freq",       "position_ids"};
  return std::ranges::any_of(kSuffixes, [&](std::string_view s) { return name.ends_with(s); });
}

// A tensor of a layer that the configuration knows nothing of would change what is computed.
Result<void> refuse_unknown(const Checkpoint& checkpoint, const std::set<std::string>& used) {
  constexpr std::string_view kLayers[] = {"layers.", "layer.", "h."};
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (used.contains(tensor.name) || is_derived(tensor.name)) continue;
    for (const std::string_view layers : kLayers) {
      const std::size_t at = tensor.name.find(layers);
      if (at == std::string::npos || (at > 0 && tensor.name[at - 1] != '.')) continue;
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: tensor \"{}\" belongs to no layer that config.json describes",
                              tensor.file, tensor.name));
    }
  }
  return {};
}

// tied: in the file, whatever heads were asked for.
Result<Transformer> load_pieces(const TransformerConfig& config, const Checkpoint& checkpoint,
                                bool tied) {
  Transformer model(config);
  const PieceTable table = piece_table(config, model.layout());
  // The second piece of every architecture is none that a tied head could stand for.
  const bool bare = checkpoint.find(table.prefix + table.pieces[1].name) == nullptr &&
                    checkpoint.find(table.pieces[1].name) != nullptr;
  const std::string prefix = bare ? "" : table.prefix;
  std::set<std::string> used;
  for (Piece piece : table.pieces) {
    // Some tools save a tied embedding under the head's name alone.
    const bool head_alone = tied && piece.offset == model.layout().token &&
                            checkpoint.find(prefix + piece.name) == nullptr &&
                            checkpoint.find(table.head) != nullptr;
    if (head_alone) piece.name = table.head;
    const auto loaded = load_piece(checkpoint, head_alone ? "" : prefix, piece, model);
    if (!loaded) return tl::unexpected(loaded.error());
    used.insert(prefix + piece.name);
  }
  for (const Piece& piece : table.without_prefix) {
    const auto loaded = load_piece(checkpoint, "", piece, model);
    if (!loaded) return tl::unexpected(loaded.error());
  }
  if (auto known = refuse_unknown(checkpoint, used); !known) return tl::unexpected(known.error());
  return model;
}

Result<Transformer> load_safetensors(const fs::path& config_file, const fs::path& weights,
                                     Heads heads) {
  PLUMB_TRY(config, read_config(config_file));
  const bool tied = config.tied;
  if (heads == Heads::kNone) config.language_head = config.tied = config.scalar_head = false;
  PLUMB_TRY(checkpoint, Checkpoint::open(weights));
  return load_pieces(config, checkpoint, tied);
}

Result<Transformer> load_folder(const fs::path& folder, Heads heads) {
  std::error_code ignored;
  if (!fs::exists(folder / "config.json", ignored)) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: no config.json there; a model folder has config.json and "
                            "model.safetensors",
                            folder.string()));
  }
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(folder / name, ignored)) {
      return load_safetensors(folder / "config.json", folder / name, heads);
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth") {
      return pickle(entry.path());
    }
  }
  return fail(ErrorKind::kNotFound, fmt::format("{}: no model.safetensors there", folder.string()));
}

Result<Transformer> load_file(const fs::path& path, Heads heads) {
  if (path.extension() == ".safetensors" || path.string().ends_with(".safetensors.index.json")) {
    return load_safetensors(path.parent_path() / "config.json", path, heads);
  }
  PLUMB_TRY(mapped, MappedFile::open(path));
  if (is_pickle(mapped.bytes())) return pickle(path);
  PLUMB_TRY(model, parse_llama2c(mapped.bytes(), path.string()));
  for (const Parameter& parameter : model.layout().parameters) {
    Tensor tensor =
        tensor_of(parameter.name, parameter.shape,
                  std::as_const(model).values().subspan(parameter.offset, parameter.size));
    tensor.file = path.string();
    if (auto finite = tensor.check_finite(); !finite) return tl::unexpected(finite.error());
  }
  return std::move(model);
}

}  // namespace

Result<Transformer> load_transformer(const fs::path& path, Heads heads) {
  std::error_code code;
  if (fs::is_directory(path, code)) return load_folder(path, heads);
  return load_file(path, heads);
}

Result<void> save_transformer(const fs::path& folder, const Transformer& model) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("create", folder, code.value()));
  const PieceTable table = piece_table(model.config(), model.layout());
  std::vector<Buffer> reordered;
  std::vector<Tensor> tensors;
  const auto add = [&](const std::string& prefix, const Piece& piece) {
    std::size_t size = 1;
    for (const std::size_t dimension : piece.shape) size *= dimension;
    const float* from = model.at(piece.offset);
    if (piece.order != PieceOrder::kPlain) {
      take(model.config(), piece, from, reordered.emplace_back(size).span());
      from = reordered.back().data();
    }
    tensors.push_back(tensor_of(prefix + piece.name, piece.shape, {from, size}));
  };
  for (const Piece& piece : table.pieces) add(table.prefix, piece);
  for (const Piece& piece : table.without_prefix) {
    const bool bias = piece.name == "score.bias";
    if (!bias || *model.at(piece.offset) != 0.0F) add("", piece);
  }
  const auto written = write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
  if (!written) return written;
  return write_file_atomic(folder / "config.json", to_text(config_json(model.config()), 2) + "\n");
}

}  // namespace plumb::nn
