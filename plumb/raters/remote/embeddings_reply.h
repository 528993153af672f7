// The body of an answer of /v1/embeddings, taken apart and checked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::raters {

// What is wrong with a reply, and with which of the texts.
struct ReplyFault {
  std::size_t text;  // its place in the batch
  std::string words;
};

// [texts] the rows in the order of the texts, which `index` tells (the order of the rows where no
// row has one). Each is a list of numbers or base64 of little-endian 32-bit floats, is not empty,
// and is finite.
tl::expected<std::vector<std::vector<float>>, ReplyFault> read_embeddings(const Json& body,
                                                                          std::size_t texts);

}  // namespace plumb::raters
