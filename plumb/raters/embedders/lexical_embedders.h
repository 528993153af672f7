// Embedders that know no language: they compare the words, or the strings of letters, of texts.
// What a model with knowledge must beat.
#pragma once

#include <cstddef>
#include <memory>

#include "plumb/raters/embedders/embedder.h"
#include "plumb/text/words.h"

namespace plumb::raters {

// TF-IDF as scikit-learn's TfidfVectorizer weighs it by default: the count of a word times
// ln((1 + n) / (1 + df)) + 1, rows of length 1. n and df are counted over the texts of prepare(); a
// word that is not in them has no column. Words are lower-cased (text/words.h).
std::unique_ptr<Embedder> make_tfidf(WordRule rule);

struct Bm25Options {
  double k1 = 1.2;
  double b = 0.75;
};

// BM25 (Robertson and Zaragoza 2009) with the idf of Lucene, as vectors whose dot product it is:
//
//   query     column of word w: qtf(w) * ln(1 + (n - df + 1/2) / (df + 1/2))
//   document  column of word w: tf / (tf + k1 * (1 - b + b * length / mean length))
//
// without the factor k1 + 1, which no ranking depends on (Lucene 8; "Lucene accurate" of Kamphuis
// et al. 2020). n, df and the mean length are counted over the texts of prepare(), queries
// included. A document has one column more, in which queries have 0, that makes all documents
// equally long: so cosine and Euclidean distance rank the documents of a query as the dot product
// does, up to the rounding of a float. A plain text has
// sqrt(idf) * tf / (tf + ...): the dot product of two plain texts is symmetric.
std::unique_ptr<Embedder> make_bm25(const Bm25Options& options, WordRule rule);

// Hashed character n-grams as scikit-learn's HashingVectorizer(analyzer="char_wb",
// ngram_range=(3, 5)) makes them: of each word between blanks, lower-cased, with a blank before and
// behind it; MurmurHash3 of the n-gram gives the column and the sign; rows of length 1. REQUIRES:
// 0 < dimension <= 2^30.
std::unique_ptr<Embedder> make_char_ngrams(std::size_t dimension);

// scikit-learn's own default is 2^20, with which a probe has 16 times as many weights to learn; on
// SIB-200 and three sets of tweets accuracies differ by under 0.01.
inline constexpr std::size_t kCharNgramDimension = 1 << 16;

}  // namespace plumb::raters
