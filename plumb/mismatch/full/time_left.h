// How long a measurement of many parts still takes: each part is so many stages of known cost, and
// what is done of them against the time it took says how long the rest will take here.
//
//   TimeLeft left({{"chain", "optimising by", 4, 60}, {"population", "training", 24, 6}});
//   left.start(0);
//   left.saw("chain", "optimising by rloo", 50, 200);
//   left.seconds(15);   // of what is left, 15 seconds after start(0)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace plumb::mismatch {

// Stages of a part whose names begin alike.
struct PlannedStages {
  std::string part, prefix;
  std::size_t count = 1;  // of such stages
  double cost = 1;        // of one, in any unit that all share
};

class TimeLeft {
 public:
  explicit TimeLeft(std::vector<PlannedStages> plan);

  // Stages that no plan names are left out of account. total 0: how far it is is not known.
  void saw(const std::string& part, const std::string& stage, std::size_t done, std::size_t total);
  void finished(const std::string& part);
  // What was done before costs nothing in this process: the clock starts here.
  void start(double seconds);

  double share() const;  // of all cost that is done, from 0 to 1
  // Nothing while less than a hundredth was done since start().
  std::optional<double> seconds(double now) const;

 private:
  struct Progressed {
    PlannedStages stages;
    std::string stage = {};  // the last that was seen
    std::size_t ended = 0;   // stages before it
    double part_of_it = 0;
    bool whole = false;

    double done() const;
  };
  std::vector<Progressed> plan_;
  double all_ = 0, started_at_ = 0, started_share_ = 0;
};

}  // namespace plumb::mismatch
