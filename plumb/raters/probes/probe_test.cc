#include "plumb/raters/probes/probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "plumb/raters/probes/classify.h"
#include "plumb/raters/testing.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;

constexpr Similarity kSimilarities[] = {Similarity::kCosine, Similarity::kDot,
                                        Similarity::kEuclidean};

std::vector<AnswerSheet> probe_all(const Task& task, const EmbeddedTask& embedded,
                                   const ProbeOptions& options, int threads = 0) {
  auto sheets = probe(task, embedded, options, {.seed = 5, .threads = threads});
  EXPECT_TRUE(sheets) << sheets.error().message;
  return std::move(*sheets);
}

double score(const Task& task, const AnswerSheet& sheet, const tasks::MetricOptions& options) {
  const auto scorer = tasks::Scorer::make(task, sheet, options);
  EXPECT_TRUE(scorer) << scorer.error().message;
  return scorer->score().value();
}

// ---- STS

struct Sts {
  Task task;
  EmbeddedTask embedded;
};

Sts sts_of(const nlohmann::json& c) {
  Sts sts;
  std::vector<Answer> golds;
  for (const auto& gold : c["gold"]) golds.push_back({gold.get<double>()});
  const std::size_t pairs = golds.size();
  sts.task = tasks::testing::task_of(Kind::kSts, std::move(golds));
  auto values = c["first"].get<std::vector<float>>();
  const auto second = c["second"].get<std::vector<float>>();
  values.insert(values.end(), second.begin(), second.end());
  sts.embedded.texts = Vectors::dense(c["dimension"], std::move(values));
  for (std::size_t i = 0; i < pairs; ++i) sts.embedded.rows.push_back({i, pairs + i});
  return sts;
}

TEST(ProbeOfSts, AgreesWithScikitLearnAndSciPy) {
  for (const auto& c : testing::golden("probe_sts.json", "cases")) {
    const Sts sts = sts_of(c);
    for (const Similarity similarity : kSimilarities) {
      const auto& expected = c[similarity_name(similarity)];
      const auto sheets = probe_all(sts.task, sts.embedded,
                                    {.protocol = Protocol::kMteb, .similarity = similarity});
      ASSERT_EQ(sheets.size(), 1U);
      for (std::size_t i = 0; i < sheets[0].answers.size(); ++i) {
        EXPECT_NEAR((*sheets[0].answers[i])[0], expected["values"][i].get<double>(), 1e-9);
      }
      EXPECT_NEAR(score(sts.task, sheets[0], {.metric = "spearman"}), expected["spearman"], 1e-6);
      EXPECT_NEAR(score(sts.task, sheets[0], {.metric = "pearson"}), expected["pearson"], 1e-6);
    }
  }
}

TEST(ProbeOfSts, KnowsNothingOfAVectorOfZeros) {
  const Task task = tasks::testing::task_of(Kind::kSts, {{1}, {2}, {3}});
  EmbeddedTask embedded{.texts = Vectors::dense(2, {0, 0, 3, 4}), .rows = {{0, 1}, {0, 0}, {1, 1}}};
  const auto answers = [&](const ProbeOptions& options) {
    std::vector<double> values;
    const auto sheets = probe_all(task, embedded, options);
    for (const auto& answer : sheets[0].answers) values.push_back((*answer)[0]);
    return values;
  };
  EXPECT_EQ(answers({}), (std::vector<double>{0, 0, 1}));
  EXPECT_EQ(answers({.protocol = Protocol::kMteb}), (std::vector<double>{0.5, 1, 1}));
  EXPECT_EQ(answers({.similarity = Similarity::kDot}), (std::vector<double>{0, 0, 25}));
  EXPECT_EQ(answers({.similarity = Similarity::kEuclidean}), (std::vector<double>{-5, 0, 0}));
}

// ---- reranking

struct Reranking {
  Task task;
  EmbeddedTask embedded;
};

Reranking reranking_of(const nlohmann::json& c) {
  Reranking result;
  std::vector<Answer> golds;
  std::size_t next = 0;
  for (const auto& grades : c["grades"]) {
    golds.push_back(grades.get<Answer>());
    result.embedded.rows.push_back({golds.size() - 1});
    for (std::size_t d = 0; d < grades.size(); ++d) result.embedded.rows.back().push_back(next++);
  }
  result.task = tasks::testing::task_of(Kind::kReranking, std::move(golds));
  result.embedded.queries = Vectors::dense(c["dimension"], c["queries"].get<std::vector<float>>());
  result.embedded.texts = Vectors::dense(c["dimension"], c["documents"].get<std::vector<float>>());
  return result;
}

TEST(ProbeOfReranking, AgreesWithScikitLearnAndTrecEval) {
  for (const auto& c : testing::golden("probe_reranking.json", "cases")) {
    const Reranking reranking = reranking_of(c);
    for (const Similarity similarity : kSimilarities) {
      const auto& expected = c[similarity_name(similarity)];
      const auto sheets = probe_all(reranking.task, reranking.embedded, {.similarity = similarity});
      const auto figure = [&](const char* metric, std::size_t cutoff, stats::TieRule ties) {
        return score(reranking.task, sheets[0], {.metric = metric, .cutoff = cutoff, .ties = ties});
      };
      EXPECT_NEAR(figure("ap", 0, stats::TieRule::kSklearn), expected["sklearn_ap"], 1e-6);
      EXPECT_NEAR(figure("ap", 0, stats::TieRule::kTrec), expected["ap"], 1e-6);
      EXPECT_NEAR(figure("rr", 10, stats::TieRule::kTrec), expected["rr10"], 1e-6);
      EXPECT_NEAR(figure("ndcg", 10, stats::TieRule::kTrec), expected["ndcg10"], 1e-6);
      EXPECT_NEAR(figure("p_at_k", 1, stats::TieRule::kTrec), expected["p1"], 1e-6);
    }
  }
}

// ---- preference

TEST(ProbeOfPreference, TakesTheCompletionNearerToThePrompt) {
  const Task task = tasks::testing::task_of(Kind::kPreference, {{0, 0}, {1, 0}, {2, 0}});
  const EmbeddedTask embedded{.texts = Vectors::dense(2, {1, 0, 0, 1, 2, 0}),
                              .queries = Vectors::dense(2, {1, 0}),
                              .rows = {{0, 0, 1}, {0, 1, 0}, {0, 0, 2}}};
  const auto sheets = probe_all(task, embedded, {});
  EXPECT_EQ(sheets[0].answers[0], (Answer{0, 0}));
  EXPECT_EQ(sheets[0].answers[1], (Answer{1, 0}));
  EXPECT_EQ(sheets[0].answers[2], (Answer{2, 0}));  // one direction: a tie of cosines
}

// ---- classification

struct Classification {
  Task task;
  EmbeddedTask embedded;
};

// Training items first, then the items.
Classification classification_of(const std::vector<int>& train, const std::vector<int>& gold,
                                 Vectors vectors, std::size_t labels) {
  Classification result;
  const auto answers = [](const std::vector<int>& values) {
    std::vector<Answer> list;
    for (const int value : values) list.push_back({static_cast<double>(value)});
    return list;
  };
  result.task = tasks::testing::task_of(Kind::kClassification, answers(gold));
  result.task.train = tasks::testing::task_of(Kind::kClassification, answers(train)).items;
  result.task.labels.resize(labels);
  result.embedded.texts = std::move(vectors);
  for (std::size_t i = 0; i < train.size(); ++i) result.embedded.train_rows.push_back(i);
  for (std::size_t i = 0; i < gold.size(); ++i) {
    result.embedded.rows.push_back({train.size() + i});
  }
  return result;
}

Classification classification_of(const nlohmann::json& c) {
  return classification_of(c["train_labels"], c["gold"],
                           Vectors::dense(c["dimension"], c["vectors"].get<std::vector<float>>()),
                           c["classes"]);
}

void expect_scores(const Task& task, const AnswerSheet& sheet, const nlohmann::json& expected) {
  EXPECT_NEAR(score(task, sheet, {.metric = "accuracy"}), expected["accuracy"], 1e-6);
  EXPECT_NEAR(score(task, sheet, {.metric = "f1_macro"}), expected["f1"], 1e-6);
  EXPECT_NEAR(score(task, sheet, {.metric = "f1_weighted"}), expected["f1_weighted"], 1e-6);
  for (const char* metric :
       {"precision_macro", "precision_weighted", "recall_macro", "recall_weighted", "ap"}) {
    if (!expected.contains(metric)) continue;
    EXPECT_NEAR(score(task, sheet, {.metric = metric}), expected[metric], 1e-6) << metric;
  }
}

TEST(ProbeOfClassification, DrawsAndScoresAsMtebWithScikitLearn) {
  for (const auto& c : testing::golden("probe_classification.json", "cases")) {
    const Classification data = classification_of(c);
    const int samples = c["samples_per_label"];
    const auto draws = mteb_draws(c["train_labels"].get<std::vector<int>>(), 10, samples, 0);
    for (const Protocol protocol : {Protocol::kMteb, Protocol::kMtebLegacy}) {
      const auto sheets =
          probe_all(data.task, data.embedded, {.protocol = protocol, .samples_per_label = samples});
      ASSERT_EQ(sheets.size(), 10U);
      for (std::size_t draw = 0; draw < 10; ++draw) {
        const auto& expected = c["draws"][draw];
        if (draw < 3) {
          EXPECT_EQ(draws[draw], expected["places"].get<std::vector<std::size_t>>());
        }
        std::size_t sum = 0;
        for (std::size_t i = 0; i < draws[draw].size(); ++i) sum += i * draws[draw][i];
        EXPECT_EQ(sum, expected["sum"]);
        expect_scores(data.task, sheets[draw], expected["usual"]);
      }
    }
  }
}

TEST(ProbeOfClassification, LearnsFromAllTrainingItemsByDefault) {
  for (const auto& c : testing::golden("probe_classification.json", "cases")) {
    const Classification data = classification_of(c);
    const auto sheets = probe_all(data.task, data.embedded, {});
    ASSERT_EQ(sheets.size(), 1U);
    expect_scores(data.task, sheets[0], c["all"]["scores"]);
  }
}

// Legacy: what came before moves the first draw alone out of its place; the list it leaves moves
// the others.
TEST(MtebDraws, StartWhereTheGeneratorStood) {
  std::vector<int> labels(40);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i % 3);
  const auto fresh = mteb_draws(labels, 3, 4, 0), later = mteb_draws(labels, 3, 4, 1000);
  EXPECT_NE(fresh, later);
  for (const auto& draw : later) EXPECT_EQ(draw.size(), 12U);
}

// ---- clustering

struct Clustering {
  Task task;
  EmbeddedTask embedded;
};

Clustering clustering_of(const std::vector<int>& gold, Vectors vectors) {
  Clustering result;
  std::vector<Answer> golds;
  for (const int group : gold) golds.push_back({static_cast<double>(group)});
  result.task = tasks::testing::task_of(Kind::kClustering, std::move(golds));
  result.embedded.texts = std::move(vectors);
  for (std::size_t i = 0; i < gold.size(); ++i) result.embedded.rows.push_back({i});
  return result;
}

TEST(ProbeOfClustering, GroupsAndScoresAsMtebWithScikitLearn) {
  for (const auto& c : testing::golden("probe_clustering.json", "cases")) {
    const Clustering data = clustering_of(c["labels"], testing::vectors_in_tenths(c));
    for (const Protocol protocol : {Protocol::kMteb, Protocol::kMtebLegacy}) {
      const auto sheets = probe_all(data.task, data.embedded, {.protocol = protocol});
      ASSERT_EQ(sheets.size(), 1U);
      for (const char* metric : {"v_measure", "nmi", "ari", "ami"}) {
        EXPECT_NEAR(score(data.task, sheets[0], {.metric = metric}), c[metric], 1e-6) << metric;
      }
    }
  }
}

// Four clouds far apart, the task knowing nothing of their number.
Clustering four_clouds() {
  Stream stream(9, "probe test", 0);
  std::vector<float> values;
  std::vector<int> gold;
  for (int i = 0; i < 60; ++i) {
    gold.push_back(i % 4);
    values.push_back(static_cast<float>(10 * (i % 2) + stream.uniform()));
    values.push_back(static_cast<float>(10 * (i / 2 % 2) + stream.uniform()));
  }
  return clustering_of(gold, Vectors::dense(2, std::move(values)));
}

TEST(ProbeOfClustering, TakesTheNumberOfGroupsFromWhereItIsSaid) {
  Clustering data = four_clouds();
  const auto groups = [&](const ProbeOptions& options) {
    const Json probe = probe_all(data.task, data.embedded, options)[0].provenance;
    return std::pair(probe["groups"].get<int>(), probe["groups_from"].get<std::string>());
  };
  EXPECT_EQ(groups({}), std::pair(4, std::string("gold")));
  EXPECT_EQ(groups({.groups = 7}), std::pair(7, std::string("option")));
  EXPECT_EQ(groups({.by_silhouette = true}), std::pair(4, std::string("silhouette")));
  data.task.groups = 3;
  EXPECT_EQ(groups({}), std::pair(3, std::string("task")));
  EXPECT_EQ(groups({.protocol = Protocol::kMteb}), std::pair(4, std::string("gold")));
}

TEST(ProbeOfClustering, FindsCloudsFarApartInEveryRun) {
  const Clustering data = four_clouds();
  const auto sheets = probe_all(data.task, data.embedded, {});
  EXPECT_EQ(sheets.size(), 10U);
  for (const auto& sheet : sheets) EXPECT_EQ(score(data.task, sheet, {}), 1);
}

TEST(ProbeOfClustering, SaysWhatItCannotDo) {
  Clustering data = four_clouds();
  const auto message = [&](const ProbeOptions& options) {
    const auto sheets = probe(data.task, data.embedded, options, {});
    return sheets ? std::string() : sheets.error().message;
  };
  EXPECT_EQ(message({.groups = 61}), "a task: 60 items cannot make 61 groups; say fewer");
  EXPECT_EQ(message({.groups = 3, .by_silhouette = true}),
            "the number of groups is given, or the silhouette chooses it");
  EXPECT_EQ(message({.runs = 0}), "k-means needs one group, one run and one start or more");
  for (auto& item : data.task.items) item.gold.clear();
  EXPECT_EQ(message({}),
            "a task: neither the task nor its gold says how many groups to make; say how many, or "
            "let the silhouette choose");
  EXPECT_EQ(message({.by_silhouette = true}), "");
}

// ---- properties of all kinds

struct Some {
  Task task;
  EmbeddedTask embedded;
};

Some some_of(Kind kind) {
  Stream stream(7, "probe test", static_cast<std::uint64_t>(kind));
  if (kind == Kind::kClassification) {
    const auto train = testing::random_labels(60, 3, stream);
    const auto gold = testing::random_labels(30, 3, stream);
    std::vector<int> labels = train;
    labels.insert(labels.end(), gold.begin(), gold.end());
    Classification data = classification_of(train, gold, testing::clouds(labels, 9, stream), 3);
    return {std::move(data.task), std::move(data.embedded)};
  }
  Some some{tasks::testing::random_task(kind, 30, stream), {}};
  const auto labels = testing::random_labels(150, 3, stream);
  some.embedded.texts = testing::clouds(labels, 9, stream);
  some.embedded.queries = testing::clouds(labels, 9, stream);
  for (std::size_t i = 0; i < 30; ++i) {
    some.embedded.rows.emplace_back();
    for (std::size_t t = 0; t < some.task.items[i].texts.size(); ++t) {
      some.embedded.rows.back().push_back(i + 30 * t);
    }
  }
  return some;
}

constexpr Kind kProbed[] = {Kind::kSts, Kind::kClassification, Kind::kReranking, Kind::kPreference};

TEST(Probe, GivesTheSameBytesWithAnyNumberOfThreads) {
  for (const Kind kind : tasks::kKinds) {
    const Some some = some_of(kind);
    for (const Protocol protocol : {Protocol::kDefault, Protocol::kMteb}) {
      const auto one = probe_all(some.task, some.embedded, {.protocol = protocol}, 1);
      const auto two = probe_all(some.task, some.embedded, {.protocol = protocol}, 2);
      ASSERT_EQ(one.size(), two.size());
      for (std::size_t run = 0; run < one.size(); ++run) {
        EXPECT_EQ(one[run].answers, two[run].answers);
        EXPECT_EQ(one[run].provenance, two[run].provenance);
      }
    }
  }
}

TEST(Probe, GivesTheSameAnswersDenseAndSparse) {
  for (const Kind kind : tasks::kKinds) {
    const Some some = some_of(kind);
    EmbeddedTask sparse = some.embedded;
    sparse.texts = testing::as_sparse(some.embedded.texts);
    if (some.embedded.queries.rows() > 0) {
      sparse.queries = testing::as_sparse(some.embedded.queries);
    }
    for (const Protocol protocol : {Protocol::kDefault, Protocol::kMteb}) {
      const auto a = probe_all(some.task, some.embedded, {.protocol = protocol});
      const auto b = probe_all(some.task, sparse, {.protocol = protocol});
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t run = 0; run < a.size(); ++run) {
        for (std::size_t i = 0; i < a[run].answers.size(); ++i) {
          const Answer &x = *a[run].answers[i], &y = *b[run].answers[i];
          ASSERT_EQ(x.size(), y.size());
          for (std::size_t v = 0; v < x.size(); ++v) EXPECT_NEAR(x[v], y[v], 1e-12);
        }
      }
    }
  }
}

TEST(Probe, PermutesAnswersWithTheItems) {
  for (const Kind kind : tasks::kKinds) {
    const Some some = some_of(kind);
    std::vector<std::size_t> order(some.task.items.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Stream stream(8, "probe test", 0);
    shuffle(std::span(order), stream);
    Some other = some;
    for (std::size_t i = 0; i < order.size(); ++i) {
      other.task.items[i] = some.task.items[order[i]];
      other.embedded.rows[i] = some.embedded.rows[order[i]];
    }
    const auto a = probe_all(some.task, some.embedded, {});
    const auto b = probe_all(other.task, other.embedded, {});
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t run = 0; run < a.size(); ++run) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        EXPECT_EQ(a[run].answers[order[i]], b[run].answers[i]);
      }
    }
  }
}

TEST(Probe, ByCosineDoesNotSeeLengths) {
  for (const Kind kind : {Kind::kSts, Kind::kReranking, Kind::kPreference}) {
    const Some some = some_of(kind);
    EmbeddedTask scaled = some.embedded;
    std::vector<float> values(some.embedded.texts.dense_values().begin(),
                              some.embedded.texts.dense_values().end());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::ldexp(values[i], static_cast<int>(i / 9 % 5));
    }
    scaled.texts = Vectors::dense(9, std::move(values));
    EXPECT_EQ(probe_all(some.task, some.embedded, {})[0].answers,
              probe_all(some.task, scaled, {})[0].answers);
  }
}

TEST(Probe, SaysWhatItCannotDo) {
  Some some = some_of(Kind::kClassification);
  const auto message = [&](const ProbeOptions& options) {
    const auto sheets = probe(some.task, some.embedded, options, {});
    return sheets ? std::string() : sheets.error().message;
  };
  EXPECT_EQ(message({.draws = 0}),
            "a probe needs one draw or more, one sample a label or more, and C above 0");
  for (auto& item : some.task.train) item.gold = {1};
  EXPECT_EQ(message({}),
            "a task: the 60 training items have 1 label; a classifier needs two or more");
  some.task.train.clear();
  EXPECT_EQ(message({}),
            "a task: there are no training items for a probe to learn from; add items with "
            "\"split\": \"train\"");
}

TEST(Probe, NamesItsProtocols) {
  for (const auto protocol : {Protocol::kDefault, Protocol::kMteb, Protocol::kMtebLegacy}) {
    EXPECT_EQ(parse_protocol(protocol_name(protocol)), protocol);
  }
  for (const auto similarity : kSimilarities) {
    EXPECT_EQ(parse_similarity(similarity_name(similarity)), similarity);
  }
  EXPECT_FALSE(parse_protocol("MTEB 3"));
}

}  // namespace
}  // namespace plumb::raters
