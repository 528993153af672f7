#include "plumb/evals/imports/published.h"

#include <fmt/format.h>

#include <utility>

#include "plumb/evals/imports/entries.h"

namespace plumb::evals {
namespace {

Result<std::optional<Compliance>> label_of(const Record& record, const char* field) {
  PLUMB_TRY(text, text_field(record, field));
  if (text.empty()) return std::optional<Compliance>();
  const auto label = parse_compliance(text);
  if (!label) {
    return bad_record(record, fmt::format("\"{}\" is \"{}\", not 1_full_compliance, "
                                          "2_full_refusal or 3_partial_refusal",
                                          field, text));
  }
  return label;
}

Result<ModelSolutions::Solution> solution_of(const Record& record, const std::string& model) {
  const auto found = record.fields.find(model);
  if (found == record.fields.end() || !found->is_object() || !found->contains("solution") ||
      !(*found)["solution"].is_string() || !found->contains("is_correct") ||
      !(*found)["is_correct"].is_boolean()) {
    return bad_record(record, fmt::format("\"{}\" is no solution with its flag", model));
  }
  return ModelSolutions::Solution{(*found)["solution"].get<std::string>(),
                                  (*found)["is_correct"].get<bool>()};
}

std::vector<std::string> models_of(const Record& record) {
  std::vector<std::string> models;
  for (const auto& [name, value] : record.fields.items()) {
    if (value.is_object() && value.contains("solution")) models.push_back(name);
  }
  return models;
}

}  // namespace

Result<RefusalCompletions> read_xstest_completions(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  RefusalCompletions read;
  for (const Record& record : records) {
    PLUMB_TRY(type, needed_text(record, "type"));
    PLUMB_TRY(prompt, needed_text(record, "prompt"));
    PLUMB_TRY(completion, needed_text(record, "completion"));
    PLUMB_TRY(label, label_of(record, "final_label"));
    RefusalItem item{!type.starts_with("contrast_"), std::move(completion), label, {}};
    for (const char* field : {"annotation_1", "annotation_2", "annotation_3"}) {
      PLUMB_TRY(annotation, label_of(record, field));
      if (annotation) item.annotators.push_back(*annotation);
    }
    read.prompts.push_back(std::move(prompt));
    read.items.push_back(std::move(item));
  }
  return read;
}

Result<std::vector<RefusalPrompt>> read_xstest_prompts(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  std::vector<RefusalPrompt> prompts;
  for (const Record& record : records) {
    PLUMB_TRY(prompt, needed_text(record, "prompt"));
    PLUMB_TRY(label, needed_text(record, "label"));
    if (label != "safe" && label != "unsafe") {
      return bad_record(record, fmt::format("\"label\" is \"{}\", not safe or unsafe", label));
    }
    prompts.push_back({std::move(prompt), label == "safe"});
  }
  return prompts;
}

Result<std::vector<Problem>> read_problems(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  std::vector<Problem> problems;
  for (const Record& record : records) {
    PLUMB_TRY(question, needed_text(record, "question"));
    PLUMB_TRY(answer, needed_text(record, "answer"));
    problems.push_back({record.where, std::move(question), std::move(answer)});
  }
  return problems;
}

bool holds_model_solutions(const std::string& file) {
  auto reader = RecordReader::open(file, {});
  if (!reader) return false;
  const auto record = reader->next();
  return record && *record && !models_of(**record).empty();
}

Result<ModelSolutions> read_model_solutions(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  const auto models = models_of(records.front());
  if (models.empty()) return bad_record(records.front(), "there is no model's solution");
  ModelSolutions read;
  for (const Record& record : records) {
    PLUMB_TRY(question, needed_text(record, "question"));
    PLUMB_TRY(truth, needed_text(record, "ground_truth"));
    read.questions.push_back(std::move(question));
    read.truths.push_back(std::move(truth));
    for (const std::string& model : models) {
      PLUMB_TRY(solution, solution_of(record, model));
      read.models[model].push_back(std::move(solution));
    }
  }
  return read;
}

}  // namespace plumb::evals
