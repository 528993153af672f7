// A progress bar for each stage of a study that has several.
#pragma once

#include <cstddef>
#include <string>

#include "plumb/cli/options.h"

namespace plumb::cli {

class StageBars {
 public:
  void show(const std::string& stage, std::size_t done, std::size_t total) {
    if (stage != stage_) {
      stage_ = stage;
      bar_ = progress_bar(stage);
    }
    bar_(done, total);
  }

 private:
  std::string stage_;
  Progress bar_;
};

}  // namespace plumb::cli
