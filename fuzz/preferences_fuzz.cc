// Whatever the bytes are, they are comparisons or refused with words; no text is lost, and an audit
// of what was read has no share outside of its interval.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "plumb/rlhf/preferences/preference_audit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("preferences", 0);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto read = plumb::rlhf::read_preferences("/proc/self/fd/" + std::to_string(file), {});
  close(file);
  if (!read) {
    if (read.error().message.empty()) std::abort();
    return 0;
  }
  const auto audit = plumb::rlhf::audit_preferences(*read, {.sampling = {.resamples = 10}});
  for (const auto& row : audit.rows) {
    if (row.reference == 0 || !row.value || !row.ci) continue;  // a difference is resampled
    if (*row.value < row.ci->low - 1e-9 || *row.value > row.ci->high + 1e-9) {
      if (row.id.find("krippendorff") == std::string::npos) std::abort();
    }
  }
  return 0;
}
