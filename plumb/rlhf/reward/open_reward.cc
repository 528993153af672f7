#include "plumb/rlhf/reward/open_reward.h"

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <utility>

#include "plumb/base/parallel.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/worlds/world.h"
#include "plumb/text/words.h"

namespace plumb::rlhf {
namespace {

using Words = std::vector<std::string_view>;
// A score from the words of a completion.
using WordScore = std::function<double(const Completed& text, const Words& words)>;

class WordReward : public Reward {
 public:
  WordReward(std::string name, WordScore of) : name_(std::move(name)), of_(std::move(of)) {}

  const std::string& name() const override { return name_; }
  Json provenance() const override { return {{"reward", name_}}; }

  Result<std::vector<double>> score(std::span<const Completed> texts, int threads) override {
    constexpr std::size_t kGrain = 64;
    std::vector<double> scores(texts.size());
    parallel_for(texts.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
      WordSplitter splitter(WordRule::kUnicode);
      for (std::size_t i = begin; i < end; ++i) {
        scores[i] = of_(texts[i], splitter.split(texts[i].completion));
      }
    });
    return scores;
  }

 private:
  std::string name_;
  WordScore of_;
};

using Opened = Result<std::unique_ptr<Reward>>;

Opened words_reward(const std::string& spec, WordScore of) {
  return std::make_unique<WordReward>(spec, std::move(of));
}

Opened open_length(const std::string& spec, const std::string&) {
  return words_reward(
      spec, [](const Completed&, const Words& words) { return static_cast<double>(words.size()); });
}

Opened open_word(const std::string& spec, const std::string& word) {
  return words_reward(spec, [word](const Completed&, const Words& words) {
    double count = 0;
    for (const std::string_view one : words) count += one == word ? 1 : 0;
    return count;
  });
}

Opened open_ended(const std::string& spec, const std::string&) {
  return words_reward(spec,
                      [](const Completed& text, const Words&) { return text.ended ? 1.0 : 0.0; });
}

struct Kind {
  std::string_view name, argument;  // argument "": it takes none
  Opened (*open)(const std::string& spec, const std::string& argument);
};

constexpr Kind kKinds[] = {
    {"length", "", open_length},  // words of the completion
    {"word", "WORD", open_word},  // how often the completion has this word
    {"ended", "", open_ended},    // 1 where the completion ends by itself, else 0
};

std::string spelling(const Kind& kind) {
  return fmt::format("{}{}{}", kind.name, kind.argument.empty() ? "" : ":", kind.argument);
}

}  // namespace

Result<std::unique_ptr<Reward>> open_reward(const std::string& spec,
                                            const FeatureOpener& features) {
  if (is_world(spec)) return open_world(spec);
  std::error_code ignored;
  if (std::filesystem::exists(spec, ignored)) {
    PLUMB_TRY(learned, open_learned_reward({spec, {}}, features));
    return std::unique_ptr<Reward>(std::move(learned));
  }
  const std::size_t colon = spec.find(':');
  const std::string name = spec.substr(0, colon);
  const std::string argument = colon == std::string::npos ? "" : spec.substr(colon + 1);
  for (const Kind& kind : kKinds) {
    if (kind.name != name) continue;
    if (kind.argument.empty() != (colon == std::string::npos) ||
        kind.argument.empty() != argument.empty()) {
      return fail(ErrorKind::kUsage,
                  fmt::format("reward \"{}\": it is written {}", spec, spelling(kind)));
    }
    return kind.open(spec, argument);
  }
  std::string known;
  for (const Kind& kind : kKinds) known += (known.empty() ? "" : ", ") + spelling(kind);
  return fail(ErrorKind::kNotFound,
              fmt::format("no reward is called \"{}\", and there is no such folder; there are {}, "
                          "and {}",
                          spec, known, world_names()));
}

}  // namespace plumb::rlhf
