// plumb lm: language models. Each verb has its own file; export stands here.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "plumb/cli/lm_options.h"
#include "plumb/lm/export.h"

namespace plumb::cli {

void ModelOptions::declare(CLI::App& verb, bool required) {
  verb.add_option("--model", model,
                  "a Hugging Face folder, a .safetensors file, or a llama2.c checkpoint")
      ->type_name("PATH")
      ->check(not_empty())
      ->required(required);
  verb.add_option("--tokenizer", tokenizer, "where the tokenizer does not lie beside the model")
      ->type_name("PATH")
      ->check(not_empty());
}

void RateOptions::declare(CLI::App& verb) {
  declare_number(verb, "--rate", rate, 0, 10, "the highest learning rate");
  verb.add_option("--schedule", schedule, "how the rate falls: constant, linear, cosine")
      ->type_name("NAME")
      ->check(one_of("constant, linear, cosine"))
      ->capture_default_str();
  declare_count(verb, "--warmup", warmup, 0, "steps in which the rate rises");
  declare_number(verb, "--final-share", final_share, 0, 1,
                 "share of the rate that is left at the end");
  declare_number(verb, "--clip", clip, 0, 1e6, "norm to which a gradient is scaled down; 0: never");
}

nn::RateSchedule RateOptions::values() const {
  return {.kind = *nn::parse_schedule(schedule),
          .rate = static_cast<float>(rate),
          .final_share = static_cast<float>(final_share),
          .warmup = warmup};
}

void RunOptions::declare(CLI::App& verb) {
  add_seed(verb, seed);
  add_threads(verb, threads);
}

namespace {

struct ExportCommand {
  ModelOptions model;
  std::string folder;

  Result<void> run() const {
    PLUMB_TRY(loaded, lm::load_language_model(model.files()));
    PLUMB_TRY(missing,
              lm::export_language_model(loaded, lm::tokenizer_path(model.files()), folder));
    if (!missing.empty()) {
      fmt::print(stderr,
                 "plumb: {}: no tokenizer.json, which other tools will need for texts: {}\n",
                 folder, missing);
    }
    return {};
  }
};

}  // namespace

void add_lm_export(CLI::App& lm, Program& program) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* verb = lm.add_subcommand(
      "export",
      "Example:\n  plumb lm export --model stories260K.bin -o stories260k\n\n"
      "Write a model as a Hugging Face folder: config.json, model.safetensors, its tokenizer.");
  command->model.declare(*verb);
  verb->add_option("-o,--output", command->folder, "the folder")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

void add_lm(CLI::App& app, Program& program) {
  CLI::App* lm = app.add_subcommand(
      "lm",
      "Example:\n  plumb lm sample --model stories260K.bin --prompt 'Once upon a time'\n\n"
      "Train, sample, evaluate and export language models.");
  lm->require_subcommand(1);
  add_lm_train(*lm, program);
  add_lm_sample(*lm, program);
  add_lm_eval(*lm, program);
  add_lm_export(*lm, program);
  add_lm_stories(*lm, program);
}

}  // namespace plumb::cli
