// The report of the three links (plumb report links) that a manager attaches to a study, for
// researchers to see beside it. Annotators see nothing of it. The text is kept byte for byte; who
// attaches it has checked it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plumb/study/study.h"

namespace plumb::study {

struct AttachedLinks {
  std::string title;
  std::string report;  // JSON
  std::string sha256;  // of that
  std::string attached_by;
  std::int64_t attached_ms = 0;
};

// In place of the one that there was.
Result<void> attach_links(const Study& study, const std::string& title, const std::string& report,
                          const std::string& by);

// kNotFound: there is none.
Result<void> detach_links(const Study& study);

Result<std::optional<AttachedLinks>> links_of(const Study& study);
Result<bool> has_links(const Study& study);

}  // namespace plumb::study
