#include "plumb/cli/board_options.h"

#include <fmt/format.h>

#include "plumb/cli/options.h"

namespace plumb::cli {

void BoardArguments::declare(CLI::App& verb) {
  verb.add_option(
          "--models", models,
          "paper (the 13 of HUME), all, or a glob such as '*e5*' [paper for hume, else all]")
      ->type_name("GLOB");
  verb.add_option("--human", human,
                  "whose score is the human's: as published, or that of an individual annotator, "
                  "the better or the worse one")
      ->type_name("RULE")
      ->check(one_of("published, individual, better, worse"))
      ->capture_default_str();
  verb.add_option("--language", language, "only subsets of this language (en, eng, eng_Latn)")
      ->type_name("CODE");
  verb.add_option("--task-type", task_type,
                  "only tasks of this type: Classification, Clustering, Reranking, STS")
      ->type_name("TYPE");
  verb.add_option("--revision", revisions,
                  "of a model with several, show this one only (repeatable)")
      ->type_name("NAME=REVISION");
}

void BoardArguments::declare_annotators(CLI::App& verb) {
  verb.add_flag("--annotators", annotators, "a row for every single annotator");
}

Result<gap::BoardOptions> BoardArguments::resolve(const std::string& source) const {
  gap::BoardOptions options;
  if (models.size() > 1) {
    return fail(ErrorKind::kUsage,
                "--models: of published results one glob, such as '*e5*'; models that answer a "
                "task stand beside --humans");
  }
  options.models = !models.empty() ? models.front() : source == "hume" ? "paper" : "all";
  options.human = *gap::parse_human_rule(human);
  options.annotators = annotators;
  if (!language.empty()) options.language = language;
  if (!task_type.empty()) options.task_type = task_type;
  for (const std::string& revision : revisions) {
    const std::size_t cut = revision.find('=');
    if (cut == std::string::npos) {
      return fail(ErrorKind::kUsage,
                  fmt::format("--revision {}: write it as NAME=REVISION", revision));
    }
    options.revisions[revision.substr(0, cut)] = revision.substr(cut + 1);
  }
  return options;
}

}  // namespace plumb::cli
