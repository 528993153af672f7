// What people answered in a study as MTEB result files (gap/mteb_writer.h): `plumb study export
// --format mteb` and the server's export.
#pragma once

#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/mteb_writer.h"
#include "plumb/study/study.h"

namespace plumb::server {

// Of a task: "baseline/Human" (of one annotator, expected), each annotator by pseudonym, and the
// decisions of adjudicators as "adjudicated". Each result says under "plumb_study" whose answers
// they are, from when to when, and under which versions of the guidelines. kUsage: a preference
// task. kNotFound: nobody has answered it.
Result<std::vector<gap::MtebFile>> mteb_files_of(const study::Study& study,
                                                 const study::StudyTask& task,
                                                 const std::string& subset);

// Of the task of that name; of "" all that people answered and MTEB knows. A rater's description,
// which is the same for all tasks, is there once. kNotFound: there is nothing.
Result<std::vector<gap::MtebFile>> mteb_files_of_study(const study::Study& study,
                                                       const std::string& task,
                                                       const std::string& subset);

}  // namespace plumb::server
