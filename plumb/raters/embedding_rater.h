// An embedding model as a rater: it embeds the texts of a task, and a probe (probe.h) answers.
//
//   EmbeddingRater rater(std::move(embedder), {.protocol = Protocol::kMteb});
//   PLUMB_TRY(sheets, rater.answer(task, {.seed = 1}));
#pragma once

#include <memory>
#include <string>

#include "plumb/raters/embedders/embedder.h"
#include "plumb/raters/probes/probe.h"

namespace plumb::raters {

// Calls prepare() with every distinct text of the task, training items included, then embed() with
// every distinct text once a role: of reranking and preference the first text of an item is a query
// and the others are documents; all others are plain texts.
// kBadInput, naming the text: not one vector a text, vectors of two dimensions or kinds, a value
// that is not finite. Errors of the embedder pass through.
Result<EmbeddedTask> embed_task(const tasks::Task& task, Embedder& embedder,
                                const tasks::RateOptions& rate);

class EmbeddingRater : public tasks::Rater {
 public:
  EmbeddingRater(std::unique_ptr<Embedder> embedder, ProbeOptions options)
      : embedder_(std::move(embedder)), options_(options) {}

  const std::string& name() const override { return embedder_->name(); }
  tasks::RaterKind kind() const override { return tasks::RaterKind::kModel; }

  // Provenance of each sheet: {"embedder": what the embedder says, "dimension", "probe": {...}}.
  Result<std::vector<tasks::AnswerSheet>> answer(const tasks::Task& task,
                                                 const tasks::RateOptions& rate) override;

 private:
  std::unique_ptr<Embedder> embedder_;
  ProbeOptions options_;
};

}  // namespace plumb::raters
