#include "plumb/raters/embedding_rater.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace plumb::raters {
namespace {

using tasks::Item;
using tasks::Kind;
using tasks::Task;

// Distinct texts in the order in which they first occur, each with an item that has it.
class Texts {
 public:
  std::size_t add(const std::string& text, const Item& item) {
    const auto [found, fresh] = places_.emplace(text, texts_.size());
    if (fresh) {
      texts_.push_back(text);
      items_.push_back(&item);
    }
    return found->second;
  }

  std::span<const std::string_view> all() const { return texts_; }

  // "item i7, \"the first words ...\""
  std::string describe(std::size_t place) const {
    constexpr std::size_t kShown = 40;
    const std::string_view text = texts_[place];
    std::size_t end = std::min(text.size(), kShown);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return fmt::format("item {}, \"{}{}\"", items_[place]->id, text.substr(0, end),
                       end < text.size() ? "..." : "");
  }

 private:
  std::unordered_map<std::string_view, std::size_t> places_;
  std::vector<std::string_view> texts_;
  std::vector<const Item*> items_;
};

bool asymmetric(Kind kind) { return kind == Kind::kReranking || kind == Kind::kPreference; }

struct Gathered {
  Texts texts, queries;
  EmbeddedTask embedded;  // rows alone
};

Gathered gather(const Task& task) {
  Gathered gathered;
  for (const Item& item : task.items) {
    auto& rows = gathered.embedded.rows.emplace_back();
    for (const std::string& text : item.texts) {
      Texts& texts = rows.empty() && asymmetric(task.kind) ? gathered.queries : gathered.texts;
      rows.push_back(texts.add(text, item));
    }
  }
  for (const Item& item : task.train) {
    gathered.embedded.train_rows.push_back(gathered.texts.add(item.texts[0], item));
  }
  return gathered;
}

std::vector<std::string_view> distinct_texts(const Gathered& gathered) {
  std::vector<std::string_view> all;
  std::unordered_map<std::string_view, bool> seen;
  for (const Texts* texts : {&gathered.queries, &gathered.texts}) {
    for (const std::string_view text : texts->all()) {
      if (seen.emplace(text, true).second) all.push_back(text);
    }
  }
  return all;
}

bool finite_row(const Vectors& vectors, std::size_t row) {
  const auto finite = [](float value) { return std::isfinite(value); };
  if (vectors.is_dense()) {
    return std::all_of(vectors.dense_row(row).begin(), vectors.dense_row(row).end(), finite);
  }
  const auto entries = vectors.sparse_row(row);
  return std::all_of(entries.begin(), entries.end(),
                     [&](const Vectors::Entry& entry) { return finite(entry.value); });
}

Result<void> check(const Vectors& vectors, const Texts& texts, const Embedder& embedder) {
  if (vectors.rows() != texts.all().size()) {
    return fail(
        ErrorKind::kBadInput,
        fmt::format("{}: {} vectors came for {} texts; the first without one, or of another "
                    "text, is of {}",
                    embedder.name(), vectors.rows(), texts.all().size(),
                    texts.describe(std::min(vectors.rows(), texts.all().size() - 1))));
  }
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    if (finite_row(vectors, row)) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the vector of {} has a value that is not a finite number; leave "
                            "the item out, or embed in a wider type",
                            embedder.name(), texts.describe(row)));
  }
  return {};
}

Result<Vectors> embed_texts(Embedder& embedder, const Texts& texts, const EmbedOptions& options) {
  if (texts.all().empty()) return Vectors{};
  PLUMB_TRY(vectors, embedder.embed(texts.all(), options));
  if (auto checked = check(vectors, texts, embedder); !checked) {
    return tl::unexpected(checked.error());
  }
  return std::move(vectors);
}

}  // namespace

Result<EmbeddedTask> embed_task(const Task& task, Embedder& embedder,
                                const tasks::RateOptions& rate) {
  Gathered gathered = gather(task);
  const auto all = distinct_texts(gathered);
  if (auto prepared = embedder.prepare(all); !prepared) return tl::unexpected(prepared.error());
  EmbedOptions options{.role = asymmetric(task.kind) ? TextRole::kDocument : TextRole::kText,
                       .instruction = task.instruction,
                       .threads = rate.threads,
                       .progress = rate.progress};
  EmbeddedTask& embedded = gathered.embedded;
  PLUMB_TRY(texts, embed_texts(embedder, gathered.texts, options));
  options.role = TextRole::kQuery;
  PLUMB_TRY(queries, embed_texts(embedder, gathered.queries, options));
  if (queries.rows() > 0 && texts.rows() > 0 &&
      (queries.dimension() != texts.dimension() || queries.is_dense() != texts.is_dense())) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: queries have vectors of dimension {} ({}), documents of {} ({}); "
                            "the first query is of {}",
                            embedder.name(), queries.dimension(),
                            queries.is_dense() ? "dense" : "sparse", texts.dimension(),
                            texts.is_dense() ? "dense" : "sparse", gathered.queries.describe(0)));
  }
  embedded.texts = std::move(texts);
  embedded.queries = std::move(queries);
  return std::move(embedded);
}

Result<std::vector<tasks::AnswerSheet>> EmbeddingRater::answer(const Task& task,
                                                               const tasks::RateOptions& rate) {
  PLUMB_TRY(embedded, embed_task(task, *embedder_, rate));
  PLUMB_TRY(sheets, probe(task, embedded, options_, rate));
  const Json embedder = embedder_->provenance();
  for (tasks::AnswerSheet& sheet : sheets) {
    sheet.rater = name();
    sheet.kind = kind();
    sheet.provenance = {{"embedder", embedder},
                        {"dimension", embedded.texts.dimension()},
                        {"probe", std::move(sheet.provenance)}};
  }
  return std::move(sheets);
}

}  // namespace plumb::raters
