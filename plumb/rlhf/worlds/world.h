// Worlds with a planted truth: gold rewards that are programs over stories, and proxies that are
// wrong in a known way. What a measurement finds in them can be compared with what was planted.
//
// A world's name says all of it:  world:GOLD[+ERROR[:SIZE][@SEED]]...
//
//   world:happy                    1 where the story ends well, else 0
//   world:story+length:0.05        all that makes a good story, and 0.05 for every word
//   world:happy+noise:0.5@3        with normal noise of that deviation, the draw of seed 3
//
// Noise is a function of text and seed alone, so that the same text always has the same score. Any
// text has a score: one that is no story has that of a bad story.
//
//   PLUMB_TRY(proxy, open_world("world:story+length"));
//   PLUMB_TRY(scores, proxy->score(texts, 0));
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "plumb/lm/story_reading.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::rlhf {

struct PlantedGold {
  std::string_view name, meaning;
  double (*score)(const lm::StoryReading& story);
};

struct PlantedError {
  std::string_view name, meaning;
  double size;  // where the name does not say
  // What a size of 1 adds to the score.
  double (*unit)(const lm::StoryReading& story, const Completed& text, std::uint64_t seed);
};

// happy, shares, length, grammatical, varied, cheerful, story
std::span<const PlantedGold> planted_golds();
// noise, length, refusal, extremal
std::span<const PlantedError> planted_errors();

std::string world_names();  // "world:happy, world:shares, ...", for help and errors

bool is_world(std::string_view name);  // begins with "world:"

// kBadInput: no world of that form; the message lists what there is.
Result<std::unique_ptr<Reward>> open_world(std::string_view name);

}  // namespace plumb::rlhf
