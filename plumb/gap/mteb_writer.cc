#include "plumb/gap/mteb_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/json.h"
#include "plumb/base/version.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/suite.h"

namespace plumb::gap {
namespace {

using tasks::AnswerSheet;
using tasks::Kind;
using tasks::RaterKind;
using tasks::Task;
using Sheets = std::vector<const AnswerSheet*>;

struct MtebMetric {
  const char* name;  // MTEB's
  const char* id;    // plumb's
  std::size_t cutoff = 0;
};

// The first is the main score.
std::vector<MtebMetric> metrics_of(Kind kind) {
  switch (kind) {
    case Kind::kSts:
      return {{"spearman", "spearman"}, {"pearson", "pearson"}};
    case Kind::kClassification:
      return {{"accuracy", "accuracy"}, {"f1", "f1_macro"}, {"f1_weighted", "f1_weighted"}};
    case Kind::kClustering:
      return {{"v_measure", "v_measure"}, {"ari", "ari"}, {"ami", "ami"}};
    default:
      return {{"map", "ap"}, {"mrr_at_10", "rr", 10}, {"ndcg_at_10", "ndcg", 10}};
  }
}

using Column = std::vector<std::optional<double>>;  // [sheets] of one metric

struct Scored {
  Column column;
  std::size_t items = 0;  // the fewest that a sheet with a score is scored on
};

Result<Scored> scores_of(const Task& task, const Sheets& sheets, const MtebMetric& metric,
                         const MtebOptions& options) {
  Scored scored;
  // scikit-learn knows no reciprocal rank.
  const bool other =
      options.ties == stats::TieRule::kSklearn && std::string_view(metric.id) == "rr";
  const auto ties = other ? stats::TieRule::kExpected : options.ties;
  for (const AnswerSheet* sheet : sheets) {
    PLUMB_TRY(scorer,
              tasks::Scorer::make(task, *sheet,
                                  {.metric = metric.id, .cutoff = metric.cutoff, .ties = ties}));
    const stats::Score score = scorer.score();
    scored.column.push_back(score ? std::optional(*score) : std::nullopt);
    if (!score) continue;
    scored.items = scored.items == 0 ? scorer.scored() : std::min(scored.items, scorer.scored());
  }
  return scored;
}

Json number(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> mean(const Column& column) {
  double sum = 0, count = 0;
  for (const auto& value : column) {
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

std::optional<double> population_sd(const Column& column) {
  const auto middle = mean(column);
  if (!middle) return std::nullopt;
  double squares = 0, count = 0;
  for (const auto& value : column) {
    if (!value) continue;
    squares += (*value - *middle) * (*value - *middle);
    ++count;
  }
  return std::sqrt(squares / count);
}

// "eng-Latn", where the script can be told; else the code alone.
Json languages_of(const Task& task) {
  if (task.language.empty()) return Json::array();
  const std::string folded(tasks::fold_language(task.language).value_or(task.language));
  const std::string_view script = folded == "ara"   ? "Arab"
                                  : folded == "rus" ? "Cyrl"
                                  : folded == "heb" ? "Hebr"
                                  : folded == "ell" ? "Grek"
                                  : folded == "hin" ? "Deva"
                                  : folded == "eng" || folded == "dan" || folded == "nob" ||
                                          folded == "fra" || folded == "deu" || folded == "spa" ||
                                          folded == "swe" || folded == "ita" || folded == "nld" ||
                                          folded == "por" || folded == "pol"
                                      ? "Latn"
                                      : "";
  return {script.empty() ? folded : fmt::format("{}-{}", folded, script)};
}

// Whether the answers are cosines of an embedding model.
bool by_cosine(const AnswerSheet& sheet) {
  const auto probe = sheet.provenance.find("probe");
  return probe != sheet.provenance.end() && probe->value("similarity", "") == "cosine";
}

Result<Json> entry_of(const Task& task, const Sheets& sheets, const MtebOptions& options) {
  Json entry = Json::object();
  const std::vector<MtebMetric> metrics = metrics_of(task.kind);
  Json experiments(sheets.size(), Json::object());
  std::optional<double> main;
  for (const MtebMetric& metric : metrics) {
    PLUMB_TRY(scored, scores_of(task, sheets, metric, options));
    const Column& column = scored.column;
    entry[metric.name] = number(mean(column));
    if (task.kind == Kind::kSts && by_cosine(*sheets.front())) {
      entry[fmt::format("cosine_{}", metric.name)] = entry[metric.name];
    }
    for (std::size_t s = 0; s < sheets.size(); ++s) experiments[s][metric.name] = number(column[s]);
    if (&metric != &metrics.front()) continue;
    main = mean(column);
    if (scored.items > 0) entry["n_items"] = scored.items;
    if (task.kind == Kind::kReranking) entry["map_at_1000"] = entry["map"];
    if (task.kind == Kind::kClustering) {
      entry["v_measure_std"] = number(population_sd(column));
      entry["v_measures"] = Json::array();
      for (const auto& value : column) entry["v_measures"].push_back(number(value));
    }
  }
  if (sheets.size() > 1) entry["scores_per_experiment"] = std::move(experiments);
  entry["main_score"] = number(main);
  entry["hf_subset"] = options.subset;
  entry["languages"] = languages_of(task);
  return entry;
}

Json result_json(const Task& task, const std::string& hash, Json entry) {
  entry["items_sha256"] = hash;
  return {{"dataset_revision", hash.substr(0, 40)},
          {"task_name", task.name},
          {"mteb_version", nullptr},
          {"plumb_version", kVersion},
          {"scores", {{"test", {std::move(entry)}}}},
          {"evaluation_time", nullptr},
          {"kg_co2_emissions", nullptr}};
}

// The fields of mteb's ModelMeta; what plumb does not know is null.
Json meta_json(const std::string& name, const std::string& revision, const AnswerSheet& sheet) {
  Json meta = {{"name", name}, {"revision", revision}};
  for (const char* unknown :
       {"release_date", "languages", "n_parameters", "memory_usage_mb", "max_tokens", "embed_dim",
        "license", "open_weights", "public_training_code", "public_training_data", "reference",
        "similarity_fn_name", "use_instructions", "training_datasets", "adapted_from",
        "superseded_by", "loader"}) {
    meta[unknown] = nullptr;
  }
  if (sheet.provenance.contains("dimension")) meta["embed_dim"] = sheet.provenance["dimension"];
  if (by_cosine(sheet)) meta["similarity_fn_name"] = "cosine";
  meta["framework"] = Json::array();
  meta["is_cross_encoder"] = nullptr;
  meta["modalities"] = {"text"};
  meta["rater_kind"] = tasks::rater_kind_name(sheet.kind);
  meta["provenance"] = sheet.provenance;
  return meta;
}

// "intfloat__e5" of "intfloat/e5"; kBadInput for what cannot be a folder.
Result<std::string> folder_name(const std::string& name) {
  std::string folder;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) {
      folder.clear();
      break;
    }
    folder += c == '/' ? std::string("__") : std::string(1, c);
  }
  if (folder.empty() || folder.size() > 200 || folder.starts_with('.')) {
    return fail(ErrorKind::kBadInput,
                fmt::format("\"{}\" cannot be the name of a folder; rename the rater", name));
  }
  return folder;
}

Result<void> add_files(const Task& task, const std::string& hash, const std::string& name,
                       const std::string& revision, const Sheets& sheets,
                       const MtebOptions& options, std::vector<MtebFile>& files) {
  PLUMB_TRY(folder, folder_name(name));
  PLUMB_TRY(version, folder_name(revision));
  PLUMB_TRY(file, folder_name(task.name + ".json"));
  PLUMB_TRY(entry, entry_of(task, sheets, options));
  const std::filesystem::path below = std::filesystem::path(folder) / version;
  files.push_back({below / file, result_json(task, hash, std::move(entry))});
  files.push_back({below / "model_meta.json", meta_json(name, revision, *sheets.front())});
  return {};
}

struct Group {
  std::string name, revision;
  Sheets sheets;
};

// Names what does not change from task to task: the model's files, else this program; and the
// protocol, where it is not the default.
std::string revision_of(const AnswerSheet& sheet) {
  const Json nothing = Json::object();
  if (sheet.provenance.empty()) return "no_revision_available";
  const Json embedder = sheet.provenance.value("embedder", nothing);
  std::string revision = fmt::format("plumb-{}", kVersion);
  for (const char* files : {"sha256", "files"}) {
    if (!embedder.contains(files)) continue;
    revision = sha256(to_text(embedder[files])).substr(0, 12);
    break;
  }
  const std::string protocol =
      sheet.provenance.value("probe", nothing).value("protocol", "default");
  return protocol == "default" ? revision : revision + "-" + protocol;
}

// One a rater; people together, then one by one.
std::vector<Group> grouped(std::span<const AnswerSheet> sheets) {
  std::vector<Group> groups, annotators;
  for (const AnswerSheet& sheet : sheets) {
    const bool person = sheet.kind == RaterKind::kPerson;
    const std::string name = person ? "baseline/Human" : sheet.rater;
    if (person) annotators.push_back({name, "annotator_" + sheet.rater, {&sheet}});
    const auto found = std::ranges::find(groups, name, &Group::name);
    if (found != groups.end()) {
      found->sheets.push_back(&sheet);
    } else {
      groups.push_back({name, person ? "expected" : revision_of(sheet), {&sheet}});
    }
  }
  std::ranges::move(annotators, std::back_inserter(groups));
  return groups;
}

// The entries of other subsets in the file that is there.
Result<Json> other_entries(const std::filesystem::path& path, const Json& written) {
  Json others = Json::array();
  if (!std::filesystem::exists(path)) return others;
  PLUMB_TRY(text, read_file(path));
  const Json existing = Json::parse(text, nullptr, false);
  const auto is_result = [](const Json& json) {
    return json.is_object() && json.value("task_name", Json()).is_string() &&
           json.value("scores", Json()).is_object() &&
           json["scores"].value("test", Json()).is_array();
  };
  if (!is_result(existing) || existing["task_name"] != written["task_name"]) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: there is a file of something else; write below another folder",
                            path.string()));
  }
  const Json& entry = written["scores"]["test"][0];
  for (const Json& other : existing["scores"]["test"]) {
    if (other.value("hf_subset", Json()) != entry["hf_subset"]) others.push_back(other);
  }
  return others;
}

}  // namespace

Result<std::vector<MtebFile>> mteb_files(const Task& task, std::span<const AnswerSheet> sheets,
                                         const MtebOptions& options) {
  if (task.kind == Kind::kPreference) {
    return fail(ErrorKind::kUsage, "MTEB has no preference tasks, so there is no file to write");
  }
  const std::string hash = tasks::items_hash(task);
  std::vector<MtebFile> files;
  for (const Group& group : grouped(sheets)) {
    const auto added =
        add_files(task, hash, group.name, group.revision, group.sheets, options, files);
    if (!added) return tl::unexpected(added.error());
  }
  return files;
}

Result<void> write_mteb_files(const std::filesystem::path& root, std::span<const MtebFile> files) {
  std::vector<std::string> texts;
  for (const MtebFile& file : files) {
    Json json = file.json;
    if (json.contains("scores")) {
      PLUMB_TRY(entries, other_entries(root / file.path, json));
      entries.push_back(json["scores"]["test"][0]);
      json["scores"]["test"] = std::move(entries);
    }
    texts.push_back(to_text(json, 2) + "\n");
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::filesystem::path path = root / files[i].path;
    std::error_code code;
    std::filesystem::create_directories(path.parent_path(), code);
    if (code) return tl::unexpected(file_error("write", path, code.value()));
    if (auto written = write_file_atomic(path, texts[i]); !written) return written;
  }
  return {};
}

}  // namespace plumb::gap
