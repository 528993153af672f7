// plumb lm stories: texts that a grammar writes, with their attributes and a tokenizer, to train a
// first language model on.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/lm_options.h"
#include "plumb/lm/stories.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

struct StoriesCommand {
  std::string folder;
  std::size_t count = 6000;
  lm::StoryOptions options;

  Result<void> run() const;
};

Result<void> StoriesCommand::run() const {
  std::string texts, attributes;
  for (const lm::Story& story : lm::write_stories(count, options)) {
    texts += story.text + "\n\n";
    attributes += to_text(lm::story_json(story)) + "\n";
  }
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("write", folder, code.value()));
  const std::pair<const char*, std::string> files[] = {
      {"stories.txt", texts},
      {"stories.jsonl", attributes},
      {"tokenizer.json", to_text(lm::story_tokenizer(), 1) + "\n"},
      {"tokenizer_config.json", R"({"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>"})"
                                "\n"}};
  for (const auto& [name, bytes] : files) {
    if (auto written = write_file_atomic(fs::path(folder) / name, bytes); !written) return written;
  }
  fmt::print(stderr, "{}: {} stories, their attributes and a tokenizer\n", folder, count);
  return {};
}

}  // namespace

void add_lm_stories(CLI::App& lm, Program& program) {
  auto command = std::make_shared<StoriesCommand>();
  CLI::App* verb = lm.add_subcommand(
      "stories",
      "Example:\n  plumb lm stories -o stories\n"
      "  plumb lm train stories/stories.txt --tokenizer stories --run run --steps 150\n"
      "  plumb lm sample --model run/model\n\n"
      "Little stories that a grammar writes, with their attributes and a tokenizer of their "
      "words: enough to train a first language model in seconds.");
  verb->add_option("-o,--output", command->folder, "the folder")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->add_option("-n,--count", command->count, "how many")
      ->type_name("N")
      ->check(whole_number(1, 10'000'000))
      ->capture_default_str();
  verb->add_option("--happy", command->options.happy, "the share that ends well")
      ->type_name("X")
      ->check(number(0, 1))
      ->capture_default_str();
  verb->add_option("--shares", command->options.shares, "of these, the share with a gift")
      ->type_name("X")
      ->check(number(0, 1))
      ->capture_default_str();
  add_seed(*verb, command->options.seed);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
