// Why a text that ought to be a JSON object is none, in words that let its writer mend it.
//
//   Json line = Json::parse(text, nullptr, false);
//   if (!line.is_object()) return bad(why_no_object(text));   // "\"acc\" is NaN, which ..."
#pragma once

#include <string>
#include <string_view>

namespace plumb {

// Whether it begins as a JSON array of objects, lists or texts does.
bool begins_array(std::string_view text);

// "the line is not a JSON object"; where it begins an array or looks like a row of a table, what to
// do about it; where all that is wrong are Python's words NaN, Infinity and
// -Infinity, the first field of the object that is one of them, or the words alone where they stand
// deeper. REQUIRES: the text is no JSON object.
std::string why_no_object(std::string_view text);

// The same where there is such a word; "" where something else is wrong.
std::string nonfinite_trouble(std::string_view text);

}  // namespace plumb
