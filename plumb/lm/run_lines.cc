#include "plumb/lm/run_lines.h"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "plumb/base/files.h"

namespace plumb::lm {

namespace fs = std::filesystem;

LineFile::LineFile(fs::path file) : file_(std::move(file)), out_(file_, std::ios::app) {}

Result<void> LineFile::add(std::string_view lines) {
  out_ << lines << std::flush;
  if (!out_) return tl::unexpected(file_error("write", file_, errno));
  return {};
}

std::string json_line(const Json& value) { return to_text(value) + "\n"; }

Result<std::vector<Json>> keep_lines_before(const fs::path& file, std::size_t step) {
  std::vector<Json> lines;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return lines;
  PLUMB_TRY(text, read_file(file));
  std::size_t kept = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', kept)) {
    Json line = Json::parse(std::string_view(text).substr(kept, end - kept), nullptr, false);
    const bool before = line.is_object() && line.contains("step") &&
                        line["step"].is_number_unsigned() && line["step"] < step;
    if (!before) break;
    lines.push_back(std::move(line));
    kept = end + 1;
  }
  if (auto written = write_file_atomic(file, std::string_view(text).substr(0, kept)); !written) {
    return tl::unexpected(written.error());
  }
  return lines;
}

Result<void> keep_first_lines(const fs::path& file, std::size_t count) {
  std::string text;
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    PLUMB_TRY(read, read_file(file));
    text = std::move(read);
  }
  std::size_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t feed = text.find('\n', end);
    if (feed == std::string::npos) {
      return fail(
          ErrorKind::kBadInput,
          fmt::format("{}: {} lines where the run had written {}; remove the folder to begin "
                      "anew",
                      file.string(), i, count));
    }
    end = feed + 1;
  }
  return write_file_atomic(file, std::string_view(text).substr(0, end));
}

}  // namespace plumb::lm
