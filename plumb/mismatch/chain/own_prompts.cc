#include "plumb/mismatch/chain/own_prompts.h"

#include <fmt/format.h>

#include <numeric>
#include <span>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/mismatch/chain/samples.h"

namespace plumb::mismatch {
namespace {

Result<void> make_texts(const lm::LanguageModel& model, const OwnPromptOptions& options,
                        std::size_t wanted) {
  std::error_code ignored;
  if (std::filesystem::exists(options.file, ignored)) return {};
  PLUMB_TRY(texts, write_texts(model, {.texts = wanted,
                                       .words = options.words,
                                       .seed = options.seed,
                                       .threads = options.threads,
                                       .progress = options.progress}));
  return write_file_atomic(options.file, texts);
}

}  // namespace

Result<std::vector<std::vector<rlhf::Prompt>>> own_prompts(const lm::LanguageModel& model,
                                                           const OwnPromptOptions& options) {
  const std::size_t wanted =
      std::accumulate(options.groups.begin(), options.groups.end(), std::size_t{0});
  if (auto made = make_texts(model, options, wanted); !made) return tl::unexpected(made.error());
  PLUMB_TRY(prompts, rlhf::read_prompts(options.file, model, {.words = options.words}));
  if (prompts.size() < wanted) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: {} different beginnings of {} words, fewer than the {} prompts "
                            "asked for; take more words, or fewer prompts",
                            options.file.string(), prompts.size(), options.words, wanted));
  }
  Stream stream(options.seed, "own prompts", 0);
  shuffle(std::span(prompts), stream);
  std::vector<std::vector<rlhf::Prompt>> groups;
  std::size_t next = 0;
  for (const std::size_t count : options.groups) {
    auto& group = groups.emplace_back();
    for (std::size_t i = 0; i < count; ++i) group.push_back(std::move(prompts[next++]));
  }
  return groups;
}

}  // namespace plumb::mismatch
