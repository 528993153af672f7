#include "plumb/mismatch/population/members.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::mismatch {

std::string data_name(const Member& member) {
  return fmt::format("data-{}-noise-{}", member.amount, member.noise);
}

std::vector<Member> members_of(const MemberGrid& grid) {
  std::vector<Member> members;
  for (const std::size_t layers : grid.layers) {
    for (const double amount : grid.amounts) {
      for (const double noise : grid.noises) {
        for (std::size_t seed = 0; seed < grid.seeds; ++seed) {
          Member one{"", layers, amount, noise, seed};
          one.name = fmt::format("layers-{}-{}-seed-{}", layers, data_name(one), seed);
          if (std::ranges::find(members, one) == members.end()) members.push_back(one);
        }
      }
    }
  }
  return members;
}

Json member_json(const Member& member) {
  return {{"layers", member.layers},
          {"data", member.amount},
          {"noise", member.noise},
          {"seed", member.seed}};
}

}  // namespace plumb::mismatch
