// What a table of links comes to, in one plain sentence.
#pragma once

#include <string>

namespace plumb::mismatch {

struct LinkReport;

std::string links_sentence(const LinkReport& report);

}  // namespace plumb::mismatch
