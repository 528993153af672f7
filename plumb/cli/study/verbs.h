// The verbs of `plumb study`, one file each.
#pragma once

#include <memory>
#include <string>

#include "plumb/cli/options.h"
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
void add_study_simulate(CLI::App& study, Program& program);

// plumb serve, beside them.
void add_serve(CLI::App& app, Program& program);

// NAME and --data: a study and the file that it is in.
struct StudyOptions {
  std::string name;
  std::string data = "plumb.db";

  void declare(CLI::App& verb, bool required = true);
};

// A study with the store that it lives in.
struct OpenStudy {
  std::unique_ptr<study::Store> store;
  study::Study study;
};
Result<OpenStudy> open_study(const StudyOptions& options, study::Store::Mode mode);

}  // namespace plumb::cli
