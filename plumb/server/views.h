// The researcher's view of each study, computed beside the requests: what takes seconds in a large
// study is kept as a snapshot and sent at once, with the time that it is of.
//
//   Views views(store);
//   PLUMB_TRY(view, views.of(study));     // {"as_of": "...", "current": true, "status": {...}, ..}
//
// One thread computes, one study after another; a study that changes all the time is computed anew
// once a while that is ten times as long as the computing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/study/store.h"
#include "plumb/study/study.h"

namespace plumb::server {

// Asked between the parts of a long computation: an error ends it.
using MayGoOn = std::function<Result<void>()>;

// plumb.study-view/1: the status with agreement, how many items are in dispute, the gap so far.
// From several snapshots of the database, one after another.
Result<Json> compute_view(
    const study::Study& study, const MayGoOn& may_go_on = [] { return Result<void>(); });

class Views {
 public:
  explicit Views(study::Store& store) : store_(store) {}
  ~Views();
  Views(const Views&) = delete;
  Views& operator=(const Views&) = delete;

  // The newest snapshot; one that is up to date where it can be had within `patience`. "current"
  // says whether it is; the rest is missing where there is none yet.
  Result<Json> of(const study::Study& study,
                  std::chrono::milliseconds patience = std::chrono::milliseconds(150));

  // Computes no more; what is being computed ends with its next part.
  void stop();
  // Whether nothing is computed any more, by that time at the latest.
  bool ends_by(std::chrono::steady_clock::time_point until);

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Kept {
    std::string state;  // of the database when the computing began; "": none yet
    Json view = Json::object();
    Time begun, done;
    std::string failure;
  };

  bool may_compute(const Kept& kept) const;
  void ask_for(const study::Study& study);  // REQUIRES: mutex_ is held
  void work();
  void compute(const std::string& name, std::int64_t id);
  Result<void> may_go_on();

  study::Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Kept> kept_;
  std::map<std::int64_t, std::string> wanted_;  // names of studies by id
  std::set<std::int64_t> running_;
  bool ending_ = false;
  std::thread worker_;  // from the first question on
};

}  // namespace plumb::server
