// Answers from files into a study's slots.
//
//   PLUMB_TRY(counts, import_answers(study, task, "people.jsonl", {}));
#pragma once

#include <cstddef>
#include <filesystem>

#include "plumb/study/exchange/read_answers.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct ImportCounts {
  std::size_t answers = 0;
  std::size_t annotators = 0;      // whose answers they are
  std::size_t of_other_tasks = 0;  // rows of the file that were left out
};

// Every answer takes an open slot of its item; all of them are imported, or none. Reading, checking
// and carrying them to the database is done beside those who write; they wait for one transaction
// at the end, in which the rows that lie ready become answers. An item is known
// by the texts of the record where it has any, else by its id. kBadInput, with file and line: an
// answer that does not fit its item, an item that the task does not have, a second answer of one
// rater to one item, more answers than slots. kNotAllowed: the study is frozen; people into a study
// of simulated annotators. kBusy: others took the seats of its annotators all the while.
Result<ImportCounts> import_answers(const Study& study, const StudyTask& task,
                                    const std::filesystem::path& path, const ReadOptions& options);

}  // namespace plumb::study
