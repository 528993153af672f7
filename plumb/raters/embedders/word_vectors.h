// Files of static word vectors, read in one streaming pass that keeps only the words asked for: a
// file of gigabytes needs memory for the kept rows and one line.
//
//   PLUMB_TRY(vectors, read_word_vectors("glove.6B.100d.txt", {"cat", "dog"}, {}));
//   vectors.row(vectors.places.at("cat"));   // [100]
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"

namespace plumb::raters {

struct WordVectors {
  std::size_t dimension = 0;
  std::unordered_map<std::string, std::uint32_t> places;  // word -> row
  std::vector<float> values;                              // [rows, dimension]
  std::vector<std::uint64_t> order;  // [rows] where in the file the word stands, from 0
  std::uint64_t words_in_file = 0;
  std::string format;  // "text" or "word2vec binary"
  std::string sha256;  // of the file

  std::span<const float> row(std::size_t place) const {
    return std::span(values).subspan(place * dimension, dimension);
  }
};

// A file whose name ends in .bin or .bin.gz is word2vec's binary format: a line "COUNT DIMENSION",
// then for each word its bytes, a blank and DIMENSION little-endian floats. Anything else is text:
// a word and its numbers a line, separated by blanks (or tabs, where the first line has one), with
// or without a first line "COUNT DIMENSION". Either may be packed by gzip. Of two lines of one word
// the first counts.
//
// kBadInput, with the file and the line (binary: the word's number): fewer numbers than the
// dimension, a number that is none or not finite, more or fewer words than the first line says, an
// empty file, a gzip file cut short. A line whose word was not asked for is checked for its count
// of numbers alone.
Result<WordVectors> read_word_vectors(const std::filesystem::path& path,
                                      const std::unordered_set<std::string>& wanted,
                                      const Progress& progress);

}  // namespace plumb::raters
