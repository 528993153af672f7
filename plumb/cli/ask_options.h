// Models that answer a task when a verb asks them: which, and how their vectors become answers.
// What `plumb score`, `plumb gap TASK --humans` and `plumb embed` share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/raters/embedders/open_embedder.h"
#include "plumb/raters/probes/probe.h"
#include "plumb/tasks/rater.h"

namespace plumb::cli {

// The key of a server, from the environment alone: command lines are seen by everyone.
std::string api_key();

// How embedders are opened.
struct EmbedderOptions {
  std::string words = "unicode";
  std::string pooling = "mean";
  std::string frequencies = "texts";
  bool remove_component = false;
  std::string ids;  // of stored vectors
  std::string prompt, query_prompt, document_prompt;
  int concurrency = 4;
  std::size_t batch = 32;
  std::string precision = "f32";  // of encoders
  std::string cache;              // a folder; "": the user's
  bool no_cache = false;

  void declare(CLI::App& verb);
  // task: whose ids stored vectors may be named by; nullptr: none. Errors as open_embedder();
  // kNotAllowed where no cache can be made.
  Result<std::unique_ptr<raters::Embedder>> open(const std::string& model,
                                                 const tasks::Task* task) const;
  // On stderr, what embed() left to say.
  static void tell_notes(const raters::Embedder& embedder);
  // The folder for what need not be asked twice: --cache, or plumb/ in the user's cache folder.
  std::string cache_folder() const;
};

struct AskOptions {
  std::vector<std::string> models, llms;
  std::string protocol = "default", similarity = "cosine";
  int draws = 0, samples_per_label = 0, groups = 0, runs = 0;
  bool silhouette = false;
  bool ask_again = false;
  EmbedderOptions embedders;

  // --model is the verb's own where it has another option of that name.
  void declare(CLI::App& verb, bool with_model);
  bool any() const { return !models.empty() || !llms.empty(); }

  // The sheets of all of them. Errors name the model.
  Result<std::vector<tasks::AnswerSheet>> answers(const tasks::Task& task,
                                                  const tasks::RateOptions& rate) const;

 private:
  raters::ProbeOptions probe_options() const;
  Result<std::unique_ptr<tasks::Rater>> open_llm(const std::string& model) const;
};

}  // namespace plumb::cli
