// plumb study: annotation projects and what people answered in them.
#include "plumb/cli/study/verbs.h"

#include <cstdlib>

namespace plumb::cli {

void StudioOptions::declare(CLI::App& verb) {
  CLI::Option* data = verb.add_option("--data", data_, "the file that studies are kept in")
                          ->type_name("FILE")
                          ->check(not_empty())
                          ->capture_default_str();
  verb.add_option("--database", database_,
                  "a PostgreSQL database instead, postgresql://USER@HOST/NAME; PLUMB_DATABASE and "
                  "PGPASSWORD say it where nobody looks on")
      ->type_name("URL")
      ->check(not_empty())
      ->excludes(data);
  data_option_ = data;
}

bool StudioOptions::is_named() const { return !database_.empty() || data_option_->count() > 0; }

std::string StudioOptions::url() const {
  if (is_named()) return database_;
  const char* value = std::getenv("PLUMB_DATABASE");
  return value == nullptr ? "" : value;
}

std::string StudioOptions::shown() const {
  const std::string address = url();
  return address.empty() ? data_ : study::postgres_name(address).value_or("the database");
}

Result<std::unique_ptr<study::Store>> StudioOptions::open(study::Store::Mode mode) const {
  const std::string address = url();
  if (!address.empty()) return study::Store::open_postgres(address, {.mode = mode});
  return study::Store::open(data_, {.mode = mode});
}

void StudyOptions::declare(CLI::App& verb, bool required) {
  verb.add_option("NAME", name, "the study's name")
      ->type_name("")
      ->check(not_empty())
      ->required(required);
  studio.declare(verb);
}

Result<OpenStudy> open_study(const StudyOptions& options, study::Store::Mode mode) {
  PLUMB_TRY(store, options.studio.open(mode));
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
  add_study_links(*verb, program);
  add_study_simulate(*verb, program);
}

}  // namespace plumb::cli
