// Stored vectors as an embedder: it looks the texts up in a file (vector_file.h).
//
// A text is looked for among the texts of the file, first those of its role, then those without
// one; then, where the task is known, among the ids of the items that hold the text. A text that is
// not found is an error that names its item, so vectors of another version of a task are noticed.
#pragma once

#include <filesystem>
#include <memory>

#include "plumb/raters/embedders/embedder.h"
#include "plumb/tasks/task.h"

namespace plumb::raters {

// `task`: whose items the ids of the file are; nullptr: only texts are looked for. It is read here
// and not kept. Errors: those of VectorFile::open(); kBadInput with both lines where two rows of
// one name, or of the same text under two ids, differ by over a thousandth of their length.
Result<std::unique_ptr<Embedder>> make_stored_embedder(const std::filesystem::path& path,
                                                       const std::filesystem::path& names,
                                                       const tasks::Task* task);

}  // namespace plumb::raters
