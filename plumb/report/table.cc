#include "plumb/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "plumb/text/csv.h"

namespace plumb::report {
namespace {

// Code points; none of our tables holds wide or combining ones.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t columns, Align align) {
  const std::string blanks(columns - std::min(columns, width(text)), ' ');
  return align == Align::kLeft ? text + blanks : blanks + text;
}

std::vector<std::string> titles(const Table& table) {
  std::vector<std::string> row;
  for (const Column& column : table.columns) row.push_back(column.title);
  return row;
}

std::vector<std::size_t> widths(const Table& table) {
  std::vector<std::size_t> columns(table.columns.size(), 0);
  const auto widen = [&columns](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) columns[i] = std::max(columns[i], width(row[i]));
  };
  widen(titles(table));
  std::ranges::for_each(table.rows, widen);
  return columns;
}

std::string markdown_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

}  // namespace

std::string to_terminal(const Table& table, bool bold) {
  const std::vector<std::size_t> columns = widths(table);
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += "  ";
      text += padded(row[i], columns[i], table.columns[i].align);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text = line(titles(table));
  if (bold) text = fmt::format("\033[1m{}\033[0m", text);
  text += '\n';
  for (const auto& row : table.rows) {
    text += line(row);
    text += '\n';
  }
  return text;
}

std::string to_csv(const Table& table) {
  std::string text;
  append_csv_row(text, titles(table));
  for (const auto& row : table.rows) append_csv_row(text, row);
  return text;
}

std::string to_markdown(const Table& table) {
  const auto line = [](const std::vector<std::string>& row) {
    std::string text = "|";
    for (const std::string& cell : row) text += fmt::format(" {} |", markdown_cell(cell));
    text += '\n';
    return text;
  };
  std::string text = line(titles(table)) + "|";
  for (const Column& column : table.columns) {
    text += column.align == Align::kLeft ? " --- |" : " ---: |";
  }
  text += "\n";
  for (const auto& row : table.rows) text += line(row);
  return text;
}

std::string fixed(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string with_sign(std::optional<double> value, int digits) {
  return value ? fmt::format("{:+.{}f}", *value, digits) : "-";
}

std::string interval(const std::optional<stats::Interval>& ci, int digits) {
  return ci ? fmt::format("[{:.{}f}, {:.{}f}]", ci->low, digits, ci->high, digits) : "-";
}

std::string signed_interval(const std::optional<stats::Interval>& ci, int digits) {
  return ci ? fmt::format("[{:+.{}f}, {:+.{}f}]", ci->low, digits, ci->high, digits) : "-";
}

std::string exact(std::optional<double> value) { return value ? fmt::format("{}", *value) : ""; }

}  // namespace plumb::report
