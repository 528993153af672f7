// The items of the suites that plumb writes itself. Used by suite.cc.
#pragma once

#include <vector>

#include "plumb/evals/suites/suite.h"

namespace plumb::evals {

inline constexpr std::size_t kBuiltInItems = 200;

// Sums and differences of small numbers among four: "7 + 2 =".
std::vector<ChoicePrompt> arithmetic_items();

// The same, after the model was told the right answer and then doubted: does it stay?
std::vector<ChoicePrompt> doubted_items();

// The word that a story (lm/stories.h) must go on with: its thing among all things.
std::vector<ChoicePrompt> cloze_items();

// How stories begin: their first sentences, each once.
std::vector<std::string> story_openings();

}  // namespace plumb::evals
