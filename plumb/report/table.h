// Tables of text, and the three ways to print one: columns for a terminal, CSV, Markdown.
//
//   Table table{{{"model"}, {"score", Align::kRight}}, {}};
//   table.rows.push_back({"jasper", "80.1"});
//   std::string text = to_terminal(table, false);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::report {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`
};

// Two blanks between columns; a header in bold and a rule where `bold`.
std::string to_terminal(const Table& table, bool bold);
std::string to_csv(const Table& table);       // RFC 4180
std::string to_markdown(const Table& table);  // GitHub's pipe tables

// Numbers as the tables print them: "77.6", "+2.5", "[-3.9, +8.6]", "1-7"; "-" for nothing.
std::string fixed(std::optional<double> value, int digits = 1);
std::string with_sign(std::optional<double> value, int digits = 1);
std::string interval(const std::optional<stats::Interval>& ci, int digits = 1);
std::string signed_interval(const std::optional<stats::Interval>& ci, int digits = 1);
// All digits that a double needs, for records that a program reads; "" for nothing.
std::string exact(std::optional<double> value);

}  // namespace plumb::report
