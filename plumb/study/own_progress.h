// How far an annotator is, and how far the others are: what annotators may see of a study's state.
//
// The others' number does not move with the asker's own answers, so that nobody can tell from it
// whether the item that they just answered was a hidden check.
#pragma once

#include <cstdint>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct OwnProgress {
  std::int64_t answered = 0;         // items that the annotator answered, training apart
  std::int64_t others = 0;           // answers of the others that count
  std::int64_t slots = 0;            // answers that the study asks for
  std::vector<std::int64_t> recent;  // the annotator's last kUndoDepth answered slots, oldest first
  bool frozen = false;
};

Result<OwnProgress> own_progress(const Study& study, std::int64_t annotator);

}  // namespace plumb::study
