// How a long computation tells how far it is. The library calls it now and then, from any thread;
// only cli/ draws it.
#pragma once

#include <cstddef>
#include <functional>

namespace plumb {

// done of total steps. An empty function: nobody listens.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace plumb
