#include "plumb/tasks/metric_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "plumb/stats/classification.h"
#include "plumb/stats/clustering.h"
#include "plumb/stats/correlation.h"
#include "plumb/tasks/scoring.h"

namespace plumb::tasks {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;

constexpr std::string_view kNothing = "no item has both gold and an answer";

std::uint32_t count_of(Counts counts, std::size_t item) {
  return counts.empty() ? 1 : counts[item];
}

std::vector<std::uint32_t> gather(Counts counts, std::span<const std::size_t> items) {
  std::vector<std::uint32_t> result;
  result.reserve(items.size());
  for (const std::size_t item : items) result.push_back(count_of(counts, item));
  return result;
}

// The mean of one value an item.
MetricFunction mean_of(std::vector<std::size_t> items, std::vector<double> values) {
  return [items = std::move(items), values = std::move(values)](Counts counts) -> Score {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const double count = count_of(counts, items[i]);
      sum += count * values[i];
      total += count;
    }
    if (total == 0) return undefined(kNothing);
    return sum / total;
  };
}

// ---- STS

struct Ratings {
  std::vector<std::size_t> items;
  std::vector<double> gold, answers;
};

Ratings ratings_of(const Answered& answered) {
  Ratings ratings{answered.items, {}, {}};
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    ratings.gold.push_back(answered.golds[i]->front());
    ratings.answers.push_back(answered.answers[i]->front());
  }
  return ratings;
}

MetricFunction spearman_of(const Ratings& ratings) {
  const auto gold = std::make_shared<stats::CountedRanks>(ratings.gold);
  const auto answers = std::make_shared<stats::CountedRanks>(ratings.answers);
  return [gold, answers, items = ratings.items](Counts counts) -> Score {
    if (items.empty()) return undefined(kNothing);
    return stats::spearman(*gold, *answers, gather(counts, items));
  };
}

// A correlation that has no counted form: of the sample written out.
MetricFunction copied_correlation(const Ratings& ratings,
                                  Score (*correlation)(std::span<const double>,
                                                       std::span<const double>)) {
  return [ratings, correlation](Counts counts) -> Score {
    if (ratings.items.empty()) return undefined(kNothing);
    std::vector<double> gold, answers;
    for (std::size_t i = 0; i < ratings.items.size(); ++i) {
      const std::uint32_t count = count_of(counts, ratings.items[i]);
      gold.insert(gold.end(), count, ratings.gold[i]);
      answers.insert(answers.end(), count, ratings.answers[i]);
    }
    return correlation(gold, answers);
  };
}

// ---- classification: pairs of a gold and an answered label with the weight that they have

struct LabelPairs {
  std::vector<std::size_t> items;
  std::vector<int> gold, answers;
  std::vector<double> weights;
};

LabelPairs label_pairs(const Answered& answered) {
  LabelPairs pairs;
  const std::size_t labels = answered.task->labels.size();
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const auto gold = label_shares(*answered.golds[i], labels);
    const auto answer = label_shares(*answered.answers[i], labels);
    for (std::size_t g = 0; g < labels; ++g) {
      for (std::size_t a = 0; a < labels && gold[g] > 0; ++a) {
        if (answer[a] == 0) continue;
        pairs.items.push_back(answered.items[i]);
        pairs.gold.push_back(static_cast<int>(g));
        pairs.answers.push_back(static_cast<int>(a));
        pairs.weights.push_back(gold[g] * answer[a]);
      }
    }
  }
  return pairs;
}

using TableScore = Score (*)(const stats::Confusion&);

MetricFunction confusion_score(const LabelPairs& pairs, TableScore score) {
  return [pairs, score](Counts counts) -> Score {
    std::vector<double> weights = pairs.weights;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] *= count_of(counts, pairs.items[i]);
    }
    const auto table = stats::confusion(pairs.gold, pairs.answers, weights);
    if (!table) return undefined(kNothing);
    return score(*table);
  };
}

// The table that dealing the answers at random gives on average: every cell from its margins. The
// scores below are linear in the diagonal for given margins, so theirs are the average scores.
template <TableScore score>
Score of_independent(const stats::Confusion& table) {
  stats::Confusion expected = table;
  const std::size_t size = table.labels.size();
  std::vector<double> gold(size), answers(size);
  for (std::size_t i = 0; i < table.counts.size(); ++i) {
    gold[i / size] += table.counts[i];
    answers[i % size] += table.counts[i];
  }
  for (std::size_t i = 0; i < table.counts.size(); ++i) {
    expected.counts[i] = gold[i / size] * answers[i % size] / table.total;
  }
  return score(expected);
}

Score accuracy_score(const stats::Confusion& table) { return stats::accuracy(table); }
Score macro_f1(const stats::Confusion& table) { return stats::macro_average(table).f1; }
Score weighted_f1(const stats::Confusion& table) { return stats::weighted_average(table).f1; }
Score macro_precision(const stats::Confusion& t) { return stats::macro_average(t).precision; }
Score weighted_precision(const stats::Confusion& t) { return stats::weighted_average(t).precision; }
Score macro_recall(const stats::Confusion& t) { return stats::macro_average(t).recall; }
Score weighted_recall(const stats::Confusion& t) { return stats::weighted_average(t).recall; }

// The second of two labels as a relevant document whose score is its share in the answer: average
// precision as scikit-learn has it, a block of equal scores as a whole.
struct SecondLabel {
  std::size_t item;
  bool relevant;
  double share;
};

// dealt: the mean over all deals of the shares to the items. A place of a block that ends at rank t
// is relevant with probability p, and so is another place above with probability q given that.
Score precision_of_second(std::span<const SecondLabel> ranked, Counts counts, bool dealt) {
  double total = 0, relevant = 0;
  for (const SecondLabel& label : ranked) {
    total += count_of(counts, label.item);
    relevant += label.relevant ? count_of(counts, label.item) : 0;
  }
  if (total == 0) return undefined(kNothing);
  if (relevant == 0) return undefined("no item has the second label");
  const double p = relevant / total, q = total > 1 ? (relevant - 1) / (total - 1) : 0;
  double rank = 0, found = 0, sum = 0;
  for (std::size_t i = 0; i < ranked.size();) {
    const double share = ranked[i].share;
    double places = 0, here = 0;
    for (; i < ranked.size() && ranked[i].share == share; ++i) {
      places += count_of(counts, ranked[i].item);
      here += ranked[i].relevant ? count_of(counts, ranked[i].item) : 0;
    }
    if (places == 0) continue;
    rank += places;
    found += here;
    sum += dealt ? places * p * (1 + (rank - 1) * q) / rank : here * found / rank;
  }
  return sum / relevant;
}

// ---- clustering

using PartitionScore = Score (*)(const stats::Contingency&);

MetricFunction partition_score(const Answered& answered, PartitionScore score) {
  std::vector<int> gold, answers;
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    gold.push_back(static_cast<int>(answered.golds[i]->front()));
    answers.push_back(static_cast<int>(answered.answers[i]->front()));
  }
  return [=, items = answered.items](Counts counts) -> Score {
    const auto table = stats::contingency(gold, answers, gather(counts, items));
    if (!table) return undefined(kNothing);
    return score(*table);
  };
}

Score v_score(const stats::Contingency& table) { return stats::v_measure(table); }
Score nmi_score(const stats::Contingency& table) {
  return stats::normalized_mutual_information(table);
}
Score v_chance(const stats::Contingency& table) {
  return stats::expected_v_measure(table.rows, table.columns);
}
Score ari_score(const stats::Contingency& table) { return stats::adjusted_rand_index(table); }
Score ami_score(const stats::Contingency& table) {
  return stats::adjusted_mutual_information(table);
}
// 0, or 1 where every deal gives the same partition.
Score adjusted_chance(const stats::Contingency& table) {
  const auto only_one = [&](const std::vector<std::int64_t>& sizes) { return sizes.size() == 1; };
  const auto all_alone = [&](const std::vector<std::int64_t>& sizes) {
    return std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size == 1; });
  };
  const bool fixed = (only_one(table.rows) && only_one(table.columns)) ||
                     (all_alone(table.rows) && all_alone(table.columns));
  return fixed ? 1.0 : 0.0;
}
Score b_cubed_score(const stats::Contingency& table) { return stats::b_cubed(table).f1; }
Score b_cubed_chance(const stats::Contingency& table) {
  return stats::expected_b_cubed(table.rows, table.columns).f1;
}

// ---- reranking

using QueryScore = Score (*)(std::span<const stats::Document>, stats::TieRule, std::size_t cutoff);

Score ap_of(std::span<const stats::Document> documents, stats::TieRule ties, std::size_t) {
  return stats::average_precision(documents, ties);
}
Score rr_of(std::span<const stats::Document> documents, stats::TieRule ties, std::size_t cutoff) {
  return stats::reciprocal_rank(documents, ties, cutoff == 0 ? 10 : cutoff);
}
Score ndcg_of(std::span<const stats::Document> documents, stats::TieRule ties, std::size_t cutoff) {
  return stats::ndcg(documents, cutoff == 0 ? 10 : cutoff, ties);
}
Score p_of(std::span<const stats::Document> documents, stats::TieRule ties, std::size_t cutoff) {
  return stats::precision_at(documents, cutoff == 0 ? 1 : cutoff, ties);
}
Score spearman_within(std::span<const stats::Document> documents, stats::TieRule, std::size_t) {
  std::vector<double> grades, scores;
  for (const auto& document : documents) {
    grades.push_back(document.grade);
    scores.push_back(document.score);
  }
  return stats::spearman(grades, scores);
}
Score tau_within(std::span<const stats::Document> documents, stats::TieRule, std::size_t) {
  std::vector<double> grades, scores;
  for (const auto& document : documents) {
    grades.push_back(document.grade);
    scores.push_back(document.score);
  }
  return stats::kendall_tau_b(grades, scores);
}

// Of the queries where the metric is defined. `constant`: of equal scores, which is what any scores
// earn on average when they are dealt to the documents at random.
ItemValues query_values(const Answered& answered, QueryScore score, bool constant) {
  ItemValues result;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const Answer &gold = *answered.golds[i], &answer = *answered.answers[i];
    while (ids.size() < gold.size()) ids.push_back(fmt::format("{:06}", ids.size()));
    std::vector<stats::Document> documents;
    for (std::size_t d = 0; d < gold.size(); ++d) {
      documents.push_back({gold[d], constant ? 0 : answer[d], ids[d]});
    }
    const Score value =
        score(documents, constant ? stats::TieRule::kExpected : answered.ties, answered.cutoff);
    if (!value) continue;
    result.items.push_back(answered.items[i]);
    result.values.push_back(*value);
  }
  return result;
}

// ---- preference

std::vector<double> choice_shares(const Answer& answer) {
  if (answer.size() == 4) return answer;
  std::vector<double> shares(4);
  shares[static_cast<std::size_t>(answer.front())] = 1;
  return shares;
}

// How right these shares are for gold A: a tie, or both bad, is half right.
double credit_for_a(const std::vector<double>& shares) {
  return shares[0] + (shares[2] + shares[3]) / 2;
}

// Of the items whose gold prefers one side.
ItemValues preference_values(const Answered& answered) {
  ItemValues result;
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const auto gold = choice_shares(*answered.golds[i]);
    if (gold[0] + gold[1] == 0) continue;
    const double for_a = credit_for_a(choice_shares(*answered.answers[i]));
    result.items.push_back(answered.items[i]);
    result.values.push_back((gold[0] * for_a + gold[1] * (1 - for_a)) / (gold[0] + gold[1]));
  }
  return result;
}

// Credit is linear in both sides: a for gold A with probability p, 1 - a for B.
MetricFunction preference_chance(const Answered& answered) {
  std::vector<std::size_t> items;
  std::vector<double> gold_a, for_a;
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const auto gold = choice_shares(*answered.golds[i]);
    if (gold[0] + gold[1] == 0) continue;
    items.push_back(answered.items[i]);
    gold_a.push_back(gold[0] / (gold[0] + gold[1]));
    for_a.push_back(credit_for_a(choice_shares(*answered.answers[i])));
  }
  return [gold = mean_of(items, gold_a), answers = mean_of(items, for_a)](Counts counts) -> Score {
    const Score p = gold(counts), a = answers(counts);
    if (!p || !a) return undefined(kNothing);
    return *p * *a + (1 - *p) * (1 - *a);
  };
}

// ---- the table

MetricFunctions of_values(const ItemValues& values, MetricFunction chance) {
  return {mean_of(values.items, values.values), std::move(chance), values};
}

MetricFunction zero() {
  return [](Counts) -> Score { return 0.0; };
}

template <TableScore score>
MetricFunctions by_label(const Answered& answered) {
  const LabelPairs pairs = label_pairs(answered);
  return {confusion_score(pairs, score), confusion_score(pairs, of_independent<score>), {}};
}

MetricFunctions by_accuracy(const Answered& answered) {
  MetricFunctions functions = by_label<accuracy_score>(answered);
  const std::size_t labels = answered.task->labels.size();
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const auto gold = label_shares(*answered.golds[i], labels);
    const auto answer = label_shares(*answered.answers[i], labels);
    functions.per_item.items.push_back(answered.items[i]);
    functions.per_item.values.push_back(
        std::inner_product(gold.begin(), gold.end(), answer.begin(), 0.0));
  }
  functions.score = mean_of(functions.per_item.items, functions.per_item.values);
  return functions;
}

MetricFunctions by_second_label(const Answered& answered) {
  const std::size_t labels = answered.task->labels.size();
  if (labels != 2) {
    const auto none = [items = answered.items](Counts) -> Score {
      return undefined(items.empty() ? kNothing : "average precision needs a task of two labels");
    };
    return {none, none, {}};
  }
  std::vector<SecondLabel> ranked;
  for (std::size_t i = 0; i < answered.items.size(); ++i) {
    const auto gold = label_shares(*answered.golds[i], labels);
    const auto answer = label_shares(*answered.answers[i], labels);
    ranked.push_back({answered.items[i], gold[1] > gold[0], answer[1]});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return {[ranked](Counts counts) { return precision_of_second(ranked, counts, false); },
          [ranked](Counts counts) { return precision_of_second(ranked, counts, true); },
          {}};
}

template <PartitionScore score, PartitionScore chance>
MetricFunctions by_partition(const Answered& answered) {
  return {partition_score(answered, score), partition_score(answered, chance), {}};
}

template <QueryScore score>
MetricFunctions by_query(const Answered& answered) {
  const ItemValues chance = query_values(answered, score, true);
  return of_values(query_values(answered, score, false), mean_of(chance.items, chance.values));
}

template <QueryScore score>
MetricFunctions by_query_correlation(const Answered& answered) {
  return of_values(query_values(answered, score, false), zero());
}

MetricFunctions sts_spearman(const Answered& answered) {
  return {spearman_of(ratings_of(answered)), zero(), {}};
}
MetricFunctions sts_pearson(const Answered& answered) {
  return {copied_correlation(ratings_of(answered), stats::pearson), zero(), {}};
}
MetricFunctions sts_tau(const Answered& answered) {
  return {copied_correlation(ratings_of(answered), stats::kendall_tau_b), zero(), {}};
}
MetricFunctions by_preference(const Answered& answered) {
  return of_values(preference_values(answered), preference_chance(answered));
}

constexpr MetricRow kRows[] = {
    {"spearman", Kind::kSts, sts_spearman},
    {"pearson", Kind::kSts, sts_pearson},
    {"kendall_tau_b", Kind::kSts, sts_tau},
    {"accuracy", Kind::kClassification, by_accuracy},
    {"f1_macro", Kind::kClassification, by_label<macro_f1>},
    {"f1_weighted", Kind::kClassification, by_label<weighted_f1>},
    {"precision_macro", Kind::kClassification, by_label<macro_precision>},
    {"precision_weighted", Kind::kClassification, by_label<weighted_precision>},
    {"recall_macro", Kind::kClassification, by_label<macro_recall>},
    {"recall_weighted", Kind::kClassification, by_label<weighted_recall>},
    {"ap", Kind::kClassification, by_second_label},
    {"v_measure", Kind::kClustering, by_partition<v_score, v_chance>},
    {"nmi", Kind::kClustering, by_partition<nmi_score, v_chance>},
    {"ari", Kind::kClustering, by_partition<ari_score, adjusted_chance>},
    {"ami", Kind::kClustering, by_partition<ami_score, adjusted_chance>},
    {"b_cubed_f1", Kind::kClustering, by_partition<b_cubed_score, b_cubed_chance>},
    {"ap", Kind::kReranking, by_query<ap_of>},
    {"rr", Kind::kReranking, by_query<rr_of>},
    {"ndcg", Kind::kReranking, by_query<ndcg_of>},
    {"p_at_k", Kind::kReranking, by_query<p_of>},
    {"spearman", Kind::kReranking, by_query_correlation<spearman_within>},
    {"kendall_tau_b", Kind::kReranking, by_query_correlation<tau_within>},
    {"accuracy", Kind::kPreference, by_preference},
};

}  // namespace

const MetricRow* find_metric(Kind kind, std::string_view metric) {
  const auto* found = std::find_if(std::begin(kRows), std::end(kRows), [&](const MetricRow& row) {
    return row.kind == kind && row.metric == metric;
  });
  return found == std::end(kRows) ? nullptr : found;
}

std::vector<std::string_view> metrics_of(Kind kind) {
  std::vector<std::string_view> names;
  for (const MetricRow& row : kRows) {
    if (row.kind == kind) names.emplace_back(row.metric);
  }
  return names;
}

}  // namespace plumb::tasks
