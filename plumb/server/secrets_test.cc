#include "plumb/server/secrets.h"

#include <gtest/gtest.h>

#include <set>

namespace plumb::server {
namespace {

constexpr PasswordCost kCheap{1, std::size_t{8} << 10};

TEST(Secrets, AHashIsArgon2idWithItsCostAndFitsItsPasswordAlone) {
  const auto hash = hash_password("correct horse battery", kCheap);
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << *hash;
  EXPECT_TRUE(verify_password("correct horse battery", *hash, kCheap));
  EXPECT_FALSE(verify_password("correct horse batterz", *hash, kCheap));
  EXPECT_NE(*hash, *hash_password("correct horse battery", kCheap)) << "salted";
  EXPECT_FALSE(needs_rehash(*hash, kCheap));
  EXPECT_TRUE(needs_rehash(*hash, {2, std::size_t{8} << 10}));
}

TEST(Secrets, TheDefaultCostIsAboveWhatIsRecommended) {
  EXPECT_GE(PasswordCost{}.memory_bytes, std::size_t{19} << 20);  // OWASP's least for t = 2
  EXPECT_GE(PasswordCost{}.passes, 2U);
}

TEST(Secrets, NoPasswordFitsNoHash) {
  EXPECT_FALSE(verify_password("anything at all", "", kCheap));
  EXPECT_FALSE(verify_password("anything at all", "not a hash", kCheap));
  EXPECT_FALSE(hash_password("short", kCheap));
  EXPECT_FALSE(hash_password(std::string(1001, 'x'), kCheap));
}

TEST(Secrets, TokensAreLongAndDifferent) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = *random_token();
    EXPECT_EQ(token.size(), 43U);
    EXPECT_TRUE(seen.insert(token).second);
    EXPECT_TRUE(seen.insert(*random_password()).second);
  }
  EXPECT_EQ(random_password()->size(), 20U);
  EXPECT_EQ(token_hash("abc").size(), 64U);
}

}  // namespace
}  // namespace plumb::server
