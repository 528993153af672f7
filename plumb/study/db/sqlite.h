// The embedded backend: one SQLite file.
//
// Journal WAL and synchronous FULL: a commit returns once its bytes are on the disk, so neither a
// killed process nor a power cut takes back what was committed. Both are asserted when a connection
// opens, not only asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "plumb/base/result.h"
#include "plumb/study/db/database.h"

namespace plumb::study {

struct SqliteOptions {
  std::string vfs = {};          // the storage layer, for tests that make it fail; "": the system's
  bool weak_durability = false;  // synchronous NORMAL: the control that tests of power loss need
  int checkpoint_pages = 1000;   // of the log, before it is copied into the file
};

// Opens nothing yet. kNotAllowed: the file lies on a network file system, where SQLite's locks and
// its shared memory cannot be trusted.
Result<std::unique_ptr<Database>> sqlite_database(const std::filesystem::path& path,
                                                  const SqliteOptions& options = {});

}  // namespace plumb::study
