#include "plumb/raters/probes/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/kmeans.h"
#include "plumb/raters/probes/minibatch_kmeans.h"

namespace plumb::raters {
namespace {

using Places = std::vector<std::size_t>;

constexpr std::size_t kSilhouetteItems = 1000, kSilhouetteGroups = 50;
constexpr std::uint32_t kMtebSeed = 42;

struct Groups {
  std::size_t count;
  std::string_view from;  // "option", "task", "gold", "silhouette"
};

bool row_less(const Vectors& vectors, std::size_t a, std::size_t b) {
  if (vectors.is_dense()) {
    const auto x = vectors.dense_row(a), y = vectors.dense_row(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  }
  // As if written out: where only one has an entry, its sign decides.
  const auto x = vectors.sparse_row(a), y = vectors.sparse_row(b);
  for (std::size_t i = 0, j = 0; i < x.size() || j < y.size();) {
    const std::size_t end = vectors.dimension();
    const std::size_t p = i < x.size() ? x[i].column : end, q = j < y.size() ? y[j].column : end;
    const float left = p <= q ? x[i++].value : 0, right = q <= p ? y[j++].value : 0;
    if (left != right) return left < right;
  }
  return false;
}

// The places of the items, ordered by their vectors: random draws then do not depend on the order
// of the task.
Places canonical_order(const EmbeddedTask& embedded) {
  Places order(embedded.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return row_less(embedded.texts, embedded.rows[a][0], embedded.rows[b][0]);
  });
  return order;
}

Places rows_of(const EmbeddedTask& embedded, std::span<const std::size_t> order) {
  Places rows;
  for (const std::size_t item : order) rows.push_back(embedded.rows[item][0]);
  return rows;
}

std::size_t groups_of_gold(const tasks::Task& task) {
  std::set<double> groups;
  for (const tasks::Item& item : task.items) {
    if (!item.gold.empty()) groups.insert(item.gold[0]);
  }
  return groups.size();
}

// Of 2 .. 50 groups (fewer than items), those of k-means with the greatest silhouette on up to
// 1,000 items.
std::size_t groups_by_silhouette(const Vectors& vectors, Places rows, int restarts,
                                 const tasks::RateOptions& rate) {
  Stream sampling(rate.seed, "silhouette sample", 0);
  shuffle(std::span(rows), sampling);
  rows.resize(std::min(rows.size(), kSilhouetteItems));
  if (rows.size() < 3) return 1;
  const auto distances = all_distances(vectors, rows, rate.threads);
  const std::size_t candidates = std::min(kSilhouetteGroups, rows.size() - 1) - 1;
  std::vector<double> values(candidates);
  parallel_for(candidates, 1, rate.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Stream stream(rate.seed, "silhouette", i);
      const auto result = kmeans(vectors, rows, i + 2, restarts, stream);
      const auto [least, most] = std::minmax_element(result.labels.begin(), result.labels.end());
      values[i] = *least == *most ? -1 : mean_silhouette(distances, result.labels, i + 2);
    }
  });
  const auto best = std::max_element(values.begin(), values.end()) - values.begin();
  return static_cast<std::size_t>(best) + 2;
}

Result<Groups> groups_for(const tasks::Task& task, const EmbeddedTask& embedded,
                          std::span<const std::size_t> order, const ProbeOptions& options,
                          const tasks::RateOptions& rate) {
  if (options.by_silhouette) {
    return Groups{
        groups_by_silhouette(embedded.texts, rows_of(embedded, order), options.restarts, rate),
        "silhouette"};
  }
  if (options.groups) return Groups{static_cast<std::size_t>(*options.groups), "option"};
  if (options.protocol == Protocol::kDefault && task.groups) {
    return Groups{static_cast<std::size_t>(*task.groups), "task"};
  }
  const std::size_t of_gold = groups_of_gold(task);
  if (of_gold > 0) return Groups{of_gold, "gold"};
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: neither the task nor its gold says how many groups to make; say how "
                          "many, or let the silhouette choose",
                          task.name));
}

Result<void> check(const tasks::Task& task, const ProbeOptions& options) {
  if (options.groups && options.by_silhouette) {
    return fail(ErrorKind::kUsage, "the number of groups is given, or the silhouette chooses it");
  }
  if (options.groups.value_or(1) < 1 || options.runs < 1 || options.restarts < 1) {
    return fail(ErrorKind::kUsage, "k-means needs one group, one run and one start or more");
  }
  if (task.items.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: there are no items to group", task.name));
  }
  return {};
}

tasks::AnswerSheet sheet_of(std::span<const std::size_t> order, std::span<const int> labels) {
  tasks::AnswerSheet sheet;
  sheet.answers.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sheet.answers[order[i]] = tasks::Answer{static_cast<double>(labels[i])};
  }
  return sheet;
}

Json provenance(const ProbeOptions& options, const Groups& groups, std::string_view algorithm,
                std::uint64_t seed) {
  return {{"protocol", protocol_name(options.protocol)},
          {"clusterer", algorithm},
          {"groups", groups.count},
          {"groups_from", groups.from},
          {"seed", seed}};
}

std::vector<tasks::AnswerSheet> full_runs(const EmbeddedTask& embedded, const Places& order,
                                          const Groups& groups, const ProbeOptions& options,
                                          const tasks::RateOptions& rate) {
  const Places rows = rows_of(embedded, order);
  std::vector<tasks::AnswerSheet> sheets(static_cast<std::size_t>(options.runs));
  std::atomic<std::size_t> done{0};
  parallel_for(sheets.size(), 1, rate.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t run = begin; run < end; ++run) {
      Stream stream(rate.seed, "k-means", run);
      const auto result = kmeans(embedded.texts, rows, groups.count, options.restarts, stream);
      sheets[run] = sheet_of(order, result.labels);
      sheets[run].run = static_cast<int>(run);
      sheets[run].provenance = provenance(options, groups, "k-means", rate.seed);
      sheets[run].provenance["restarts"] = options.restarts;
      if (rate.progress) rate.progress(++done, sheets.size());
    }
  });
  return sheets;
}

std::vector<tasks::AnswerSheet> mteb_run(const EmbeddedTask& embedded, const Groups& groups,
                                         const ProbeOptions& options, int threads) {
  Places order(embedded.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto result =
      minibatch_kmeans(embedded.texts, rows_of(embedded, order),
                       {.groups = groups.count, .seed = kMtebSeed, .threads = threads});
  std::vector<tasks::AnswerSheet> sheets = {sheet_of(order, result.labels)};
  sheets[0].provenance = provenance(options, groups, "mini-batch k-means", kMtebSeed);
  return sheets;
}

}  // namespace

Result<std::vector<tasks::AnswerSheet>> cluster(const tasks::Task& task,
                                                const EmbeddedTask& embedded,
                                                const ProbeOptions& options,
                                                const tasks::RateOptions& rate) {
  if (auto checked = check(task, options); !checked) return tl::unexpected(checked.error());
  const Places order = canonical_order(embedded);
  PLUMB_TRY(groups, groups_for(task, embedded, order, options, rate));
  if (groups.count > task.items.size()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {} items cannot make {} groups; say fewer",
                                                  task.name, task.items.size(), groups.count));
  }
  if (options.protocol == Protocol::kDefault) {
    return full_runs(embedded, order, groups, options, rate);
  }
  return mteb_run(embedded, groups, options, rate.threads);
}

}  // namespace plumb::raters
