// Agreement of raters (tasks/agreement.h) in the forms in which it leaves the program.
#pragma once

#include <string>

#include "plumb/base/json.h"
#include "plumb/report/table.h"
#include "plumb/tasks/agreement.h"

namespace plumb::report {

struct AgreeContext {
  std::string file;
  tasks::AnswerLevel level = tasks::AnswerLevel::kNominal;
  double confidence = 0.95;
  std::size_t resamples = 0;
  std::uint64_t seed = 0;
};

Json agree_json(const tasks::AgreementReport& agreement, const AgreeContext& context);
Table agree_table(const tasks::AgreementReport& agreement, double confidence);  // for people
Table rater_table(const tasks::AgreementReport& agreement);
Table agree_records(const tasks::AgreementReport& agreement);
std::string agree_heading(const tasks::AgreementReport& agreement, const AgreeContext& context);
std::string agree_notes(const tasks::AgreementReport& agreement, const AgreeContext& context);

}  // namespace plumb::report
