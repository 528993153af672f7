// What a table of links comes to, in one plain sentence.
#pragma once

#include <string>

namespace plumb::mismatch {

struct LinkReport;
struct SwapReport;

std::string links_sentence(const LinkReport& report);

// At which stages gold is surely lost, in words without a full stop; "" where nothing was swapped.
std::string swap_sentence(const SwapReport& swap);

}  // namespace plumb::mismatch
