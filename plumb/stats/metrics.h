// The one table of metrics and agreement coefficients: what each is called, which tasks it serves,
// its range, what an answer without knowledge earns, and where it was published. Help, reports and
// checks of imported scores read it; a new metric is a new row.
//
//   const Metric* metric = find_metric("v_measure");   // nullptr: no such id
//   metric->title;                                      // "V-measure"
//
// Chance levels that have an exact value are functions below and in clustering.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "plumb/stats/ranking.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

enum TaskKinds : unsigned {
  kClassification = 1,
  kClustering = 2,
  kReranking = 4,
  kSts = 8,
  kPreference = 16,
  kAnyTask = 31,
};

enum class Role {
  kScore,      // a rater against gold
  kAgreement,  // raters against each other
};

struct Metric {
  std::string_view id;     // in files and options
  std::string_view title;  // on screen
  Role role;
  unsigned tasks;  // TaskKinds that it serves
  bool higher_is_better;
  double low;               // no value lies below
  double high;              // none above
  std::string_view chance;  // what an answer without knowledge is expected to earn
  std::string_view reference;

  constexpr bool serves(TaskKinds task) const { return (tasks & task) != 0; }
};

inline constexpr auto kMetrics = std::to_array<Metric>({
    // clang-format off
    {"accuracy", "Accuracy", Role::kScore, kClassification | kPreference, true, 0, 1,
     "1/k for guessing among k labels; the largest class's share for always answering it",
     "the share of right answers"},
    {"f1_macro", "F1, macro", Role::kScore, kClassification, true, 0, 1,
     "chance_f1(): guessing each label with equal probability",
     "van Rijsbergen 1979; mean of the classes' F1, as scikit-learn"},
    {"f1_weighted", "F1, weighted", Role::kScore, kClassification, true, 0, 1,
     "chance_f1(): guessing each label with equal probability",
     "van Rijsbergen 1979; mean by class size, as scikit-learn"},
    {"precision_macro", "Precision, macro", Role::kScore, kClassification, true, 0, 1,
     "near 1/k for guessing among k labels",
     "mean of the classes' precision, 0 for a label never answered, as scikit-learn"},
    {"precision_weighted", "Precision, weighted", Role::kScore, kClassification, true, 0, 1,
     "near the sum of the classes' squared shares for guessing",
     "mean by class size, as scikit-learn"},
    {"recall_macro", "Recall, macro", Role::kScore, kClassification, true, 0, 1,
     "1/k for guessing among k labels, and for one constant answer",
     "mean of the classes' recall; the balanced accuracy where all classes have gold"},
    {"recall_weighted", "Recall, weighted", Role::kScore, kClassification, true, 0, 1,
     "1/k for guessing among k labels",
     "mean by class size, which is the accuracy"},
    {"v_measure", "V-measure", Role::kScore, kClustering, true, 0, 1,
     "expected_v_measure(): random labels with these cluster sizes; grows with the number of clusters",
     "Rosenberg and Hirschberg 2007"},
    {"ari", "Adjusted Rand index", Role::kScore, kClustering, true, -0.5, 1,
     "0: random labels with these cluster sizes",
     "Hubert and Arabie 1985"},
    {"ami", "Adjusted mutual information", Role::kScore, kClustering, true, -1, 1,
     "0: random labels with these cluster sizes",
     "Vinh, Epps and Bailey 2010"},
    {"b_cubed_f1", "B-cubed F1", Role::kScore, kClustering, true, 0, 1,
     "expected_b_cubed(): random labels with these cluster sizes",
     "Bagga and Baldwin 1998"},
    {"nmi", "Normalised mutual information", Role::kScore, kClustering, true, 0, 1,
     "expected_v_measure(): with the arithmetic mean of the entropies it is the V-measure",
     "Strehl and Ghosh 2002; arithmetic mean, as scikit-learn"},
    {"ap", "Average precision", Role::kScore, kReranking | kClassification, true, 0, 1,
     "chance_average_precision(): a random order; of two labels the second one's share",
     "exact under ties, McSherry and Najork 2008; of two labels as scikit-learn and MTEB take it"},
    {"rr", "Reciprocal rank", Role::kScore, kReranking, true, 0, 1,
     "chance_reciprocal_rank(): a random order",
     "Voorhees 1999; exact under ties, McSherry and Najork 2008"},
    {"ndcg", "nDCG", Role::kScore, kReranking, true, 0, 1,
     "chance_ndcg(): a random order",
     "Jarvelin and Kekalainen 2002; exact under ties, McSherry and Najork 2008"},
    {"p_at_k", "Precision at k", Role::kScore, kReranking, true, 0, 1,
     "chance_precision_at(): a random order, the share of relevant documents",
     "exact under ties, McSherry and Najork 2008"},
    {"spearman", "Spearman's rho", Role::kScore, kSts | kReranking, true, -1, 1,
     "0: a random order; a constant answer has no correlation",
     "Spearman 1904; average ranks under ties"},
    {"pearson", "Pearson's r", Role::kScore, kSts, true, -1, 1,
     "0: independent answers; a constant answer has no correlation",
     "Pearson 1895"},
    {"kendall_tau_b", "Kendall's tau-b", Role::kScore, kSts | kReranking, true, -1, 1,
     "0: a random order; a constant answer has no correlation",
     "Kendall 1945"},
    {"percent_agreement", "Percent agreement", Role::kAgreement, kAnyTask, true, 0, 1,
     "sum over categories of the squared share, for independent answers",
     "the share of agreeing pairs of answers"},
    {"cohen_kappa", "Cohen's kappa", Role::kAgreement, kClassification | kPreference, true, -1, 1,
     "0: independent answers, each rater with their own shares",
     "Cohen 1960, weighted 1968"},
    {"fleiss_kappa", "Fleiss' kappa", Role::kAgreement, kClassification | kPreference, true, -1, 1,
     "0: independent answers with common shares, for many items",
     "Fleiss 1971; missing answers as Gwet 2014"},
    {"gwet_ac1", "Gwet's AC1", Role::kAgreement, kClassification | kPreference, true, -1, 1,
     "0: guessing among all categories with equal probability, for many items",
     "Gwet 2008; missing answers as Gwet 2014"},
    {"krippendorff_nominal", "Krippendorff's alpha, nominal", Role::kAgreement, kAnyTask, true, -1, 1,
     "0: answers dealt to the items at random",
     "Krippendorff 2011"},
    {"krippendorff_ordinal", "Krippendorff's alpha, ordinal", Role::kAgreement, kSts | kReranking,
     true, -1, 1,
     "0: answers dealt to the items at random",
     "Krippendorff 2011"},
    {"krippendorff_interval", "Krippendorff's alpha, interval", Role::kAgreement, kSts, true, -1, 1,
     "0: answers dealt to the items at random",
     "Krippendorff 2011"},
    {"krippendorff_ratio", "Krippendorff's alpha, ratio", Role::kAgreement, kSts, true, -1, 1,
     "0: answers dealt to the items at random",
     "Krippendorff 2011"},
    // clang-format on
});

constexpr const Metric* find_metric(std::string_view id) {
  for (const Metric& metric : kMetrics) {
    if (metric.id == id) return &metric;
  }
  return nullptr;
}

// class_sizes: [k] gold items of each class. Undefined without items.
// Guessing each of the k labels with equal probability: 1/k, whatever the class sizes; also the
// mean over the k constant answers.
Score chance_accuracy(std::span<const std::int64_t> class_sizes);
// Always answering the largest class.
Score majority_accuracy(std::span<const std::int64_t> class_sizes);

struct AverageF1 {
  double macro;
  double weighted;
};
// The expectation of F1 when each label is guessed with probability 1/k. For a class of size a of n
// items, t of the n guesses name it with probability Binomial(n, 1/k), and on average t a/n of
// those are right, so E[F1] = sum_t P(t) * 2 (t a/n) / (t + a). REQUIRES: all sizes are positive.
tl::expected<AverageF1, Undefined> chance_f1(std::span<const std::int64_t> class_sizes);

// The expectation over all orders of the documents; what any constant answer scores under
// TieRule::kExpected. Undefined if no document is relevant, or more than there are.
Score chance_average_precision(std::size_t documents, std::size_t relevant);
Score chance_reciprocal_rank(std::size_t documents, std::size_t relevant,
                             std::size_t cutoff = kNoCutoff);
Score chance_precision_at(std::size_t documents, std::size_t relevant, std::size_t cutoff);
// grades: [documents]
Score chance_ndcg(std::span<const double> grades, std::size_t cutoff = kNoCutoff,
                  Gain gain = Gain::kLinear);

}  // namespace plumb::stats
