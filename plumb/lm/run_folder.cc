#include "plumb/lm/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/nn/safetensors.h"

namespace plumb::lm {
namespace {

namespace fs = std::filesystem;

struct StatePart {
  std::string name;
  std::span<float> values;
};

std::array<StatePart, 3> parts_of(const Trained& trained) {
  const std::string prefix = trained.name.empty() ? "" : trained.name + ".";
  return {{{prefix + "parameters", trained.model.values()},
           {prefix + "first", trained.optimizer.first().span()},
           {prefix + "second", trained.optimizer.second().span()}}};
}

// The step in the state's metadata; more than `steps` where it is none.
std::size_t step_in(const std::string& text, std::size_t steps) {
  const bool digits = !text.empty() && text.size() < 10 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::stoul(text) : steps + 1;
}

// What no run writes over: texts.txt, which studies take as it was laid down for them; and what a
// run leaves that is killed before its manifest.
bool may_stay(const fs::directory_entry& entry) {
  std::error_code ignored;
  const std::string name = entry.path().filename().string();
  return entry.is_directory(ignored) || name == "texts.txt" || name.starts_with("manifest.json.");
}

// A folder without a manifest is nobody's run: what lies in it is not ours to write over.
Result<void> check_unused(const fs::path& folder) {
  std::error_code code;
  for (fs::recursive_directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    if (may_stay(*entry)) continue;
    return fail(ErrorKind::kBusy,
                fmt::format("{}: holds files but no run (manifest.json is missing), as {}; name a "
                            "new or an empty folder",
                            folder.string(), entry->path().lexically_relative(folder).string()));
  }
  if (code) return tl::unexpected(file_error("read", folder, code.value()));
  return {};
}

// Numbers that were rounded to single precision as they were typed, 0.001 for
// 0.0010000000474974513.
std::string as_typed(const Json& value) {
  if (!value.is_number_float()) return to_text(value);
  const auto whole = value.get<double>();
  const auto single = static_cast<float>(whole);
  return static_cast<double>(single) == whole ? fmt::format("{}", single) : to_text(value);
}

}  // namespace

Result<void> open_run(const fs::path& folder, const Json& manifest) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return tl::unexpected(file_error("create", folder, code.value()));
  const fs::path file = folder / "manifest.json";
  if (!fs::exists(file, code)) {
    if (auto unused = check_unused(folder); !unused) return unused;
    return write_file_atomic(file, to_text(manifest, 2) + "\n");
  }
  PLUMB_TRY(text, read_file(file));
  const Json found = Json::parse(text, nullptr, false);
  const Json wanted = Json::parse(to_text(manifest));
  if (!found.is_object()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: not a JSON object", file.string()));
  }
  for (const auto& [key, value] : wanted.items()) {
    if (found.contains(key) && found[key] == value) continue;
    return fail(
        ErrorKind::kBusy,
        fmt::format("{}: the folder holds another run: its {} is {}, not {}; name another "
                    "folder or remove this one",
                    file.string(), key, as_typed(found.value(key, Json())), as_typed(value)));
  }
  return {};
}

Result<void> save_state(const fs::path& folder, std::span<const Trained> trained, std::size_t step,
                        const StateNotes& more) {
  std::vector<nn::Tensor> tensors;
  for (const Trained& one : trained) {
    for (const StatePart& part : parts_of(one)) {
      tensors.push_back(nn::tensor_of(part.name, {part.values.size()}, part.values));
    }
  }
  StateNotes notes = more;
  notes["step"] = std::to_string(step);
  return nn::write_safetensors(folder / "state.safetensors", tensors, notes);
}

Result<std::size_t> load_state(const fs::path& folder, std::span<const Trained> trained,
                               std::size_t steps) {
  std::error_code ignored;
  const fs::path file = folder / "state.safetensors";
  if (!fs::exists(file, ignored)) return 0;
  PLUMB_TRY(state, nn::Checkpoint::open(file));
  const auto found = state.metadata().find("step");
  const std::string text = found == state.metadata().end() ? "" : found->second;
  const std::size_t step = step_in(text, steps);
  if (step > steps) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: its step \"{}\" is none of {}; remove the folder to begin anew",
                            file.string(), text, steps));
  }
  for (const Trained& one : trained) {
    for (const StatePart& part : parts_of(one)) {
      const nn::Shape shape = {part.values.size()};
      PLUMB_TRY(tensor, state.require(part.name, shape));
      if (auto copied = tensor->copy_to(part.values); !copied) {
        return tl::unexpected(copied.error());
      }
    }
    one.optimizer.steps() = step;
  }
  return step;
}

Result<StateNotes> load_notes(const fs::path& folder) {
  std::error_code ignored;
  const fs::path file = folder / "state.safetensors";
  if (!fs::exists(file, ignored)) return StateNotes{};
  PLUMB_TRY(state, nn::Checkpoint::open(file));
  StateNotes notes = state.metadata();
  notes.erase("step");
  return notes;
}

Result<std::vector<Json>> keep_events(const fs::path& folder, std::size_t count) {
  const fs::path file = folder / "events.jsonl";
  std::vector<Json> events;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return events;
  PLUMB_TRY(text, read_file(file));
  std::string kept;
  std::string_view rest = text;
  while (events.size() < count && rest.find('\n') != std::string_view::npos) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) break;
    events.push_back(std::move(event));
    kept += line;
    rest.remove_prefix(line.size());
  }
  if (auto written = write_file_atomic(file, kept); !written) {
    return tl::unexpected(written.error());
  }
  return events;
}

std::string weights_hash(const nn::Transformer& model) {
  const std::span<const float> values = model.values();
  return sha256({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

}  // namespace plumb::lm
