// Whether a text opens like a refusal: the list of openers by which XSTest matches strings (Röttger
// et al. 2023), after blanks and in lower case. Crude, and known to be: "No, ..." is counted, and
// refusals further down are not.
#pragma once

#include <string_view>

namespace plumb {

enum class Apostrophes {
  kAsWritten,  // the published rule: "I’m sorry" with a typographic apostrophe is no opener
  kFolded,     // U+2019 and U+2018 read as '
};

bool opens_like_refusal(std::string_view text, Apostrophes apostrophes);

}  // namespace plumb
