#include "plumb/cli/sample_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace plumb::cli {
namespace {

constexpr const char* kFields[] = {
    "step",  "prompt", "completion", "tokens",          "ended",
    "proxy", "gold",   "kl",         "log_probability", "reference_log_probability"};

Result<std::pair<std::string, std::string>> parse_map(const std::string& pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
    return fail(ErrorKind::kUsage, fmt::format("--map: '{}' is not field=column", pair));
  }
  const std::string field = pair.substr(0, equals);
  if (std::ranges::find(kFields, field) == std::end(kFields)) {
    return fail(ErrorKind::kUsage, fmt::format("--map: a sample has no '{}'; its fields are {}",
                                               field, fmt::join(kFields, ", ")));
  }
  return std::pair(field, pair.substr(equals + 1));
}

}  // namespace

void SampleFieldOptions::declare(CLI::App& verb) {
  verb.add_option("--map", map,
                  "a field of a sample and what the file calls it, for files of other trainers")
      ->type_name("FIELD=NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--format", format, "csv, tsv or jsonl, where the ending does not tell")
      ->type_name("FORMAT")
      ->check(one_of("csv, tsv, jsonl"));
  verb.add_option("--step-is", step, "the step of all lines, in files without steps")
      ->type_name("N")
      ->check(whole_number(0, std::numeric_limits<std::uint32_t>::max()));
}

Result<rlhf::SampleFields> SampleFieldOptions::fields() const {
  rlhf::SampleFields fields{.step = step, .format = format};
  for (const std::string& pair : map) {
    PLUMB_TRY(parsed, parse_map(pair));
    if (!fields.names.emplace(parsed.first, parsed.second).second) {
      return fail(ErrorKind::kUsage, fmt::format("--map: '{}' is given twice", parsed.first));
    }
  }
  return fields;
}

}  // namespace plumb::cli
