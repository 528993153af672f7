// Probes turn embeddings into answers: similarity for ratings, rankings and preferences, logistic
// regression for labels, k-means for groups. docs/probes.md has the protocols side by side.
//
//   EmbeddedTask embedded = ...;                        // EmbeddingRater (embedding_rater.h) makes
//   it PLUMB_TRY(sheets, probe(task, embedded, {.protocol = Protocol::kMteb}, {.seed = 1}));
//
// A sheet a run: the score of a protocol that draws is the mean over its sheets, their spread what
// the draws cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/raters/vectors.h"
#include "plumb/tasks/rater.h"

namespace plumb::raters {

enum class Protocol {
  kDefault,     // uses all there is: all training items; k-means from many starts, several runs
  kMteb,        // what MTEB 2 does, draw for draw
  kMtebLegacy,  // what MTEB 1 did, draw for draw
};

// "default", "mteb", "mteb-legacy"
std::string_view protocol_name(Protocol protocol);
std::optional<Protocol> parse_protocol(std::string_view name);

enum class Similarity { kCosine, kDot, kEuclidean };

// "cosine", "dot", "euclidean"
std::string_view similarity_name(Similarity similarity);
std::optional<Similarity> parse_similarity(std::string_view name);

struct ProbeOptions {
  Protocol protocol = Protocol::kDefault;

  // STS, reranking, preference. Cosine with a vector of zeros is 0: nothing is known. (MTEB's
  // ratings: 1/2, and 1 between two of them, as scikit-learn's paired_cosine_distances has it.)
  // Euclidean is the negated distance.
  Similarity similarity = Similarity::kCosine;

  // Classification. draws: how many times to learn from samples_per_label training items of each
  // label; nothing: 10 of MTEB's, and by default one run that learns from all.
  std::optional<int> draws = {};
  int samples_per_label = 8;
  double inverse_penalty = 1;  // C of logistic regression
  // MTEB 1 drew its first sample from wherever NumPy's global generator stood: so many 32-bit words
  // after its seed, 42.
  std::uint64_t legacy_words = 0;

  // Clustering. groups: how many; nothing: what the task says, else as many as its gold has
  // (MTEB: always the gold's). by_silhouette: as many as separate best, without gold.
  std::optional<int> groups = {};
  bool by_silhouette = false;
  int runs = 10;     // sheets; MTEB: 1
  int restarts = 5;  // of which a run keeps the one with the least inertia; MTEB: 1
};

// The vectors of a task: each distinct text has one row.
struct EmbeddedTask {
  Vectors texts = {};
  Vectors queries = {};  // reranking, preference: of the first text of each item; empty otherwise
  std::vector<std::vector<std::size_t>> rows = {};  // [items][texts of the item]
  std::vector<std::size_t> train_rows = {};         // [train]
};

// The sheets have answers and provenance {protocol, ...}; rater and kind are left to the caller.
//
// STS: the similarity itself, not on the task's scale. Reranking: of query and document.
// Preference: the completion that is more similar to the prompt, a tie where both are alike.
// kUsage: options that contradict each other or the task. kBadInput: classification without
// training items of two labels; clustering into more groups than items, or without a number of
// groups. The same bytes whatever the threads. Permuting the items of a task permutes the answers,
// but where items are drawn by their place (draws; MTEB's k-means).
Result<std::vector<tasks::AnswerSheet>> probe(const tasks::Task& task, const EmbeddedTask& embedded,
                                              const ProbeOptions& options,
                                              const tasks::RateOptions& rate);

}  // namespace plumb::raters
