// A task of pairs of texts, as tests of studies need one.
#pragma once

#include <fmt/format.h>

#include <string>

namespace plumb {

// plumb.task/1: pairs "a i" and "b i", whose gold goes from 0 to 5 and round.
inline std::string pairs_task(int items) {
  std::string task = R"({"schema":"plumb.task/1","kind":"sts","scale":[0,5],"name":"pairs"})"
                     "\n";
  for (int i = 0; i < items; ++i) {
    task += fmt::format(R"({{"id":"{0}","text1":"a {0}","text2":"b {0}","rating":{1}}})"
                        "\n",
                        i, i % 6);
  }
  return task;
}

}  // namespace plumb
