#include "plumb/tasks/suite.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace plumb::tasks {
namespace {

using Names = std::span<const std::string_view>;
using enum TaskType;

template <std::size_t N>
using NameList = std::array<std::string_view, N>;

constexpr std::array<SuiteSubset, 1> english(int items) {
  return {{{"default", "eng", items, true}}};
}

constexpr auto kEnglish20 = english(20), kEnglish30 = english(30), kEnglish31 = english(31),
               kEnglish40 = english(40), kEnglish45 = english(45), kEnglish48 = english(48),
               kEnglish49 = english(49), kEnglish50 = english(50);
constexpr std::array<SuiteSubset, 4> kSentiment = {{{"eng", "eng", 40, true},
                                                    {"ara", "ara", 40, true},
                                                    {"nor", "nob", 40, true},
                                                    {"rus", "rus", 40, true}}};
constexpr std::array<SuiteSubset, 5> kSib200 = {{{"eng_Latn", "eng", 30, true},
                                                 {"arb_Arab", "ara", 30, true},
                                                 {"dan_Latn", "dan", 30, true},
                                                 {"rus_Cyrl", "rus", 30, true},
                                                 {"fra_Latn", "fra", 30, false}}};
constexpr std::array<SuiteSubset, 3> kWikipedia = {
    {{"en", "eng", 30, true}, {"da", "dan", 30, true}, {"no", "nob", 30, true}}};
constexpr std::array<SuiteSubset, 4> kSts22 = {{{"en", "eng", 30, true},
                                                {"ar", "ara", 30, true},
                                                {"ru", "rus", 30, true},
                                                {"fr", "fra", 30, false}}};

constexpr std::array<int, 6> kSixOfEight = {8, 8, 8, 8, 8, 8};
constexpr std::array<int, 2> kToxic = {25, 20};
constexpr std::array<int, 3> kThreeOfFifteen = {15, 15, 15};
constexpr std::array<int, 2> kTwoOfTwenty = {20, 20};
constexpr std::array<int, 5> kFiveOfSix = {6, 6, 6, 6, 6};
constexpr std::array<int, 6> kSixOfFive = {5, 5, 5, 5, 5, 5};

constexpr NameList<1> kEmotionParents = {"EmotionClassification"};
constexpr NameList<1> kToxicParents = {"ToxicConversationsClassification"};
constexpr NameList<1> kTweetParents = {"TweetSentimentExtractionClassification"};
constexpr NameList<1> kSentimentParents = {"MultilingualSentimentClassification"};
constexpr NameList<4> kArxivParents = {"ArxivClusteringP2P", "ArxivClusteringP2P.v2",
                                       "ArxivClusteringS2S", "ArXivHierarchicalClusteringP2P"};
constexpr NameList<4> kRedditParents = {"RedditClusteringP2P", "RedditClusteringP2P.v2",
                                        "RedditClustering", "RedditClustering.v2"};
constexpr NameList<1> kCitiesParents = {"WikiCitiesClustering"};
constexpr NameList<3> kSib200Parents = {"SIB200ClusteringS2S", "SIB200Classification",
                                        "SIB200ClusteringFast"};
constexpr NameList<2> kCoreParents = {"Core17InstructionRetrieval", "Core17InstructionReranking"};
constexpr NameList<2> kNewsParents = {"News21InstructionRetrieval", "News21InstructionReranking"};
constexpr NameList<2> kRobustParents = {"Robust04InstructionRetrieval",
                                        "Robust04InstructionReranking"};
constexpr NameList<2> kWikipediaParents = {"WikipediaRerankingMultilingual",
                                           "WikipediaRetrievalMultilingual"};
constexpr NameList<1> kSickParents = {"SICK-R"};
constexpr NameList<1> kSts12Parents = {"STS12"};
constexpr NameList<2> kStsbParents = {"STSBenchmark", "STSBenchmarkMultilingualSTS"};
constexpr NameList<2> kSts22Parents = {"STS22", "STS22.v2"};

constexpr std::string_view kAp = "map", kV = "v_measure", kAccuracy = "accuracy",
                           kRho = "cosine_spearman";

constexpr NameList<6> kEmotions = {"anger", "fear", "joy", "love", "sadness", "surprise"};
constexpr NameList<2> kToxicity = {"not toxic", "toxic"};
constexpr NameList<3> kTweetSentiments = {"negative", "neutral", "positive"};
constexpr NameList<2> kSentiments = {"negative", "positive"};
constexpr Names kUnknownLabels;
constexpr std::span<const int> kNoClasses;
constexpr NameList<5> kArxivFields = {"astro-ph", "cs", "eess", "math", "q-bio"};

constexpr std::string_view
    kEmotionPrompt =
        "Classify the emotion expressed in the given Twitter message into one of the six emotions: "
        "anger, fear, joy, love, sadness, and surprise",
    kToxicPrompt = "Classify the given comments as either toxic or not toxic",
    kTweetPrompt =
        "Classify the sentiment of a given tweet as either positive, negative, or neutral",
    kSentimentPrompt = "Classify user passages.",
    kArxivPrompt =
        "Identify the main and secondary category of Arxiv papers based on the titles and "
        "abstracts",
    kRedditPrompt = "Identify the topic or theme of Reddit posts based on the titles and posts",
    kCitiesPrompt = "Identify categories in user passages.",
    kSib200Prompt = "Identify the news category that articles belong to based on their content",
    kRerankPrompt = "Given a query, rerank the documents by their relevance to the query",
    kWikipediaPrompt =
        "Given a query, rerank the Wikipedia passages by their relevance to the query",
    kStsPrompt = "Retrieve semantically similar text.";

constexpr std::array<SuiteTask, 16> kHume = {{
    {"HUMEEmotionClassification", kClassification, kAccuracy, kEmotionParents, kEnglish48,
     kSixOfEight, 0, 0, kEmotionPrompt, kEmotions},
    {"HUMEToxicConversationsClassification", kClassification, kAccuracy, kToxicParents, kEnglish45,
     kToxic, 0, 0, kToxicPrompt, kToxicity},
    {"HUMETweetSentimentExtractionClassification", kClassification, kAccuracy, kTweetParents,
     kEnglish45, kThreeOfFifteen, 0, 0, kTweetPrompt, kTweetSentiments},
    {"HUMEMultilingualSentimentClassification", kClassification, kAccuracy, kSentimentParents,
     kSentiment, kTwoOfTwenty, 0, 0, kSentimentPrompt, kSentiments},
    {"HUMEArxivClusteringP2P", kClustering, kV, kArxivParents, kEnglish30, kFiveOfSix, 0, 0,
     kArxivPrompt, kArxivFields},
    {"HUMERedditClusteringP2P", kClustering, kV, kRedditParents, kEnglish30, kSixOfFive, 0, 0,
     kRedditPrompt, kUnknownLabels},
    {"HUMEWikiCitiesClustering", kClustering, kV, kCitiesParents, kEnglish30, kSixOfFive, 0, 0,
     kCitiesPrompt, kUnknownLabels},
    {"HUMESIB200ClusteringS2S", kClustering, kV, kSib200Parents, kSib200, kSixOfFive, 0, 0,
     kSib200Prompt, kUnknownLabels},
    {"HUMECore17InstructionReranking", kReranking, kAp, kCoreParents, kEnglish20, kNoClasses, 7, 3,
     kRerankPrompt, kUnknownLabels},
    {"HUMENews21InstructionReranking", kReranking, kAp, kNewsParents, kEnglish31, kNoClasses, 7, 3,
     kRerankPrompt, kUnknownLabels},
    {"HUMERobust04InstructionReranking", kReranking, kAp, kRobustParents, kEnglish49, kNoClasses, 7,
     3, kRerankPrompt, kUnknownLabels},
    {"HUMEWikipediaRerankingMultilingual", kReranking, kAp, kWikipediaParents, kWikipedia,
     kNoClasses, 7, 1, kWikipediaPrompt, kUnknownLabels},
    {"HUMESICK-R", kSts, kRho, kSickParents, kEnglish40, kNoClasses, 0, 0, kStsPrompt,
     kUnknownLabels},
    {"HUMESTS12", kSts, kRho, kSts12Parents, kEnglish50, kNoClasses, 0, 0, kStsPrompt,
     kUnknownLabels},
    {"HUMESTSBenchmark", kSts, kRho, kStsbParents, kEnglish50, kNoClasses, 0, 0, kStsPrompt,
     kUnknownLabels},
    {"HUMESTS22", kSts, kRho, kSts22Parents, kSts22, kNoClasses, 0, 0, kStsPrompt, kUnknownLabels},
}};

constexpr NameList<13> kPaperModels = {"NovaSearch/jasper_en_vision_language_v1",
                                       "Salesforce/SFR-Embedding-Mistral",
                                       "intfloat/e5-mistral-7b-instruct",
                                       "Alibaba-NLP/gte-Qwen2-1.5B-instruct",
                                       "NovaSearch/stella_en_1.5B_v5",
                                       "Qwen/Qwen3-Embedding-0.6B",
                                       "intfloat/multilingual-e5-large",
                                       "intfloat/multilingual-e5-small",
                                       "intfloat/multilingual-e5-base",
                                       "mixedbread-ai/mxbai-embed-large-v1",
                                       "google/embeddinggemma-300m",
                                       "sentence-transformers/all-mpnet-base-v2",
                                       "sentence-transformers/all-MiniLM-L6-v2"};

// One line a language: its ISO 639-3 code first, then the two-letter codes, macrolanguages and
// variants that stand for it in result files. A script suffix ("_Latn", "-Cyrl") is cut off before
// the look-up.
constexpr std::string_view kLanguages[] = {
    "afr af",         "amh am",         "ara ar arb arz ary",
    "asm as",         "aze az azj",     "bel be",
    "ben bn",         "bos bs",         "bul bg",
    "cat ca",         "ces cs cze",     "cym cy",
    "dan da",         "deu de ger",     "ell el gre",
    "eng en",         "epo eo",         "est et ekk",
    "eus eu baq",     "fas fa pes per", "fao fo",
    "fil tl tgl",     "fin fi",         "fra fr fre",
    "gle ga",         "glg gl",         "guj gu",
    "hau ha",         "heb he iw",      "hin hi",
    "hrv hr",         "hun hu",         "hye hy arm",
    "ibo ig",         "ind id",         "isl is ice",
    "ita it",         "jav jv",         "jpn ja jp",
    "kan kn",         "kat ka geo",     "kaz kk",
    "khm km",         "kin rw",         "kor ko",
    "kur ku ckb kmr", "lao lo",         "lat la",
    "lav lv lvs",     "lit lt",         "mal ml",
    "mar mr",         "mkd mk mac",     "mlt mt",
    "mon mn khk",     "msa ms zsm may", "mya my bur",
    "nep ne npi",     "nld nl dut",     "nno nn",
    "nob no nor nb",  "ori or ory",     "pan pa",
    "pol pl",         "por pt",         "ron ro rum",
    "rus ru",         "sin si",         "slk sk slo",
    "slv sl",         "snd sd",         "som so",
    "spa es",         "sqi sq als alb", "srp sr",
    "swa sw swh",     "swe sv",         "tam ta",
    "tel te",         "tha th",         "tur tr",
    "ukr uk",         "urd ur",         "uzb uz uzn",
    "vie vi",         "xho xh",         "yor yo",
    "zho zh cmn chi", "zul zu",
};

// "arb_Arab" and "ara-Arab" without their script, "zh-CN" without its region.
std::string_view without_suffix(std::string_view name) {
  const std::size_t cut = name.find_first_of("_-");
  if (cut == std::string_view::npos) return name;
  const std::string_view suffix = name.substr(cut + 1);
  const bool upper_first = !suffix.empty() && std::isupper(static_cast<unsigned char>(suffix[0]));
  return upper_first && (suffix.size() == 4 || suffix.size() == 2) ? name.substr(0, cut) : name;
}

// True where `word` stands in the blank-separated `line`.
bool has_word(std::string_view line, std::string_view word) {
  std::size_t at = 0;
  while ((at = line.find(word, at)) != std::string_view::npos) {
    const bool starts = at == 0 || line[at - 1] == ' ';
    const std::size_t end = at + word.size();
    if (starts && (end == line.size() || line[end] == ' ')) return true;
    ++at;
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

std::string_view type_name(TaskType type) {
  switch (type) {
    case kClassification:
      return "Classification";
    case kClustering:
      return "Clustering";
    case kReranking:
      return "Reranking";
    case kSts:
      return "STS";
    case kOther:
      break;
  }
  return "Other";
}

std::optional<TaskType> parse_type(std::string_view name) {
  for (const TaskType type : {kClassification, kClustering, kReranking, kSts, kOther}) {
    if (lower(type_name(type)) == lower(name)) return type;
  }
  return std::nullopt;
}

std::span<const SuiteTask> hume_tasks() { return kHume; }

Names hume_paper_models() { return kPaperModels; }

const SuiteTask* find_task(std::string_view name) {
  const auto found = std::ranges::find(kHume, name, &SuiteTask::name);
  return found == kHume.end() ? nullptr : &*found;
}

std::optional<std::string_view> fold_language(std::string_view name) {
  const std::string_view bare = without_suffix(name);
  if (bare.empty() || bare.find(' ') != std::string_view::npos) return std::nullopt;
  const auto found = std::ranges::find_if(
      kLanguages, [bare](std::string_view line) { return has_word(line, bare); });
  if (found == std::end(kLanguages)) return std::nullopt;
  return found->substr(0, 3);
}

std::optional<std::string> fold_subset(std::string_view subset) {
  if (subset == "default") return std::string(subset);
  if (const auto language = fold_language(subset)) return std::string(*language);
  for (std::size_t dash = subset.find('-'); dash != std::string_view::npos;
       dash = subset.find('-', dash + 1)) {
    const auto first = fold_language(subset.substr(0, dash));
    const auto second = fold_language(subset.substr(dash + 1));
    if (first && second) return std::string(*first) + "-" + std::string(*second);
  }
  return std::nullopt;
}

const SuiteSubset* find_subset(const SuiteTask& task, std::string_view subset) {
  const auto exact = std::ranges::find(task.subsets, subset, &SuiteSubset::id);
  if (exact != task.subsets.end()) return &*exact;
  const auto language = fold_language(subset);
  if (!language) return nullptr;
  const auto folded = std::ranges::find(task.subsets, *language, &SuiteSubset::language);
  return folded == task.subsets.end() ? nullptr : &*folded;
}

}  // namespace plumb::tasks
