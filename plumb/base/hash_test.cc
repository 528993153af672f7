#include "plumb/base/hash.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

// FIPS 180-4, examples of the standard.
TEST(Sha256, EqualsTheStandardsExamples) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, IsTheSameOfTheParts) {
  Sha256 hash;
  hash.add("a");
  hash.add("");
  hash.add("bc");
  EXPECT_EQ(hash.hex(), sha256("abc"));
}

// By a SipHash-2-4 written out in Python, which gives the example of the paper's appendix A.
TEST(Checksum, IsSipHash) {
  EXPECT_EQ(checksum("abc"), 0x3fc884964770eedeU);
  EXPECT_EQ(checksum(std::string(100, 'x')), 0xf22cf540b9a51e86U);
}

TEST(Checksum, ChangesWithEveryBit) {
  const std::string bytes(100, 'x');
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum(damaged), checksum(bytes));
  }
  EXPECT_EQ(checksum(bytes), checksum(std::string(100, 'x')));
  EXPECT_NE(checksum(bytes), checksum(std::string(101, 'x')));
}

}  // namespace
}  // namespace plumb
