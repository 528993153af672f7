#include "plumb/gap/item_diagnostics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "plumb/stats/correlation.h"
#include "plumb/stats/ranking.h"

namespace plumb::gap {
namespace {

using tasks::Answer;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;
using Sheets = std::vector<const AnswerSheet*>;
using Values = std::vector<std::optional<double>>;  // [items]

constexpr double kAhead = 0.5;           // closeness that makes people or models ahead on an item
constexpr double kRatingError = 0.25;    // of the ranks, that makes a rating suspicious
constexpr std::size_t kTooFewItems = 2;  // no ranks

// One sheet, item by item.
struct View {
  Values says;       // a label, a choice, a group's gold, a document; a rank from 0 to 1
  Values closeness;  // to the gold, 0 to 1
};

// Ranks from 0 to 1 of the values that are there.
Values shares_of_rank(const Values& values) {
  std::vector<double> present;
  for (const auto& value : values) {
    if (value) present.push_back(*value);
  }
  Values result(values.size());
  if (present.size() < kTooFewItems) return result;
  const std::vector<double> ranks = stats::average_ranks(present);
  std::size_t at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    result[i] = (ranks[at++] - 1) / static_cast<double>(present.size() - 1);
  }
  return result;
}

// The value that stands most often, if no other does as often; nothing without any.
std::optional<double> plurality(const std::map<double, double>& votes) {
  std::optional<double> best;
  double most = 0;
  bool tied = false;
  for (const auto& [value, count] : votes) {
    tied = count == most || (tied && count < most);
    if (count > most) best = value, most = count;
  }
  return tied ? std::nullopt : best;
}

std::optional<double> first_of(const std::optional<Answer>& answer) {
  return answer ? std::optional((*answer)[0]) : std::nullopt;
}

std::optional<double> gold_of(const Task& task, std::size_t i) {
  const Answer& gold = task.items[i].gold;
  return gold.empty() ? std::nullopt : std::optional(gold[0]);
}

Values golds_of(const Task& task) {
  Values golds;
  for (std::size_t i = 0; i < task.items.size(); ++i) golds.push_back(gold_of(task, i));
  return task.kind == Kind::kSts ? shares_of_rank(golds) : golds;
}

View view_of_labels(const Task& task, const AnswerSheet& sheet) {
  View view;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    view.says.push_back(first_of(sheet.answers[i]));
    const auto gold = gold_of(task, i);
    view.closeness.emplace_back();
    if (gold && view.says[i]) view.closeness[i] = *gold == *view.says[i] ? 1 : 0;
  }
  return view;
}

View view_of_ratings(const Task& task, const AnswerSheet& sheet, const Values& golds) {
  Values answers;
  for (const auto& answer : sheet.answers) answers.push_back(first_of(answer));
  View view{shares_of_rank(answers), Values(task.items.size())};
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    if (golds[i] && view.says[i]) view.closeness[i] = 1 - std::abs(*golds[i] - *view.says[i]);
  }
  return view;
}

View view_of_ranking(const Task& task, const AnswerSheet& sheet) {
  View view{Values(task.items.size()), Values(task.items.size())};
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    if (!sheet.answers[i]) continue;
    const Answer& scores = *sheet.answers[i];
    const auto top = std::ranges::max_element(scores);
    if (std::ranges::count(scores, *top) == 1)
      view.says[i] = static_cast<double>(top - scores.begin());
    std::vector<stats::Document> documents;
    const Answer& grades = task.items[i].gold;
    for (std::size_t d = 0; d < grades.size(); ++d) documents.push_back({grades[d], scores[d]});
    if (const auto precision = stats::average_precision(documents)) view.closeness[i] = *precision;
  }
  return view;
}

// What each item is put together with. B-cubed, Bagga and Baldwin 1998, of the single item.
View view_of_groups(const Task& task, const AnswerSheet& sheet) {
  std::map<double, std::map<double, double>> golds_in_group;  // group, gold: items
  std::map<double, double> gold_sizes, group_sizes;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const auto group = first_of(sheet.answers[i]), gold = gold_of(task, i);
    if (!group || !gold) continue;
    ++golds_in_group[*group][*gold];
    ++gold_sizes[*gold];
    ++group_sizes[*group];
  }
  View view{Values(task.items.size()), Values(task.items.size())};
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const auto group = first_of(sheet.answers[i]), gold = gold_of(task, i);
    if (!group || !gold) continue;
    std::map<double, double> mates = golds_in_group[*group];
    const double together = mates[*gold];
    view.closeness[i] = 2 * together / (group_sizes[*group] + gold_sizes[*gold]);
    if (--mates[*gold] == 0) mates.erase(*gold);
    view.says[i] = plurality(mates);
  }
  return view;
}

View view_of(const Task& task, const AnswerSheet& sheet, const Values& golds) {
  switch (task.kind) {
    case Kind::kSts:
      return view_of_ratings(task, sheet, golds);
    case Kind::kClustering:
      return view_of_groups(task, sheet);
    case Kind::kReranking:
      return view_of_ranking(task, sheet);
    default:
      return view_of_labels(task, sheet);
  }
}

std::vector<View> views_of(const Task& task, const Sheets& sheets, const Values& golds) {
  std::vector<View> views;
  for (const AnswerSheet* sheet : sheets) views.push_back(view_of(task, *sheet, golds));
  return views;
}

std::optional<double> mean_closeness(const std::vector<View>& views, std::size_t i) {
  double sum = 0, count = 0;
  for (const View& view : views) {
    if (!view.closeness[i]) continue;
    sum += *view.closeness[i];
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

std::optional<double> mean_says(const std::vector<View>& views, std::size_t i) {
  double sum = 0, count = 0;
  for (const View& view : views) {
    if (!view.says[i]) continue;
    sum += *view.says[i];
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

// What more than half of them say.
std::optional<double> majority(const std::vector<View>& views, std::size_t i) {
  std::map<double, double> votes;
  double count = 0;
  for (const View& view : views) {
    if (!view.says[i]) continue;
    ++votes[*view.says[i]];
    ++count;
  }
  const auto most = plurality(votes);
  return most && votes[*most] > count / 2 ? most : std::nullopt;
}

bool gold_says(const Task& task, std::size_t i, double answer) {
  const Answer& gold = task.items[i].gold;
  if (task.kind == Kind::kReranking) return gold[static_cast<std::size_t>(answer)] > 0;
  return gold[0] == answer;
}

std::optional<double> against_gold(const Task& task, std::size_t i, const std::vector<View>& people,
                                   const std::vector<View>& models, const Values& golds) {
  if (task.items[i].gold.empty()) return std::nullopt;
  if (task.kind == Kind::kSts) {
    const auto person = mean_says(people, i), model = mean_says(models, i);
    if (!person || !model || !golds[i]) return std::nullopt;
    const double least = std::min(*person, *model) - *golds[i];
    const double greatest = std::max(*person, *model) - *golds[i];
    if (least > kRatingError) return 1;
    return greatest < -kRatingError ? std::optional(-1.0) : std::nullopt;
  }
  const auto person = majority(people, i), model = majority(models, i);
  if (!person || !model || *person != *model || gold_says(task, i, *person)) return std::nullopt;
  return person;
}

// ---- disagreement of two sheets on one item, 0 to 1

double rank_distance(const Answer& a, const Answer& b) {
  const auto first = stats::average_ranks(a), second = stats::average_ranks(b);
  double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += std::abs(first[d] - second[d]);
  const auto n = static_cast<double>(a.size());
  return n < 2 ? 0 : sum / std::floor(n * n / 2);  // the distance of an order from its reverse
}

using PairSizes = std::map<std::pair<double, double>, double>;

// 1 - the Jaccard index of what the item is put with; nothing is put with it by either: 0.
double mates_distance(double a, double b, const PairSizes& both, std::map<double, double>& first,
                      std::map<double, double>& second) {
  const double shared = both.at({a, b}) - 1, all = first[a] + second[b] - both.at({a, b}) - 1;
  return all == 0 ? 0 : 1 - shared / all;
}

// [items]; nothing where one of the two did not answer.
Values distances(const Task& task, const AnswerSheet& a, const AnswerSheet& b, const View& view_a,
                 const View& view_b) {
  const std::size_t n = task.items.size();
  Values result(n);
  PairSizes both;
  std::map<double, double> first, second;
  for (std::size_t i = 0; i < n && task.kind == Kind::kClustering; ++i) {
    if (!a.answers[i] || !b.answers[i]) continue;
    ++both[{(*a.answers[i])[0], (*b.answers[i])[0]}];
    ++first[(*a.answers[i])[0]];
    ++second[(*b.answers[i])[0]];
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!a.answers[i] || !b.answers[i]) continue;
    const Answer &x = *a.answers[i], &y = *b.answers[i];
    if (task.kind == Kind::kClustering) {
      result[i] = mates_distance(x[0], y[0], both, first, second);
    } else if (task.kind == Kind::kReranking) {
      result[i] = rank_distance(x, y);
    } else if (task.kind == Kind::kSts) {
      if (view_a.says[i] && view_b.says[i]) result[i] = std::abs(*view_a.says[i] - *view_b.says[i]);
    } else {
      result[i] = x[0] == y[0] ? 0 : 1;
    }
  }
  return result;
}

void fill_disagreement(const Task& task, const Sheets& people, const std::vector<View>& views,
                       std::vector<ItemDiagnosis>& items) {
  std::vector<double> sums(items.size()), pairs(items.size());
  for (std::size_t a = 0; a < people.size(); ++a) {
    for (std::size_t b = a + 1; b < people.size(); ++b) {
      const Values values = distances(task, *people[a], *people[b], views[a], views[b]);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i]) continue;
        sums[i] += *values[i];
        ++pairs[i];
      }
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (pairs[i] > 0) items[i].disagreement = sums[i] / pairs[i];
  }
}

// ---- lists

// The places whose value is at least `least`, greatest first.
template <typename Value>
std::vector<std::size_t> greatest_first(const std::vector<ItemDiagnosis>& items, double least,
                                        Value value) {
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::optional<double> number = value(items[i]);
    if (number && *number >= least) found.emplace_back(-*number, i);
  }
  std::ranges::sort(found);
  std::vector<std::size_t> places;
  for (const auto& [number, place] : found) places.push_back(place);
  return places;
}

std::optional<double> people_less_models(const ItemDiagnosis& item) {
  if (!item.people || !item.models) return std::nullopt;
  return *item.people - *item.models;
}

void fill_lists(Kind kind, ItemDiagnostics& result) {
  // No two people rate alike to the last rank.
  const bool by_rank = kind == Kind::kSts || kind == Kind::kReranking;
  result.disagreements = greatest_first(result.items, by_rank ? kRatingError : 1e-12,
                                        [](const auto& item) { return item.disagreement; });
  result.likely_gold_errors =
      greatest_first(result.items, 0, [](const auto& item) -> std::optional<double> {
        if (!item.against_gold) return std::nullopt;
        return 1 - item.people.value_or(0) + 1 - item.models.value_or(0);
      });
  result.people_ahead = greatest_first(result.items, kAhead, people_less_models);
  result.models_ahead =
      greatest_first(result.items, kAhead, [](const auto& item) -> std::optional<double> {
        const auto difference = people_less_models(item);
        return difference ? std::optional(-*difference) : std::nullopt;
      });
}

// ---- who

std::set<std::string> names_of_good_models(const ItemComparison& comparison) {
  double trivial = -1;
  for (const RaterRow& row : comparison.rows) {
    const bool baseline = row.role == RowRole::kRater && row.kind == tasks::RaterKind::kBaseline;
    if (baseline && row.score) trivial = std::max(trivial, *row.score);
  }
  std::set<std::string> names;
  for (const RaterRow& row : comparison.rows) {
    const bool model = row.role == RowRole::kRater && tasks::is_compared(row.kind);
    if (model && row.score && *row.score > trivial) names.insert(row.name);
  }
  return names;
}

Confusion confusion_of(const Task& task, std::string name, const Sheets& sheets) {
  const std::size_t labels = task.labels.size();
  Confusion confusion{std::move(name), std::vector(labels, std::vector<double>(labels, 0.0))};
  for (const AnswerSheet* sheet : sheets) {
    for (std::size_t i = 0; i < task.items.size(); ++i) {
      const Answer& gold = task.items[i].gold;
      if (gold.empty() || !sheet->answers[i]) continue;
      const auto shares = tasks::label_shares(*sheet->answers[i], labels);
      for (std::size_t label = 0; label < labels; ++label) {
        confusion.counts[static_cast<std::size_t>(gold[0])][label] += shares[label];
      }
    }
  }
  return confusion;
}

}  // namespace

ItemDiagnostics diagnose_items(const Task& task, std::span<const AnswerSheet> sheets,
                               const ItemComparison& comparison) {
  const std::set<std::string> good = names_of_good_models(comparison);
  Sheets people, models;
  for (const AnswerSheet& sheet : sheets) {
    if (sheet.kind == tasks::RaterKind::kPerson) {
      people.push_back(&sheet);
    } else if (good.contains(sheet.rater)) {
      models.push_back(&sheet);
    }
  }
  const Values golds = golds_of(task);
  const auto people_views = views_of(task, people, golds),
             model_views = views_of(task, models, golds);

  ItemDiagnostics result;
  result.good_models.assign(good.begin(), good.end());
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    result.items.push_back({std::nullopt, mean_closeness(people_views, i),
                            mean_closeness(model_views, i),
                            against_gold(task, i, people_views, model_views, golds)});
  }
  fill_disagreement(task, people, people_views, result.items);
  fill_lists(task.kind, result);
  if (task.kind != Kind::kClassification) return result;
  if (!people.empty()) result.confusions.push_back(confusion_of(task, "human", people));
  for (const std::string& name : result.good_models) {
    Sheets own;
    for (const AnswerSheet* sheet : models) {
      if (sheet->rater == name) own.push_back(sheet);
    }
    result.confusions.push_back(confusion_of(task, name, own));
  }
  return result;
}

}  // namespace plumb::gap
