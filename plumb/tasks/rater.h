// The seam that every rater implements that a program can ask: a baseline, an embedding model with
// its probe, a language model, a reward model. People answer through files and the studio.
#pragma once

#include <cstdint>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

struct RateOptions {
  std::uint64_t seed = 0;
  int threads = 0;  // 0: as many as the machine has
  Progress progress = {};
};

class Rater {
 public:
  Rater() = default;
  Rater(const Rater&) = delete;
  Rater& operator=(const Rater&) = delete;
  virtual ~Rater() = default;

  virtual const std::string& name() const = 0;
  virtual RaterKind kind() const = 0;

  // One sheet, or one a run. The same task and seed give the same answers, whatever the threads.
  virtual Result<std::vector<AnswerSheet>> answer(const Task& task, const RateOptions& options) = 0;
};

}  // namespace plumb::tasks
