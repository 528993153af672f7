#include "plumb/raters/embedders/stored_embedder.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plumb/raters/embedders/vector_file.h"

namespace plumb::raters {
namespace {

// What a row is known by. The first character tells the kinds of names apart.
std::string text_key(std::string_view text, std::optional<TextRole> role = {}) {
  const char sign = role ? static_cast<char>('0' + static_cast<int>(*role)) : 't';
  return sign + std::string(text);
}
std::string id_key(std::string_view id, std::size_t part) {
  return fmt::format("i{}#{}", id, part);
}
std::string line_key(std::string_view line) { return fmt::format("l{}", line); }

std::string key_of(const RowName& name) {
  if (!name.line.empty()) return line_key(name.line);
  return name.text ? text_key(*name.text, name.role) : id_key(name.id, name.part);
}

struct Place {
  std::string id;
  std::size_t part = 0;
  bool alone = true;  // the item's only text
};

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{}...", text.substr(0, end));
}

class StoredEmbedder : public Embedder {
 public:
  StoredEmbedder(const std::filesystem::path& path, VectorFile file)
      : path_(path.string()), name_(path.filename().string()), file_(std::move(file)) {}

  Result<void> index(const tasks::Task* task);

  const std::string& name() const override { return name_; }

  Json provenance() const override {
    return {{"model", name_},
            {"sha256", file_.sha256()},
            {"names_sha256", file_.names_sha256()},
            {"rows", file_.rows()},
            {"dimension", file_.columns()},
            {"prompt", nullptr}};  // whoever made the vectors knows
  }

  Result<Vectors> embed(std::span<const std::string_view> texts,
                        const EmbedOptions& options) override {
    std::vector<float> values(texts.size() * file_.columns());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      PLUMB_TRY(row, find(texts[i], options.role));
      file_.copy_row(row, std::span(values).subspan(i * file_.columns(), file_.columns()));
    }
    return Vectors::dense(file_.columns(), std::move(values));
  }

 private:
  Result<std::size_t> find(std::string_view text, TextRole role) const;
  void add_places(const tasks::Task& task, bool training);
  std::optional<std::size_t> row_of(const std::string& key) const;
  std::optional<std::size_t> row_of(const Place& place) const;
  bool alike(std::size_t row, std::size_t other) const;

  std::string path_, name_;
  VectorFile file_;
  std::unordered_map<std::string, std::size_t> rows_;           // by key
  std::unordered_map<std::string, std::vector<Place>> places_;  // by text: in the task
};

void StoredEmbedder::add_places(const tasks::Task& task, bool training) {
  for (const tasks::Item& item : task.of(training)) {
    for (std::size_t part = 0; part < item.texts.size(); ++part) {
      places_[item.texts[part]].push_back({item.id, part, item.texts.size() == 1});
    }
  }
}

Result<void> StoredEmbedder::index(const tasks::Task* task) {
  for (std::size_t row = 0; row < file_.rows(); ++row) {
    const auto [found, fresh] = rows_.emplace(key_of(file_.names()[row]), row);
    if (fresh || alike(row, found->second)) continue;
    return fail(ErrorKind::kBadInput, fmt::format("{}: the same name as {}, with another vector",
                                                  file_.where(row), file_.where(found->second)));
  }
  if (task == nullptr) return {};
  add_places(*task, false);
  add_places(*task, true);
  return {};
}

// Batches of another size give slightly other vectors of one text.
bool StoredEmbedder::alike(std::size_t row, std::size_t other) const {
  constexpr double kTolerance = 1e-3;
  std::vector<float> a(file_.columns()), b(file_.columns());
  file_.copy_row(row, a);
  file_.copy_row(other, b);
  double difference = 0, length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    difference += (x - y) * (x - y);
    length += x * x;
  }
  return difference <= kTolerance * kTolerance * length;
}

std::optional<std::size_t> StoredEmbedder::row_of(const std::string& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> StoredEmbedder::row_of(const Place& place) const {
  if (const auto row = row_of(id_key(place.id, place.part))) return row;
  if (const auto row = row_of(line_key(fmt::format("{}#{}", place.id, place.part)))) return row;
  return place.alone ? row_of(line_key(place.id)) : std::nullopt;
}

Result<std::size_t> StoredEmbedder::find(std::string_view text, TextRole role) const {
  for (const std::string& key : {text_key(text, role), text_key(text), line_key(text)}) {
    if (const auto row = row_of(key)) return *row;
  }
  const auto places = places_.find(std::string(text));
  const std::string where =
      places == places_.end() ? std::string{} : fmt::format("item {}, ", places->second.front().id);
  std::optional<std::size_t> first;
  for (std::size_t i = 0; places != places_.end() && i < places->second.size(); ++i) {
    const auto row = row_of(places->second[i]);
    if (!row) continue;
    if (!first) first = row;
    if (alike(*row, *first)) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the text \"{}\" has another vector under {}; give texts their "
                            "role, or each text one vector",
                            file_.where(*row), shown(text), file_.where(*first)));
  }
  if (first) return *first;
  return fail(
      ErrorKind::kBadInput,
      fmt::format(
          "{}: no vector of {}\"{}\"{}; embed the texts of this task", path_, where, shown(text),
          role == TextRole::kText ? std::string{} : fmt::format(" as a {}", role_name(role))));
}

}  // namespace

Result<std::unique_ptr<Embedder>> make_stored_embedder(const std::filesystem::path& path,
                                                       const std::filesystem::path& names,
                                                       const tasks::Task* task) {
  PLUMB_TRY(file, VectorFile::open(path, names));
  auto embedder = std::make_unique<StoredEmbedder>(path, std::move(file));
  if (auto indexed = embedder->index(task); !indexed) return tl::unexpected(indexed.error());
  return embedder;
}

}  // namespace plumb::raters
