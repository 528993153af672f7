// Where exceptions stop: of a library, or of a row that is not what its table says.
#pragma once

#include <string_view>

#include "plumb/study/db/writer.h"

namespace plumb::study {

// Runs the job; an exception is kInternal. doing: "reading", "writing".
Result<void> guarded_job(const Writer::Job& job, Connection& connection, std::string_view doing);

}  // namespace plumb::study
