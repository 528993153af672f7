// A result whose terminal text and Markdown are the same parts, with each table in its own form.
//
//   return write(tables_output(json, records, [&](const auto& print) {
//     return heading + print(first_table) + "\n" + print(second_table);
//   }), output);
#pragma once

#include <functional>
#include <string>

#include "plumb/cli/options.h"
#include "plumb/report/table.h"

namespace plumb::cli {

// whole(print): the text, where print(table) is a table as text.
template <typename Whole>
Output tables_output(const std::function<Json()>& json,
                     const std::function<report::Table()>& records, Whole whole) {
  const auto text = [whole](const report::Terminal& terminal) {
    return whole([&](const report::Table& table) { return to_terminal(table, terminal); });
  };
  const auto markdown = [whole] {
    return whole([](const report::Table& table) { return to_markdown(table); });
  };
  return {.json = json, .records = records, .text = text, .markdown = markdown};
}

}  // namespace plumb::cli
