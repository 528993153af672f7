// plumb lm train: a language model from texts.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/base/version.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/training_line.h"
#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"

namespace plumb::cli {
namespace {

struct TrainCommand {
  std::vector<std::string> files;
  std::string run_folder, tokenizer, model, config;
  std::size_t width = 64, layers = 5, heads = 8, key_heads = 4, hidden = 172, context = 256;
  RateOptions rates = {.warmup = 50};
  double decay = 0.1;
  lm::TrainOptions options;
  RunOptions run_options;
  bool json = false;

  Result<void> run() const;

 private:
  Result<nn::Transformer> start(const Tokenizer& read) const;
  lm::TrainOptions all_options() const;
};

// A Llama of the shape that the options give.
nn::TransformerConfig shape_of(const TrainCommand& c, const Tokenizer& tokenizer) {
  nn::TransformerConfig shape;
  shape.vocabulary = tokenizer.vocabulary_size();
  shape.width = c.width;
  shape.layers = c.layers;
  shape.heads = c.heads;
  shape.key_heads = c.key_heads;
  shape.head_width = shape.rotary_width = c.width / c.heads;
  shape.hidden = c.hidden;
  shape.context = c.context;
  shape.begin_token = tokenizer.special().bos;
  shape.end_token = tokenizer.special().eos;
  return shape;
}

Result<nn::Transformer> TrainCommand::start(const Tokenizer& read) const {
  if (!model.empty()) return nn::load_transformer(model);
  nn::TransformerConfig shape = shape_of(*this, read);
  if (!config.empty()) {
    PLUMB_TRY(described, nn::read_config(config));
    shape = described;
    if (!shape.causal || !shape.language_head) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: a model that writes no text", config));
    }
  } else if (width % heads != 0) {
    return fail(ErrorKind::kUsage,
                fmt::format("--heads {} does not divide --width {}", heads, width));
  }
  if (auto sound = nn::check_config(shape, "the shape"); !sound) {
    return tl::unexpected(sound.error());
  }
  nn::Transformer fresh(shape);
  nn::initialise(fresh, run_options.seed);
  return fresh;
}

lm::TrainOptions TrainCommand::all_options() const {
  lm::TrainOptions all = options;
  all.files.assign(files.begin(), files.end());
  all.run = run_folder;
  all.schedule = rates.values();
  all.adam.decay = static_cast<float>(decay);
  all.adam.clip = static_cast<float>(rates.clip);
  all.seed = run_options.seed;
  all.threads = run_options.threads;
  return all;
}

Json json_of(const lm::TrainReport& report) {
  return {{"schema", "plumb.lm-train/1"},
          {"version", kVersion},
          {"model", report.model.string()},
          {"steps", report.steps},
          {"resumed_from", report.resumed_from},
          {"parameters", report.parameters},
          {"documents", report.documents},
          {"tokens", report.tokens},
          {"first_loss", report.first_loss},
          {"last_loss", report.last_loss},
          {"seconds", report.seconds}};
}

Result<void> TrainCommand::run() const {
  const lm::ModelFiles named{model, tokenizer};
  if (tokenizer.empty() && model.empty()) {
    return fail(ErrorKind::kUsage, "--tokenizer is needed where there is no --model");
  }
  PLUMB_TRY(read, load_tokenizer(lm::tokenizer_path(named)));
  TrainingLine line;
  PLUMB_TRY(report, lm::train([&] { return start(read); }, read, lm::tokenizer_path(named),
                              all_options(), [&](const lm::TrainStatus& s) { line.show(s); }));
  if (json) return write_stdout(to_text(json_of(report), 2) + "\n");
  return write_stdout(fmt::format(
      "{} parameters, {} steps{}: loss {:.3f} in the first tenth, {:.3f} nats a token in the last\n"
      "the model is {}\n",
      report.parameters, report.steps,
      report.resumed_from > 0 ? fmt::format(" (taken up at {})", report.resumed_from) : "",
      report.first_loss, report.last_loss, report.model.string()));
}

void declare_shape(CLI::App& verb, TrainCommand& command) {
  const auto size = [&](const char* name, std::size_t& value, const char* help) {
    verb.add_option(name, value, help)
        ->type_name("N")
        ->check(whole_number(1, 1 << 24))
        ->capture_default_str()
        ->group("Shape, from scratch");
  };
  size("--width", command.width, "of the residual stream");
  size("--layers", command.layers, "layers");
  size("--heads", command.heads, "attention heads");
  size("--key-heads", command.key_heads, "heads of keys and values");
  size("--hidden", command.hidden, "width of the feed-forward part");
  size("--context", command.context, "tokens that the model sees at once");
  verb.add_option("--config", command.config, "the shape as a config.json instead")
      ->type_name("FILE")
      ->group("Shape, from scratch");
}

void declare_steps(CLI::App& verb, TrainCommand& command) {
  declare_count(verb, "--steps", command.options.steps, 1, "steps of the whole training");
  declare_count(verb, "--batch", command.options.batch, 1, "blocks of the context's length a step");
  declare_count(verb, "--save-every", command.options.save_every, 1,
                "steps between two saved states");
  command.rates.declare(verb);
  declare_number(verb, "--weight-decay", command.decay, 0, 10, "of matrices");
}

}  // namespace

void add_lm_train(CLI::App& lm, Program& program) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* verb = lm.add_subcommand(
      "train",
      "Example:\n  plumb lm train stories.txt --tokenizer tok512.bin --run runs/stories\n\n"
      "Train a language model on texts, from scratch or from a checkpoint; taken up where it was "
      "killed.");
  verb->add_option("FILE", command->files, "texts whose documents empty lines separate")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--run", command->run_folder, "the run's folder; the model goes to FOLDER/model")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->add_option("--tokenizer", command->tokenizer, "needed from scratch")
      ->type_name("PATH")
      ->check(not_empty());
  verb->add_option("--model", command->model, "begin with this checkpoint")
      ->type_name("PATH")
      ->check(not_empty());
  declare_steps(*verb, *command);
  declare_shape(*verb, *command);
  command->run_options.declare(*verb);
  verb->add_flag("--json", command->json, "one JSON object (docs/formats.md names its schema)")
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
