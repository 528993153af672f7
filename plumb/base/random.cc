#include "plumb/base/random.h"

namespace plumb {
namespace {

// One step of splitmix64 (Steele, Lea and Flood 2014): advances `state`, returns a mixed word.
std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Stream::Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  std::uint64_t state = seed;
  for (const char c : purpose) state = splitmix(state) ^ static_cast<unsigned char>(c);
  state = splitmix(state) ^ index;
  for (std::uint64_t& word : state_) word = splitmix(state);
}

}  // namespace plumb
