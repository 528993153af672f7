// Findings: what is inconsistent in a publication, each recomputed from its own figures, with the
// evidence in one sentence. A check that needs figures which are not there says nothing; of figures
// other than HUME's, whose claims they check, there are none.
#pragma once

#include <string>
#include <vector>

#include "plumb/gap/board.h"
#include "plumb/gap/figures.h"

namespace plumb::gap {

struct Finding {
  std::string id;        // "alphabetical-ties"
  std::string title;     // what is claimed to be wrong, or to be consistent
  bool holds;            // the figures bear it out
  std::string evidence;  // the numbers
};

// Empty unless the board is of HUME alone, with the people that it pins. `board` holds the paper's
// models and the human as published; `figures` everything else.
std::vector<Finding> find_inconsistencies(const Figures& figures, const Board& board);

}  // namespace plumb::gap
