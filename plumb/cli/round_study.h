// The study in which people answer the questions of a round (plumb mismatch loop --people), and
// what to do with it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "plumb/base/result.h"
#include "plumb/mismatch/loop/loop.h"

namespace plumb::cli {

struct RoundStudy {
  std::size_t round = 1;
  std::filesystem::path folder;  // of the loop
  std::filesystem::path data;    // rounds/R/study.db
  std::string name;              // round-R
  std::size_t questions = 0;
  std::size_t overlap = 1;   // people for each question
  std::size_t accounts = 0;  // that there are already: those of the round before
};

// Makes it where it is not there yet, with the accounts of the round before: whoever answered that
// answers this under the same name and password. Without an overlap it is that of the round before,
// and 1 in the first. REQUIRES: report.waiting_for.
Result<RoundStudy> study_of_round(const mismatch::LoopReport& report,
                                  std::optional<std::size_t> overlap);

// Words and command lines, one below the other, each ready to be copied.
std::string next_steps(const RoundStudy& study);

}  // namespace plumb::cli
