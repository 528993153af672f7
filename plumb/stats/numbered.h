// Clusters by number, as resampling and clustered intervals take them.
#pragma once

#include <cstdint>
#include <ranges>
#include <unordered_map>
#include <vector>

namespace plumb::stats {

// Of each value its number, from 0 without gaps, by first occurrence.
template <std::ranges::input_range Values>
std::vector<std::uint32_t> numbered(const Values& values) {
  std::unordered_map<std::ranges::range_value_t<Values>, std::uint32_t> numbers;
  std::vector<std::uint32_t> result;
  for (const auto& value : values) {
    const auto next = static_cast<std::uint32_t>(numbers.size());
    result.push_back(numbers.emplace(value, next).first->second);
  }
  return result;
}

}  // namespace plumb::stats
