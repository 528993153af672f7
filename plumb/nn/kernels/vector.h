// Vectors of floats as the compiler knows them, of the width that the including source is compiled
// for. Only kernels_*.cc include this. Nothing from the standard library with a body may be used
// here: the linker would keep one copy of it, perhaps that of an instruction set the machine lacks.
#pragma once

#if defined(__SSE__)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

namespace plumb::nn::PLUMB_ISA {

#if defined(__AVX512F__)
constexpr std::size_t kLanes = 16;
constexpr std::size_t kTileVectors = 4;  // of a row of a product's register tile
#elif defined(__AVX2__)
constexpr std::size_t kLanes = 8;
constexpr std::size_t kTileVectors = 2;
#else
constexpr std::size_t kLanes = 4;
constexpr std::size_t kTileVectors = 2;
#endif
constexpr std::size_t kPanel = kTileVectors * kLanes;

template <std::size_t L>
struct VectorOf {
  using Float [[gnu::vector_size(4 * L)]] = float;
  using Int [[gnu::vector_size(4 * L)]] = std::int32_t;
};
template <>
struct VectorOf<1> {
  using Float = float;
  using Int = std::int32_t;
};
using Vector = VectorOf<kLanes>::Float;
using Ints = VectorOf<kLanes>::Int;

template <typename V = Vector>
inline V load(const float* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof(V));
  return v;
}

template <typename V>
inline void store(float* to, V v) {
  __builtin_memcpy(to, &v, sizeof(V));
}

template <typename V = Vector>
inline V broadcast(float x) {
  return x - V{};
}

template <typename To, typename From>
inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

inline float root(float x) { return __builtin_sqrtf(x); }
#if defined(__AVX512F__)
inline Vector larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }
inline Vector smaller(Vector a, Vector b) { return _mm512_min_ps(a, b); }
inline Vector root(Vector x) { return _mm512_sqrt_ps(x); }
#elif defined(__AVX2__)
inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
inline Vector smaller(Vector a, Vector b) { return _mm256_min_ps(a, b); }
inline Vector root(Vector x) { return _mm256_sqrt_ps(x); }
#else
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }
inline Vector smaller(Vector a, Vector b) { return a < b ? a : b; }
inline Vector root(Vector x) {
  for (std::size_t i = 0; i < kLanes; ++i) x[i] = root(x[i]);
  return x;
}
#endif

// The sum and the largest of the lanes, by halves.
#if defined(__SSE__)
inline float sum_lanes(__m128 v) {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
inline float max_lanes(__m128 v) {
  v = _mm_max_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps(v, v, 1)));
}
#if defined(__AVX2__)
inline float sum_lanes(__m256 v) {
  return sum_lanes(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
inline float max_lanes(__m256 v) {
  return max_lanes(_mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
#endif
#if defined(__AVX512F__)
inline float sum_lanes(__m512 v) { return _mm512_reduce_add_ps(v); }
inline float max_lanes(__m512 v) { return _mm512_reduce_max_ps(v); }
#endif
#else
inline float sum_lanes(Vector v) { return (v[0] + v[2]) + (v[1] + v[3]); }
inline float max_lanes(Vector v) {
  const float even = v[0] > v[2] ? v[0] : v[2], odd = v[1] > v[3] ? v[1] : v[3];
  return even > odd ? even : odd;
}
#endif

// Loads and stores of a part of a vector: the other lanes are `fill`, and are not written.
#if defined(__AVX512F__)
inline __mmask16 first_lanes(std::size_t count) {
  return static_cast<__mmask16>((1U << count) - 1U);
}
inline Vector load_part(const float* from, std::size_t count, float fill = 0) {
  return _mm512_mask_loadu_ps(broadcast(fill), first_lanes(count), from);
}
inline void store_part(float* to, Vector v, std::size_t count) {
  _mm512_mask_storeu_ps(to, first_lanes(count), v);
}
#else
inline Vector load_part(const float* from, std::size_t count, float fill = 0) {
  Vector v = broadcast(fill);
  __builtin_memcpy(&v, from, count * sizeof(float));
  return v;
}
inline void store_part(float* to, Vector v, std::size_t count) {
  __builtin_memcpy(to, &v, count * sizeof(float));
}
#endif

// exp near 0 (Cephes expf).
inline Vector exp_of_rest(Vector r) {
  Vector p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  return p * (r * r) + r + 1.0F;
}

// exp to 2 units in the last place; 0 below -87.3, about 1e38 above 88.
inline Vector exp(Vector x) {
  constexpr float kLow = -87.3F, kHigh = 88.0F, kMagic = 12582912.0F;  // 1.5 * 2^23
  const Vector clamped = smaller(larger(x, broadcast(kLow)), broadcast(kHigh));
  const Vector shifted = clamped * 1.44269504F + kMagic;
  const Vector n = shifted - kMagic;
  const Vector r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  const Ints power = bits<Ints>(shifted) << 23;
  const Vector result = bits<Vector>(bits<Ints>(exp_of_rest(r)) + power);
  return x < broadcast(kLow) ? Vector{} : result;
}

// exp of what is not above 0, in fewer steps where the instruction set has them.
inline Vector exp_below(Vector x) {
#if defined(__AVX512F__)
  constexpr float kLow = -104.0F;  // whose exp is less than half the least float
  const Vector clamped = larger(x, broadcast(kLow));
  const Vector n = _mm512_roundscale_ps(clamped * 1.44269504F, 0);
  const Vector r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  return _mm512_scalef_ps(exp_of_rest(r), n);
#else
  return exp(x);
#endif
}

inline Vector sigmoid(Vector x) { return 1.0F / (1.0F + exp(-x)); }

inline Vector tanh(Vector x) { return 1.0F - 2.0F / (exp(2.0F * x) + 1.0F); }

// erf(x / sqrt(2)) to 1.5e-7 (Abramowitz and Stegun 7.1.26), and density = exp(-x^2 / 2).
inline Vector erf_of_root_half(Vector x, Vector& density) {
  density = exp(-0.5F * x * x);
  const Vector magnitude = x < Vector{} ? -x : x;
  const Vector t = 1.0F / (1.0F + (0.3275911F * 0.70710678F) * magnitude);
  Vector p = t * 1.061405429F - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = (p * t + 0.254829592F) * t;
  const Vector erf = 1.0F - p * density;
  return x < Vector{} ? -erf : erf;
}

}  // namespace plumb::nn::PLUMB_ISA
