#include "plumb/evals/writers/writer.h"

#include <algorithm>

namespace plumb::evals {

std::string before_stops(const std::string& text, std::span<const std::string> stops,
                         bool& stopped) {
  std::size_t end = text.size();
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  stopped = end < text.size();
  return text.substr(0, end);
}

}  // namespace plumb::evals
