#include "plumb/evals/imports/outputs.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "plumb/evals/imports/entries.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

constexpr std::array<std::string_view, 3> kPrompts = {"prompt", "question", "instruction"};
constexpr std::array<std::string_view, 5> kTexts = {"completion", "output", "response", "solution",
                                                    "text"};
constexpr std::array<std::string_view, 2> kModels = {"model", "generator"};
constexpr std::array<std::string_view, 2> kSuites = {"suite", "eval"};

Result<std::string> one_of(const Record& record, std::span<const std::string_view> names,
                           bool needed) {
  const Json* field = first_field(record.fields, names);
  if (field == nullptr && !needed) return std::string();
  if (field == nullptr) {
    return bad_record(record, fmt::format("\"{}\" is missing", names.front()));
  }
  if (!field->is_string()) {
    return bad_record(record, fmt::format("\"{}\" is not a text", names.front()));
  }
  return field->get<std::string>();
}

Result<Output> read_output(const Record& record) {
  PLUMB_TRY(prompt, one_of(record, kPrompts, true));
  PLUMB_TRY(input, text_field(record, "input"));
  PLUMB_TRY(text, one_of(record, kTexts, true));
  PLUMB_TRY(model, one_of(record, kModels, false));
  PLUMB_TRY(suite, one_of(record, kSuites, false));
  PLUMB_TRY(ended, truth_field(record, "ended"));
  PLUMB_TRY(step, number_field(record, "step"));
  PLUMB_TRY(kl, number_field(record, "kl"));
  if (step && (*step < 0 || *step != std::floor(*step))) {
    return bad_record(record, "\"step\" is not a count");
  }
  if (kl && *kl < 0) return bad_record(record, "\"kl\" is negative");
  if (!input.empty()) prompt += "\n\n" + input;
  Output output{.where = record.where,
                .prompt = std::move(prompt),
                .text = std::move(text),
                .model = std::move(model),
                .suite = std::move(suite),
                .ended = ended,
                .step = {},
                .kl = kl};
  if (step) output.step = static_cast<std::size_t>(*step);
  return output;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

Result<std::vector<Output>> read_outputs(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  std::vector<Output> outputs;
  for (const Record& record : records) {
    PLUMB_TRY(output, read_output(record));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Result<std::vector<const Output*>> match_outputs(std::span<const std::string> prompts,
                                                 std::span<const Output> outputs,
                                                 const MatchOptions& options) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < prompts.size(); ++i) places.emplace(trimmed(prompts[i]), i);
  std::vector<const Output*> matched(prompts.size(), nullptr);
  for (const Output& output : outputs) {
    const auto refuse = [&](const std::string& what) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: {}", output.where, what));
    };
    if (!output.suite.empty() && output.suite != options.suite) {
      return refuse(fmt::format("this is an output of {}, not of {}", output.suite, options.suite));
    }
    if (output.model != outputs.front().model) {
      return refuse(fmt::format("outputs of two models, \"{}\" and \"{}\"", outputs.front().model,
                                output.model));
    }
    const auto place = places.find(trimmed(output.prompt));
    if (place == places.end()) {
      return refuse(fmt::format("the prompt \"{}\" is not one of {}'s",
                                shortened(trimmed(output.prompt)), options.suite));
    }
    if (matched[place->second] != nullptr) {
      return refuse(
          fmt::format("a second output of the prompt of {}", matched[place->second]->where));
    }
    matched[place->second] = &output;
  }
  for (std::size_t i = 0; !options.partial && i < prompts.size(); ++i) {
    if (matched[i] != nullptr) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: item {} of {} has no output (\"{}\"); --partial scores the rest",
                            outputs.empty() ? options.suite : outputs.front().where, i + 1,
                            options.suite, shortened(trimmed(prompts[i]))));
  }
  return matched;
}

std::vector<std::vector<Output>> by_model(std::span<const Output> outputs) {
  std::map<std::string, std::size_t> places;
  std::vector<std::vector<Output>> models;
  for (const Output& output : outputs) {
    const auto [found, is_new] = places.emplace(output.model, models.size());
    if (is_new) models.emplace_back();
    models[found->second].push_back(output);
  }
  return models;
}

}  // namespace plumb::evals
