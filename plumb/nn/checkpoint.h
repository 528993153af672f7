// Transformers from the files that people have, and back: Hugging Face folders and llama2.c files.
//
//   PLUMB_TRY(model, load_transformer("models/pythia-14m"));
//   if (auto saved = save_transformer("runs/7/model", model); !saved) ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/nn/transformer.h"

namespace plumb::nn {

// Which heads of a checkpoint are wanted: those that its config.json names, or the layers alone.
enum class Heads : std::uint8_t { kAsNamed, kNone };

// Reads
//   - a folder with config.json and model.safetensors (or model.safetensors.index.json and shards),
//   - a .safetensors file with config.json beside it,
//   - a llama2.c checkpoint (the legacy layout, as run.c of that project reads it).
// kNotFound; kBadInput: a pickle (.bin, .pt, .pth; with the conversion to run), an architecture
// that is not supported, a tensor that is missing, of another shape, not finite, or unknown inside
// a layer; each by name.
Result<Transformer> load_transformer(const std::filesystem::path& path,
                                     Heads heads = Heads::kAsNamed);

// Writes config.json and model.safetensors (float32) into the folder, which is made where it is
// missing. Each file is replaced whole or not at all.
Result<void> save_transformer(const std::filesystem::path& folder, const Transformer& model);

// How a tensor of a file becomes a piece of a parameter.
enum class PieceOrder : std::uint8_t {
  kPlain,       // as it is
  kTransposed,  // the file has [columns, rows] (GPT-2)
  kByHead,      // the file has query, key, value of head 0, then of head 1, ... (GPT-NeoX)
};

struct Piece {
  std::string name;    // in the file, behind its prefix
  Shape shape;         // in the file
  std::size_t offset;  // of the transformer's values
  PieceOrder order = PieceOrder::kPlain;
};

// The tensors of this architecture's files. `prefix` stands before their names in most of them.
struct PieceTable {
  std::string prefix;
  std::string head;                   // the name of the language head's weight
  std::vector<Piece> pieces;          // behind the prefix
  std::vector<Piece> without_prefix;  // heads
};
PieceTable piece_table(const TransformerConfig& config, const Layout& layout);

}  // namespace plumb::nn
