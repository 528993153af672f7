// plumb lm eval: how well a language model predicts texts.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/precision_option.h"
#include "plumb/lm/documents.h"
#include "plumb/lm/evaluate.h"

namespace plumb::cli {
namespace {

struct EvalCommand {
  ModelOptions model;
  std::string file;
  std::string precision = "f32";
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const;
};

Json score_json(const stats::Score& score) { return score ? Json(*score) : Json(nullptr); }

Json interval_json(const stats::IntervalScore& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

std::string score_text(const stats::Score& score) {
  return score ? fmt::format("{:.4f}", *score) : std::string(score.error().reason);
}

std::string interval_text(const stats::IntervalScore& interval) {
  return interval ? fmt::format("[{:.4f}, {:.4f}]", interval->low, interval->high)
                  : std::string(interval.error().reason);
}

// A row a unit: its count, the nats, the interval.
report::Table table_of(const lm::Evaluation& e, double level) {
  report::Table table;
  constexpr auto kRight = report::Align::kRight;
  table.columns = {{"unit"},
                   {"n", kRight},
                   {"nats", kRight},
                   {fmt::format("{:g} % interval", 100 * level), kRight}};
  table.rows = {{"token", fmt::format("{}", e.tokens), score_text(e.nats_per_token),
                 interval_text(e.nats_per_token_ci)},
                {"character", fmt::format("{}", e.characters), score_text(e.nats_per_character),
                 interval_text(e.nats_per_character_ci)}};
  return table;
}

std::string exact(const stats::Score& score) {
  return score ? report::exact(*score) : std::string();
}

report::Table records_of(const lm::Evaluation& e) {
  report::Table table{{{"unit"}, {"n"}, {"nats"}, {"low"}, {"high"}}, {}};
  const auto add = [&](const char* unit, std::size_t n, const stats::Score& score,
                       const stats::IntervalScore& ci) {
    table.rows.push_back({unit, fmt::format("{}", n), exact(score),
                          ci ? report::exact(ci->low) : "", ci ? report::exact(ci->high) : ""});
  };
  add("token", e.tokens, e.nats_per_token, e.nats_per_token_ci);
  add("character", e.characters, e.nats_per_character, e.nats_per_character_ci);
  return table;
}

Json json_of(const lm::Evaluation& e, const lm::LanguageModel& loaded, const EvalCommand& command) {
  return {{"schema", "plumb.lm-eval/1"},
          {"version", kVersion},
          {"model", lm::provenance(loaded)},
          {"precision", command.precision},
          {"file", command.file},
          {"documents", e.documents},
          {"documents_beyond_context", e.beyond_context},
          {"tokens", e.tokens},
          {"characters", e.characters},
          {"nats", e.nats},
          {"nats_per_token", score_json(e.nats_per_token)},
          {"nats_per_token_ci", interval_json(e.nats_per_token_ci)},
          {"nats_per_character", score_json(e.nats_per_character)},
          {"nats_per_character_ci", interval_json(e.nats_per_character_ci)},
          {"level", command.sampling.level},
          {"resamples", command.sampling.values.resamples},
          {"seed", command.sampling.values.seed}};
}

Result<void> EvalCommand::run() const {
  PLUMB_TRY(loaded, lm::load_language_model(model.files()));
  PLUMB_TRY(documents, lm::read_documents(file));
  const auto evaluation = lm::evaluate(loaded, documents,
                                       {.resamples = sampling.values.resamples,
                                        .level = sampling.level,
                                        .seed = sampling.values.seed,
                                        .threads = sampling.values.threads,
                                        .precision = *nn::parse_precision(precision),
                                        .progress = progress_bar("predicting")});
  if (!evaluation) {
    return fail(evaluation.error().kind, fmt::format("{}: {}", file, evaluation.error().message));
  }
  const lm::Evaluation& e = *evaluation;
  const std::string heading =
      fmt::format("{}: {} documents{}\n\n", file, e.documents,
                  e.beyond_context == 0
                      ? std::string()
                      : fmt::format(", {} beyond the context, read in windows that overlap by half",
                                    e.beyond_context));
  return write(
      {.json = [&] { return json_of(e, loaded, *this); },
       .records = [&] { return records_of(e); },
       .text =
           [&](auto terminal) {
             return heading + report::to_terminal(table_of(e, sampling.level), terminal);
           },
       .markdown = [&] { return heading + report::to_markdown(table_of(e, sampling.level)); }},
      output);
}

}  // namespace

void add_lm_eval(CLI::App& lm, Program& program) {
  auto command = std::make_shared<EvalCommand>();
  CLI::App* verb = lm.add_subcommand(
      "eval",
      "Example:\n  plumb lm eval --model stories260K.bin stories.txt\n\n"
      "Nats a token and a character on the documents of a text file, which empty lines separate.");
  verb->add_option("FILE", command->file, "the texts, plain or gzip; - is standard input")
      ->type_name("")
      ->check(not_empty())
      ->required();
  command->model.declare(*verb);
  declare_precision(*verb, command->precision);
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
