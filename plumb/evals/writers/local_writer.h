// A checkpoint as a Writer (writer.h).
//
// A text stands behind the model's begin token, unless that is its end token too (GPT-2's), which
// then only stands before a text without a context: what lm-evaluation-harness does with
// add_bos_token where a model has one. Of a text beyond the context the last tokens are kept.
#pragma once

#include <memory>
#include <string>

#include "plumb/evals/writers/writer.h"
#include "plumb/lm/language_model.h"

namespace plumb::evals {

// `model` must outlive it. threads: 0: all; never changes a result.
std::unique_ptr<Writer> make_local_writer(const lm::LanguageModel& model, int threads);

}  // namespace plumb::evals
