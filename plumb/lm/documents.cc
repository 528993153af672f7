#include "plumb/lm/documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/utf8.h"
#include "plumb/text/lines.h"

namespace plumb::lm {

Result<std::vector<std::string>> read_documents(const std::filesystem::path& file) {
  PLUMB_TRY(reader, LineReader::open(file));
  std::vector<std::string> documents;
  bool between = true;
  for (;;) {
    PLUMB_TRY(line, reader.next());
    if (!line) break;
    const bool blank = line->find_first_not_of(" \t\f\v\r") == std::string_view::npos;
    if (!blank && between) {
      documents.emplace_back(*line);
    } else if (!blank) {
      documents.back() += '\n';
      documents.back() += *line;
    }
    between = blank;
  }
  if (documents.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: no text there", file.string()));
  }
  return documents;
}

std::size_t characters(std::string_view text) { return count_characters(text); }

}  // namespace plumb::lm
