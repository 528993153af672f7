// plumb lm sample: text from a language model.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/lm_options.h"
#include "plumb/nn/generator.h"

namespace plumb::cli {
namespace {

struct SampleCommand {
  ModelOptions model;
  RunOptions run_options;
  std::string prompt;
  std::size_t samples = 1, max_tokens = 256, top_k = 0;
  double temperature = 1.0, top_p = 1.0;
  bool json = false;

  Result<void> run() const;

 private:
  Result<void> write_samples(const lm::LanguageModel& loaded, std::span<const TokenId> prompt_ids,
                             std::span<const nn::Completion> completions) const;
};

const char* ending_name(nn::Ending ending) {
  switch (ending) {
    case nn::Ending::kStopToken:
      return "stop token";
    case nn::Ending::kMaxTokens:
      return "max tokens";
    case nn::Ending::kContext:
      return "context";
  }
  return "";
}

Result<void> SampleCommand::write_samples(const lm::LanguageModel& loaded,
                                          std::span<const TokenId> prompt_ids,
                                          std::span<const nn::Completion> completions) const {
  Json list = Json::array();
  std::string text;
  for (const nn::Completion& completion : completions) {
    std::vector<TokenId> ids(prompt_ids.begin(), prompt_ids.end());
    ids.insert(ids.end(), completion.tokens.begin(), completion.tokens.end());
    if (completion.ending == nn::Ending::kStopToken) ids.pop_back();
    PLUMB_TRY(whole, loaded.tokenizer.decode(ids));
    double log_probability = 0;
    for (const float value : completion.log_probabilities) {
      log_probability += static_cast<double>(value);
    }
    list.push_back({{"text", whole},
                    {"tokens", completion.tokens.size()},
                    {"log_probability", log_probability},
                    {"ending", ending_name(completion.ending)}});
    text += (text.empty() ? "" : "\n") + whole + "\n";
  }
  if (!json) return write_stdout(text);
  Json result = {{"schema", "plumb.lm-sample/1"},
                 {"version", kVersion},
                 {"model", lm::provenance(loaded)},
                 {"prompt", prompt},
                 {"prompt_tokens", prompt_ids.size()},
                 {"seed", run_options.seed},
                 {"temperature", temperature},
                 {"top_k", top_k},
                 {"top_p", top_p},
                 {"max_tokens", max_tokens},
                 {"samples", std::move(list)}};
  return write_stdout(to_text(result, 2) + "\n");
}

Result<void> SampleCommand::run() const {
  PLUMB_TRY(loaded, lm::load_language_model(model.files()));
  PLUMB_TRY(ids, loaded.encode(prompt));
  const std::size_t context = loaded.transformer.config().context;
  if (ids.size() > context) {
    fmt::print(stderr,
               "plumb: the prompt's {} tokens are more than the context of {}; its last {} "
               "are used\n",
               ids.size(), context, context / 2);
    ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(context / 2));
  }
  const nn::Generator generator(loaded.transformer);
  const std::vector<std::vector<TokenId>> prompts(samples, ids);
  const auto completions =
      generator.generate(prompts, {.max_tokens = max_tokens,
                                   .temperature = static_cast<float>(temperature),
                                   .top_k = top_k,
                                   .top_p = static_cast<float>(top_p),
                                   .stop_tokens = loaded.stop_tokens(),
                                   .seed = run_options.seed,
                                   .threads = run_options.threads,
                                   .progress = progress_bar("samples")});
  return write_samples(loaded, ids, completions);
}

}  // namespace

void add_lm_sample(CLI::App& lm, Program& program) {
  auto command = std::make_shared<SampleCommand>();
  CLI::App* verb = lm.add_subcommand(
      "sample",
      "Example:\n  plumb lm sample --model stories260K.bin --prompt 'Once upon a time' "
      "--temperature 0\n\nWrite text: the prompt and what the model makes of it.");
  command->model.declare(*verb);
  verb->add_option("--prompt", command->prompt, "how the text begins")->type_name("TEXT");
  const auto count = [&](const char* name, std::size_t& value, std::uint64_t low,
                         std::uint64_t high, const char* help) {
    verb->add_option(name, value, help)
        ->type_name("N")
        ->check(whole_number(low, high))
        ->capture_default_str();
  };
  count("--samples", command->samples, 1, 1'000'000, "texts, an empty line between them");
  count("--max-tokens", command->max_tokens, 0, 1'000'000, "new tokens of each text, at most");
  verb->add_option("--temperature", command->temperature,
                   "above 1 more varied, below 1 less; 0 takes the likeliest token")
      ->type_name("X")
      ->check(number(0, 100))
      ->capture_default_str();
  count("--top-k", command->top_k, 0, 1'000'000'000, "draw from the N likeliest tokens; 0: all");
  verb->add_option("--top-p", command->top_p,
                   "draw from the fewest tokens that together are this likely")
      ->type_name("X")
      ->check(number(0, 1))
      ->capture_default_str();
  command->run_options.declare(*verb);
  verb->add_flag("--json", command->json, "one JSON object (docs/formats.md names its schema)")
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
