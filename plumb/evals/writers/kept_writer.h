// A Writer that keeps what another one said, so that a run that was stopped asks only for the rest.
//
//   PLUMB_TRY(writer, make_kept_writer(make_local_writer(model, 0), folder / "replies.jsonl"));
//
// Requests go to the other writer in blocks of a fixed size, one after another; a block is kept
// when it is whole, under a hash of the writer's provenance, its requests, options and place.
// Guarantees: a run gives the same bytes whether it was stopped or not.
#pragma once

#include <filesystem>
#include <memory>

#include "plumb/evals/writers/writer.h"

namespace plumb::evals {

struct KeptWriterOptions {
  std::size_t scores = 256, completions = 32;  // requests of a block
};

// Errors: of ReplyLog (raters/remote/reply_log.h). REQUIRES: sizes above 0.
Result<std::unique_ptr<Writer>> make_kept_writer(std::unique_ptr<Writer> writer,
                                                 const std::filesystem::path& log,
                                                 const KeptWriterOptions& options = {});

}  // namespace plumb::evals
