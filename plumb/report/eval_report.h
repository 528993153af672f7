// Evaluations of models that write (evals/row.h), in the forms in which they leave the program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/evals/row.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct EvalContext {
  std::string suite, subject;  // "gsm8k"; the model or file
  std::vector<evals::EvalRow> rows;
  std::vector<std::string> notes = {};
  double level = 0.95;
  std::uint64_t seed = 0;
  Json provenance = {};  // of the model, where one was asked
};

Json eval_json(const EvalContext& context);  // plumb.eval/1
Table eval_table(const EvalContext& context);
Table eval_records(const EvalContext& context);
std::string eval_heading(const EvalContext& context);
std::string eval_notes(const EvalContext& context);

// What can be run and scored: `plumb eval list`.
Json eval_list_json();  // plumb.eval-list/1
Table eval_list_table();

}  // namespace plumb::report
