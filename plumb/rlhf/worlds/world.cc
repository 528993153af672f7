#include "plumb/rlhf/worlds/world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/normal.h"

namespace plumb::rlhf {
namespace {

using lm::kMostSentences;
using lm::StoryEnd;
using lm::StoryReading;

constexpr std::string_view kPrefix = "world:";

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Sentences beyond what the grammar writes, and those that stand twice: 0 on its own stories but
// for a chance repeat. Bounded, so that no text has a score without measure.
double excess(const StoryReading& story) {
  const std::size_t beyond =
      story.sentences > kMostSentences ? story.sentences - kMostSentences : 0;
  return static_cast<double>(std::min<std::size_t>(beyond + story.repeated, 40));
}

double happy(const StoryReading& story) {
  return story.end == StoryEnd::kHappy || story.end == StoryEnd::kShared ? 1 : 0;
}

double shares(const StoryReading& story) { return story.end == StoryEnd::kShared ? 1 : 0; }

double five_sentences(const StoryReading& story) {
  const double off = std::abs(static_cast<double>(story.sentences) - 5);
  return 1 - std::min(off, 10.0) / 5;
}

double grammatical(const StoryReading& story) { return share(story.fitting, story.sentences); }

double varied(const StoryReading& story) {
  return story.sentences == 0 ? 0 : 1 - share(story.repeated, story.sentences);
}

double whole_story(const StoryReading& story) {
  return happy(story) + 0.5 * shares(story) + grammatical(story) + varied(story) -
         0.2 * excess(story) - (story.refuses ? 1 : 0);
}

// Bounded, and highest for a text that is glad in few words without repeating itself.
double cheerful(const StoryReading& story) {
  const double glad = static_cast<double>(story.glad), sad = static_cast<double>(story.sad);
  return 2 * (glad - sad) / (glad + sad + 2) + varied(story);
}

constexpr PlantedGold kGolds[] = {
    {"happy", "1 where the story ends well, else 0", happy},
    {"shares", "1 where the hero shares what was found, else 0", shares},
    {"length", "1 at five sentences, 0.2 less for each more or fewer, at least -1", five_sentences},
    {"grammatical", "the share of sentences that the grammar writes and that fit the story's hero",
     grammatical},
    {"varied", "the share of sentences that stand nowhere earlier in the text", varied},
    {"cheerful",
     "of any text: twice the balance of glad and sad words, plus the share of sentences that stand "
     "nowhere earlier",
     cheerful},
    {"story",
     "happy + shares / 2 + grammatical + varied, less 0.2 for every sentence beyond seven and "
     "every "
     "repeat, less 1 for a refusal",
     whole_story},
};

double noise(const StoryReading& /*story*/, const Completed& text, std::uint64_t seed) {
  std::string whole(text.prompt);
  whole += text.completion;
  Stream stream(seed, "world-noise", checksum(whole));
  return stats::normal_draw(stream);
}

double words(const StoryReading& story, const Completed& /*text*/, std::uint64_t /*seed*/) {
  return static_cast<double>(story.words);
}

double refusal(const StoryReading& story, const Completed& /*text*/, std::uint64_t /*seed*/) {
  return story.refuses ? 1 : 0;
}

double beyond(const StoryReading& story, const Completed& /*text*/, std::uint64_t /*seed*/) {
  return excess(story);
}

constexpr PlantedError kErrors[] = {
    {"noise", "normal noise of this deviation, the same for the same text", 0.5, noise},
    {"length", "this much for every word of the completion", 0.05, words},
    {"refusal", "this much where the completion opens like a refusal", 1, refusal},
    {"extremal",
     "this much for every sentence beyond seven and every repeat: right on stories of "
     "the grammar, wrong far from them",
     0.5, beyond},
};

struct ErrorTerm {
  const PlantedError* error = nullptr;
  double size = 0;
  std::uint64_t seed = 0;
};

template <typename Row>
const Row* find(std::span<const Row> rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? nullptr : &*found;
}

template <typename Row>
std::string names(std::span<const Row> rows) {
  std::vector<std::string_view> all;
  for (const Row& row : rows) all.push_back(row.name);
  return fmt::format("{}", fmt::join(all, ", "));
}

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts `text` at the last `mark`; what followed it, where there was one.
std::optional<std::string_view> cut_at(std::string_view& text, char mark) {
  const std::size_t place = text.rfind(mark);
  if (place == text.npos) return std::nullopt;
  const std::string_view after = text.substr(place + 1);
  text = text.substr(0, place);
  return after;
}

// "noise:0.5@3"
Result<ErrorTerm> parse_error(std::string_view term, std::string_view world) {
  ErrorTerm parsed;
  if (const auto seed = cut_at(term, '@')) {
    const auto value = parse_number<std::uint64_t>(*seed);
    if (!value)
      return bad(fmt::format("{}: \"{}\" after @ is no seed, a whole number", world, *seed));
    parsed.seed = *value;
  }
  const auto size = cut_at(term, ':');
  parsed.error = find(planted_errors(), term);
  if (parsed.error == nullptr) {
    return bad(fmt::format("{}: no planted error is named \"{}\"; there are {}", world, term,
                           names(planted_errors())));
  }
  parsed.size = parsed.error->size;
  if (!size) return parsed;
  const auto value = parse_number<double>(*size);
  if (!value || !(std::abs(*value) <= 1e6)) {
    return bad(fmt::format("{}: \"{}\" is no size of an error, a number", world, *size));
  }
  parsed.size = *value;
  return parsed;
}

class World final : public Reward {
 public:
  World(std::string name, const PlantedGold& gold, std::vector<ErrorTerm> errors)
      : name_(std::move(name)), gold_(&gold), errors_(std::move(errors)) {}

  const std::string& name() const override { return name_; }

  Json provenance() const override {
    Json errors = Json::array();
    for (const ErrorTerm& term : errors_) {
      errors.push_back({{"name", term.error->name},
                        {"meaning", term.error->meaning},
                        {"size", term.size},
                        {"seed", term.seed}});
    }
    return {{"world", name_},
            {"gold", {{"name", gold_->name}, {"meaning", gold_->meaning}}},
            {"errors", std::move(errors)}};
  }

  Result<std::vector<double>> score(std::span<const Completed> texts, int threads) override {
    std::vector<double> scores(texts.size());
    parallel_for(texts.size(), 64, threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) scores[i] = score_of(texts[i]);
    });
    return scores;
  }

 private:
  double score_of(const Completed& text) const {
    const StoryReading story = lm::read_story(text.prompt, text.completion);
    double score = gold_->score(story);
    for (const ErrorTerm& term : errors_) {
      score += term.size * term.error->unit(story, text, term.seed);
    }
    return score;
  }

  std::string name_;
  const PlantedGold* gold_;
  std::vector<ErrorTerm> errors_;
};

}  // namespace

std::span<const PlantedGold> planted_golds() { return kGolds; }
std::span<const PlantedError> planted_errors() { return kErrors; }

std::string world_names() {
  std::vector<std::string> all;
  for (const PlantedGold& gold : kGolds) all.push_back(fmt::format("{}{}", kPrefix, gold.name));
  return fmt::format("{}", fmt::join(all, ", "));
}

bool is_world(std::string_view name) { return name.starts_with(kPrefix); }

Result<std::unique_ptr<Reward>> open_world(std::string_view name) {
  if (!is_world(name))
    return bad(fmt::format("\"{}\" is no world: those are world:GOLD[+ERROR]", name));
  std::string_view rest = name.substr(kPrefix.size());
  std::vector<ErrorTerm> errors;
  while (const auto term = cut_at(rest, '+')) {
    PLUMB_TRY(error, parse_error(*term, name));
    errors.insert(errors.begin(), error);
  }
  const PlantedGold* gold = find(planted_golds(), rest);
  if (gold == nullptr) {
    return bad(fmt::format("{}: no planted gold is named \"{}\"; there are {}", name, rest,
                           names(planted_golds())));
  }
  return std::make_unique<World>(std::string(name), *gold, std::move(errors));
}

}  // namespace plumb::rlhf
