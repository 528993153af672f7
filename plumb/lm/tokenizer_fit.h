// Whether a model and a tokenizer belong together, before either is used. A model reads the tokens
// of another's tokenizer without a word, and what it then says of a text means nothing.
//
//   if (auto fits = check_fit(files, model.config(), tokenizer, frame); !fits) return fits;
#pragma once

#include "plumb/lm/language_model.h"

namespace plumb::lm {

// Every token of the tokenizer and of the frame is one of the model's, and they fill half of its
// vocabulary or more (checkpoints round theirs up, by less). Else kBadInput with both files and
// both sizes.
Result<void> check_fit(const ModelFiles& files, const nn::TransformerConfig& config,
                       const Tokenizer& tokenizer, const TextFrame& frame);

}  // namespace plumb::lm
