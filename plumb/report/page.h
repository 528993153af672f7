// The one HTML page of every report: the built page of web/ with the data inside. It asks nothing
// of the network, and no text of the data can leave the element it stands in.
#pragma once

#include <string>

#include "plumb/base/json.h"

namespace plumb::report {

// data: an object whose "schema" the page knows (web/src/data.ts).
std::string html_page(const Json& data);

}  // namespace plumb::report
