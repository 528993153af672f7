#include "plumb/mismatch/chain/samples.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/nn/generator.h"
#include "plumb/rlhf/policy/rollout.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// Draws from a model that is its own reference.
class Drawer {
 public:
  Drawer(const lm::LanguageModel& model, int threads)
      : model_(model),
        generator_(model.transformer),
        scorer_(model.transformer, model.transformer, threads) {}

  Result<rlhf::Rollout> draw(std::span<const rlhf::Prompt> prompts, const rlhf::Drawing& how) {
    const auto list = rlhf::pointers(prompts);
    return rlhf::draw(model_, generator_, scorer_, list, how);
  }

 private:
  const lm::LanguageModel& model_;
  nn::Generator generator_;
  rlhf::Scorer scorer_;
};

std::string first_line(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  return std::string(text.substr(0, text.find('\n')));
}

Result<void> write_samples(const fs::path& file, std::span<const rlhf::Sample> samples) {
  std::string lines;
  for (const rlhf::Sample& sample : samples) lines += to_text(rlhf::sample_json(sample)) + "\n";
  std::error_code code;
  fs::create_directories(file.parent_path(), code);
  if (code) return tl::unexpected(file_error("create", file.parent_path(), code.value()));
  return write_file_atomic(file, lines);
}

}  // namespace

Result<std::string> write_texts(const lm::LanguageModel& model, const TextOptions& options) {
  constexpr std::size_t kAtOnce = 256;
  const std::vector<std::string> empty = {""};
  PLUMB_TRY(prompt, rlhf::encode_prompts(empty, model.name, model));
  Drawer drawer(model, options.threads);
  std::set<std::string> seen;
  std::string texts;
  // Twelve draws for each text that is wanted: a model that repeats itself more has too few.
  for (std::size_t drawn = 0; seen.size() < options.texts && drawn < 12 * options.texts;
       drawn += kAtOnce) {
    PLUMB_TRY(rollout, drawer.draw(prompt, {.group = kAtOnce,
                                            .max_tokens = 6 * options.words,
                                            .seed = options.seed,
                                            .first_index = drawn,
                                            .threads = options.threads}));
    for (const std::string& text : rollout.texts) {
      const std::string line = first_line(text);
      std::string words = rlhf::first_words(line, options.words);
      if (words.size() == line.size() || seen.size() == options.texts) continue;
      if (seen.insert(std::move(words)).second) texts += line + "\n\n";
    }
    if (options.progress) options.progress(seen.size(), options.texts);
  }
  return texts;
}

Result<void> draw_samples(const lm::LanguageModel& model, std::span<const rlhf::Prompt> prompts,
                          rlhf::Reward* gold, const DrawOptions& options, const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return {};
  Drawer drawer(model, options.threads);
  std::vector<rlhf::Sample> samples;
  const std::size_t at_once = std::max<std::size_t>(1024 / options.group, 1);
  for (std::size_t first = 0; first < prompts.size(); first += at_once) {
    const auto some = prompts.subspan(first, std::min(at_once, prompts.size() - first));
    PLUMB_TRY(rollout, drawer.draw(some, {.group = options.group,
                                          .max_tokens = options.max_tokens,
                                          .seed = options.seed,
                                          .first_index = first * options.group,
                                          .threads = options.threads}));
    if (auto scored = rlhf::reward_rollout(rollout, nullptr, gold, options.threads); !scored) {
      return scored;
    }
    std::ranges::move(rlhf::samples_of(rollout, 0), std::back_inserter(samples));
    if (options.progress) options.progress(first + some.size(), prompts.size());
  }
  return write_samples(file, samples);
}

std::vector<rlhf::Completed> completed_texts(std::span<const rlhf::Sample> samples) {
  std::vector<rlhf::Completed> texts;
  for (const rlhf::Sample& sample : samples) {
    texts.push_back({sample.prompt, sample.completion, sample.ended.value_or(true)});
  }
  return texts;
}

Result<void> write_scored(std::vector<rlhf::Sample> samples, std::span<const double> scores,
                          const fs::path& file) {
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].proxy = scores[i];
  return write_samples(file, samples);
}

}  // namespace plumb::mismatch
