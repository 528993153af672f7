// Static word vectors: a text is the mean of the vectors of its words, plain or weighted.
//
// The file is read in prepare(), in one pass that keeps the words of the texts alone
// (word_vectors.h). A word is looked up as it is written, then in lower case; words that the file
// does not have count for nothing. A text without a known word is a row of zeros; if no text has
// one, prepare() fails.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "plumb/raters/embedders/embedder.h"
#include "plumb/text/words.h"

namespace plumb::raters {

enum class WordPooling { kMean, kSif };

struct StaticOptions {
  WordRule words = WordRule::kUnicode;
  WordPooling pooling = WordPooling::kMean;

  // Smooth inverse frequency (Arora, Liang and Ma 2017): the mean over the known words of
  // a / (a + p(word)) times the vector. p is the word's share of
  //   "texts"  the words of all distinct texts of the task, in lower case;
  //   "order"  1 / (rank * H): Zipf's law by the word's place in the file, for files sorted by
  //            frequency, as GloVe's and word2vec's are;
  //   a path   a file of lines "WORD COUNT", plain or gzip; a word that it lacks has p = 0.
  double sif_a = 1e-3;
  std::string frequencies = "texts";
  // Takes the first principal component (not centred) of the vectors of all distinct texts away.
  bool remove_component = false;
};

Result<std::unique_ptr<Embedder>> make_static_embedder(const std::filesystem::path& path,
                                                       const StaticOptions& options);

}  // namespace plumb::raters
