#include "plumb/cli/ask_options.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "plumb/base/hash.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/options.h"
#include "plumb/cli/precision_option.h"
#include "plumb/raters/embedding_rater.h"
#include "plumb/raters/llm/llm_annotator.h"
#include "plumb/raters/remote/remote_embedder.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/reward/reward_rater.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string kinds_help() {
  std::vector<std::string> words;
  for (const auto& kind : raters::embedder_kinds()) {
    words.push_back(fmt::format("{} ({})", kind.word, kind.meaning));
  }
  words.emplace_back("or of preference tasks the folder of a reward model");
  return fmt::format("a model that answers, several in a row: {}", fmt::join(words, ", "));
}

}  // namespace

std::string api_key() {
  const std::string own = environment("PLUMB_API_KEY");
  return own.empty() ? environment("OPENAI_API_KEY") : own;
}

std::string EmbedderOptions::cache_folder() const {
  if (!cache.empty()) return cache;
  const std::string folder = environment("XDG_CACHE_HOME");
  if (!folder.empty()) return (fs::path(folder) / "plumb").string();
  const std::string home = environment("HOME");
  return (home.empty() ? fs::temp_directory_path() : fs::path(home) / ".cache") / "plumb";
}

void EmbedderOptions::declare(CLI::App& verb) {
  const auto in_group = [](CLI::Option* option) { option->group("Embedding"); };
  in_group(verb.add_option("--words", words,
                           "what a word is: unicode (UAX 29), or blanks (texts split before)")
               ->type_name("RULE")
               ->check(one_of("unicode, blanks"))
               ->capture_default_str());
  in_group(verb.add_option("--pooling", pooling, "of word vectors: mean, or sif (Arora 2017)")
               ->type_name("RULE")
               ->check(one_of("mean, sif"))
               ->capture_default_str());
  in_group(verb.add_option("--frequencies", frequencies,
                           "for sif: texts (of the task), order (of the file), or a file of "
                           "WORD COUNT lines")
               ->type_name("WHAT")
               ->capture_default_str());
  in_group(verb.add_flag("--remove-component", remove_component,
                         "for sif: take the first principal component away"));
  in_group(
      verb.add_option("--ids", ids, "of stored vectors: their ids or texts")->type_name("FILE"));
  in_group(verb.add_option("--prompt", prompt,
                           "put before every text that goes to a server; {instruction} stands for "
                           "the task's")
               ->type_name("TEXT"));
  in_group(verb.add_option("--query-prompt", query_prompt, "before queries, where it is another")
               ->type_name("TEXT"));
  in_group(
      verb.add_option("--document-prompt", document_prompt, "before documents")->type_name("TEXT"));
  in_group(verb.add_option("--batch", batch, "texts in one request to a server")
               ->type_name("N")
               ->check(whole_number(1, 4096))
               ->capture_default_str());
  in_group(verb.add_option("--concurrency", concurrency, "requests under way at once")
               ->type_name("N")
               ->check(whole_number(1, 256))
               ->capture_default_str());
  in_group(declare_precision(verb, precision));
  CLI::Option* folder =
      verb.add_option("--cache", cache, "a folder for vectors and replies [the user's cache]")
          ->type_name("FOLDER");
  in_group(folder);
  in_group(verb.add_flag("--no-cache", no_cache, "keep no vectors")->excludes(folder));
}

Result<std::unique_ptr<raters::Embedder>> EmbedderOptions::open(const std::string& model,
                                                                const tasks::Task* task) const {
  raters::OpenOptions options;
  options.words = *parse_word_rule(words);
  options.statics.pooling =
      pooling == "sif" ? raters::WordPooling::kSif : raters::WordPooling::kMean;
  options.statics.frequencies = frequencies;
  options.statics.remove_component = remove_component;
  options.names = ids;
  options.task = task;
  raters::RemoteEmbedderOptions& remote = options.remote;
  remote.http.api_key = api_key();
  remote.text_prompt = prompt;
  remote.query_prompt = query_prompt.empty() ? prompt : query_prompt;
  remote.document_prompt = document_prompt.empty() ? prompt : document_prompt;
  remote.batch_texts = batch;
  remote.concurrency = concurrency;
  options.encoder.precision = *nn::parse_precision(precision);
  if (!no_cache) options.encoder.cache = remote.cache = fs::path(cache_folder()) / "vectors.cache";
  auto opened = raters::open_embedder(model, options);
  if (!opened && !no_cache && opened.error().message.starts_with(remote.cache.string())) {
    return fail(opened.error().kind,
                opened.error().message + "; --cache names another folder, --no-cache keeps none");
  }
  return opened;
}

void EmbedderOptions::tell_notes(const raters::Embedder& embedder) {
  for (const std::string& note : embedder.notes()) {
    fmt::print(stderr, "plumb: {}: {}\n", embedder.name(), note);
  }
}

void AskOptions::declare(CLI::App& verb, bool with_model) {
  if (with_model) {
    verb.add_option("--model,--models", models, kinds_help())
        ->type_name("MODEL...")
        ->check(not_empty());
  }
  verb.add_option("--llm", llms,
                  "a language model that answers as an annotator: http://HOST:PORT/v1#NAME")
      ->type_name("URL...")
      ->check(not_empty());
  const auto in_group = [](CLI::Option* option) { option->group("Probes"); };
  in_group(verb.add_option("--protocol", protocol,
                           "default (all there is, several runs), or as MTEB 2 or 1 does: mteb, "
                           "mteb-legacy (docs/probes.md)")
               ->type_name("NAME")
               ->check(one_of("default, mteb, mteb-legacy"))
               ->capture_default_str());
  in_group(verb.add_option("--similarity", similarity, "cosine, dot or euclidean")
               ->type_name("NAME")
               ->check(one_of("cosine, dot, euclidean"))
               ->capture_default_str());
  in_group(verb.add_option("--draws", draws, "classification: train on so many samples")
               ->type_name("N")
               ->check(whole_number(1, 100'000)));
  in_group(verb.add_option("--samples-per-label", samples_per_label,
                           "classification: training items of each label in a draw")
               ->type_name("N")
               ->check(whole_number(1, 10'000'000)));
  CLI::Option* given = verb.add_option("--groups", groups, "clustering: so many groups")
                           ->type_name("N")
                           ->check(whole_number(1, 1'000'000));
  in_group(given);
  in_group(verb.add_flag("--silhouette", silhouette,
                         "clustering: as many groups as separate best, without gold")
               ->excludes(given));
  in_group(verb.add_option("--runs", runs, "clusterings, or sheets of a language model")
               ->type_name("N")
               ->check(whole_number(1, 100'000)));
  in_group(verb.add_flag("--ask-again", ask_again,
                         "remind a language model once of the form of its reply"));
  embedders.declare(verb);
}

raters::ProbeOptions AskOptions::probe_options() const {
  raters::ProbeOptions options;
  options.protocol = *raters::parse_protocol(protocol);
  options.similarity = *raters::parse_similarity(similarity);
  if (draws > 0) options.draws = draws;
  if (samples_per_label > 0) options.samples_per_label = samples_per_label;
  if (groups > 0) options.groups = groups;
  options.by_silhouette = silhouette;
  if (runs > 0) options.runs = runs;
  return options;
}

Result<std::unique_ptr<tasks::Rater>> AskOptions::open_llm(const std::string& model) const {
  PLUMB_TRY(spec, raters::parse_remote_spec(model));
  raters::LlmOptions options;
  options.http.api_key = api_key();
  options.log = fs::path(embedders.cache_folder()) /
                fmt::format("replies-{}.jsonl", sha256(model).substr(0, 12));
  options.concurrency = embedders.concurrency;
  options.ask_again = ask_again;
  if (runs > 0) options.runs = runs;
  return raters::make_llm_annotator(spec, std::move(options));
}

Result<std::vector<tasks::AnswerSheet>> AskOptions::answers(const tasks::Task& task,
                                                            const tasks::RateOptions& rate) const {
  std::vector<tasks::AnswerSheet> sheets;
  const auto ask = [&](const std::string& model, tasks::Rater& rater) -> Result<void> {
    tasks::RateOptions watched = rate;
    watched.progress = progress_bar(model);
    PLUMB_TRY(made, rater.answer(task, watched));
    for (tasks::AnswerSheet& sheet : made) sheets.push_back(std::move(sheet));
    return {};
  };
  for (const std::string& model : models) {
    if (rlhf::is_reward(model)) {
      PLUMB_TRY(reward, rlhf::open_learned_reward({model}, feature_opener()));
      rlhf::RewardRater rater(std::move(reward));
      if (auto asked = ask(model, rater); !asked) return tl::unexpected(asked.error());
      continue;
    }
    PLUMB_TRY(embedder, embedders.open(model, &task));
    const raters::Embedder& opened = *embedder;
    raters::EmbeddingRater rater(std::move(embedder), probe_options());
    if (auto asked = ask(model, rater); !asked) return tl::unexpected(asked.error());
    EmbedderOptions::tell_notes(opened);
  }
  for (const std::string& model : llms) {
    PLUMB_TRY(rater, open_llm(model));
    if (auto asked = ask(model, *rater); !asked) return tl::unexpected(asked.error());
  }
  return sheets;
}

}  // namespace plumb::cli
