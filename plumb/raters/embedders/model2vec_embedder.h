// model2vec folders: static vectors of word pieces (Tulkens and van Dongen 2024). A text is the
// mean of the vectors of its tokens.
//
// The folder holds model.safetensors with the tensor "embeddings" (or "embedding.weight", as
// sentence-transformers writes it), [tokens, dimension], a tokenizer (tokenizer.json), and
// config.json where model2vec wrote it. As model2vec's encode(): the tokens of the text without
// those of a template, without the unknown token, the first 512 of them; their mean, which
// "normalize": true of config.json (or a Normalize step in modules.json) brings to length 1.
// "weights" [tokens] and "mapping" [tokens] of newer models are applied: row mapping[t] times
// weights[t].
#pragma once

#include <filesystem>
#include <memory>

#include "plumb/raters/embedders/embedder.h"

namespace plumb::raters {

// kNotFound: a file is missing. kBadInput, with the file: not such a folder, tensors of another
// shape or type or with a number that is not finite, fewer rows than the tokenizer has tokens, a
// mapping out of the table.
Result<std::unique_ptr<Embedder>> make_model2vec(const std::filesystem::path& folder);

}  // namespace plumb::raters
