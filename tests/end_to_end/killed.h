// The program killed in the middle of its work. The moment is a mark that the work leaves in its
// folder, never a time: how fast the machine is decides nothing.
//
//   ASSERT_TRUE(killed_at_events("lm train ...", path("run"), path("run/model"), {200, 100, 12}));
#pragma once

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <thread>

#include "plumb/base/files.h"

namespace plumb {

// Starts the program with these arguments in this folder, and kills it as soon as `moment` holds.
// True where the signal is what ended it: it had not come to its end by itself.
inline bool killed_when(const std::filesystem::path& folder, const std::string& arguments,
                        const std::function<bool()>& moment) {
  const std::string command = fmt::format("cd '{}' && exec '{}' {} >/dev/null 2>&1",
                                          folder.string(), PLUMB_PROGRAM, arguments);
  const pid_t program = ::fork();
  if (program == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(program, &status, WNOHANG) == 0) {
    if (moment()) {
      ::kill(program, SIGKILL);
      ::waitpid(program, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// Whole lines of a file that is being written; 0 where there is none yet.
inline std::size_t lines_in(const std::filesystem::path& file) {
  const auto text = read_file(file);
  return text ? static_cast<std::size_t>(std::ranges::count(*text, '\n')) : 0;
}

// Kills a run once `run`/events.jsonl has so many lines, and again from the start at the next
// number where the run had ended before the kill. True where it was found at work, without `last`,
// the file that it writes at its end.
inline bool killed_at_events(const std::string& arguments, const std::filesystem::path& run,
                             const std::filesystem::path& last,
                             std::initializer_list<std::size_t> moments) {
  for (const std::size_t lines : moments) {
    std::filesystem::remove_all(run);
    const bool landed = killed_when(run.parent_path(), arguments,
                                    [&] { return lines_in(run / "events.jsonl") >= lines; });
    if (landed && !std::filesystem::exists(last)) return true;
  }
  return false;
}

}  // namespace plumb
