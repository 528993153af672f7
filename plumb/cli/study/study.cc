// plumb study: annotation projects and what people answered in them.
#include "plumb/cli/study/verbs.h"

namespace plumb::cli {

void StudyOptions::declare(CLI::App& verb, bool required) {
  verb.add_option("NAME", name, "the study's name")
      ->type_name("")
      ->check(not_empty())
      ->required(required);
  verb.add_option("--data", data, "the file that studies are kept in")
      ->type_name("FILE")
      ->check(not_empty())
      ->capture_default_str();
}

Result<OpenStudy> open_study(const StudyOptions& options, study::Store::Mode mode) {
  PLUMB_TRY(store, study::Store::open(options.data, {.mode = mode}));
  PLUMB_TRY(found, study::Study::open(*store, options.name));
  return OpenStudy{std::move(store), std::move(found)};
}

void add_study(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("study",
                         "Example:\n  plumb study new demo --task sts.task.jsonl --overlap 3\n\n"
                         "Studies: people annotate tasks, and nothing that they answer is lost.");
  verb->require_subcommand(1);
  add_study_new(*verb, program);
  add_study_status(*verb, program);
  add_study_export(*verb, program);
  add_study_import(*verb, program);
  add_study_freeze(*verb, program);
  add_study_guidelines(*verb, program);
  add_study_invite(*verb, program);
  add_study_models(*verb, program);
  add_study_simulate(*verb, program);
}

}  // namespace plumb::cli
