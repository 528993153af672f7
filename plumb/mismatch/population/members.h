// The reward models of a population: every combination of sizes, seeds, amounts and errors of data.
//
//   const std::vector<Member> members = members_of({.layers = {1, 3}, .seeds = 2});
//   members[0].name   // "layers-1-data-0.25-noise-0.1-seed-0"
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plumb/base/json.h"

namespace plumb::mismatch {

struct MemberGrid {
  std::vector<std::size_t> layers;          // of the base model, from the first
  std::vector<double> amounts = {0.25, 1};  // shares of the training prompts
  std::vector<double> noises = {0.1, 0.4};  // shares of comparisons that go against the gold
  std::size_t seeds = 2;                    // of the head and of the order
};

struct Member {
  std::string name;
  std::size_t layers = 0;
  double amount = 1, noise = 0;
  std::size_t seed = 0;

  bool operator==(const Member&) const = default;
};

// Layers outermost, seeds innermost. The same configuration stands once.
std::vector<Member> members_of(const MemberGrid& grid);

// "data-0.25-noise-0.1": what members share that learn from the same comparisons.
std::string data_name(const Member& member);

Json member_json(const Member& member);

}  // namespace plumb::mismatch
