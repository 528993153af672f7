// The verbs of `plumb study`, one file each.
#pragma once

#include <memory>
#include <string>

#include "plumb/cli/options.h"
#include "plumb/study/store.h"
#include "plumb/study/study.h"

namespace plumb::cli {

void add_study_new(CLI::App& study, Program& program);
void add_study_status(CLI::App& study, Program& program);
void add_study_export(CLI::App& study, Program& program);
void add_study_import(CLI::App& study, Program& program);
void add_study_freeze(CLI::App& study, Program& program);
void add_study_guidelines(CLI::App& study, Program& program);
void add_study_invite(CLI::App& study, Program& program);
void add_study_models(CLI::App& study, Program& program);
void add_study_links(CLI::App& study, Program& program);
void add_study_simulate(CLI::App& study, Program& program);

// plumb serve, beside them.
void add_serve(CLI::App& app, Program& program);

// --data and --database: where studies are kept, a file or a PostgreSQL database.
class StudioOptions {
 public:
  void declare(CLI::App& verb);

  Result<std::unique_ptr<study::Store>> open(study::Store::Mode mode) const;
  // By an option, not by the environment or as the default.
  bool is_named() const;
  // For messages, without what is secret.
  std::string shown() const;

 private:
  std::string url() const;  // "": a file

  std::string data_ = "plumb.db", database_;
  const CLI::Option* data_option_ = nullptr;
};

// NAME beside it: one study.
struct StudyOptions {
  std::string name;
  StudioOptions studio;

  void declare(CLI::App& verb, bool required = true);
};

// A study with the store that it lives in.
struct OpenStudy {
  std::unique_ptr<study::Store> store;
  study::Study study;
};
Result<OpenStudy> open_study(const StudyOptions& options, study::Store::Mode mode);

}  // namespace plumb::cli
