// Norms, rotations, activations, and sums.
#pragma once

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/vector.h"

namespace plumb::nn::PLUMB_ISA {

// Calls body(i, load, store) for vectors that cover 0 .. n - 1, whole ones first.
template <typename Body>
inline void each_vector(std::size_t n, const Body& body) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    body(
        i, [i](const float* x) { return load(x + i); },
        [i](float* x, Vector v) { store(x + i, v); });
  }
  if (i == n) return;
  const std::size_t left = n - i;
  body(
      i, [i, left](const float* x) { return load_part(x + i, left); },
      [i, left](float* x, Vector v) { store_part(x + i, v, left); });
}

inline float dot(std::size_t n, const float* x, const float* y) {
  Vector sum{};
  each_vector(n, [&](std::size_t, auto get, auto) { sum += get(x) * get(y); });
  return sum_lanes(sum);
}

inline void rms_norm(Rows shape, const float* x, const float* gain, float epsilon, float* out,
                     float* inverse) {
  const std::size_t n = shape.width;
  for (std::size_t row = 0; row < shape.rows; ++row, x += n, out += n) {
    const float scale = 1.0F / root(dot(n, x, x) / static_cast<float>(n) + epsilon);
    inverse[row] = scale;
    each_vector(n, [&](std::size_t, auto get, auto put) { put(out, get(x) * scale * get(gain)); });
  }
}

// With y = x r, r = 1 / rms: d_x = r (g d - y mean(g d y)).
inline void rms_norm_backward(Rows shape, const float* x, const float* gain, const float* inverse,
                              const float* d_out, float* d_x, float* d_gain) {
  const std::size_t n = shape.width;
  for (std::size_t row = 0; row < shape.rows; ++row, x += n, d_out += n, d_x += n) {
    const float r = inverse[row];
    Vector sum{};
    each_vector(n, [&](std::size_t, auto get, auto put) {
      const Vector d = get(d_out), v = get(x);
      sum += d * get(gain) * v;
      put(d_gain, get(d_gain) + d * v * r);
    });
    const float mean = sum_lanes(sum) * r * r * r / static_cast<float>(n);
    each_vector(n, [&](std::size_t, auto get, auto put) {
      put(d_x, get(d_x) + get(d_out) * get(gain) * r - get(x) * mean);
    });
  }
}

inline void layer_norm(Rows shape, const float* x, const float* gain, const float* bias,
                       float epsilon, float* out, float* mean, float* inverse) {
  const std::size_t n = shape.width;
  const float count = static_cast<float>(n);
  for (std::size_t row = 0; row < shape.rows; ++row, x += n, out += n) {
    Vector sum{};
    each_vector(n, [&](std::size_t, auto get, auto) { sum += get(x); });
    const float middle = sum_lanes(sum) / count;
    float squares = 0;
    {
      Vector total{};
      std::size_t i = 0;
      for (; i + kLanes <= n; i += kLanes) {
        const Vector v = load(x + i) - middle;
        total += v * v;
      }
      squares = sum_lanes(total);
      for (; i < n; ++i) squares += (x[i] - middle) * (x[i] - middle);
    }
    const float scale = 1.0F / root(squares / count + epsilon);
    mean[row] = middle;
    inverse[row] = scale;
    each_vector(n, [&](std::size_t, auto get, auto put) {
      put(out, (get(x) - middle) * scale * get(gain) + get(bias));
    });
  }
}

// With y = (x - mean) r: d_x = r (g d - mean(g d) - y mean(g d y)).
inline void layer_norm_backward(Rows shape, const float* x, const float* gain, const float* mean,
                                const float* inverse, const float* d_out, float* d_x, float* d_gain,
                                float* d_bias) {
  const std::size_t n = shape.width;
  const float count = static_cast<float>(n);
  for (std::size_t row = 0; row < shape.rows; ++row, x += n, d_out += n, d_x += n) {
    const float r = inverse[row], middle = mean[row];
    Vector sum{}, weighted{};
    each_vector(n, [&](std::size_t, auto get, auto put) {
      const Vector d = get(d_out), y = (get(x) - middle) * r, g = d * get(gain);
      sum += g;  // lanes past the row have g = 0
      weighted += g * y;
      put(d_gain, get(d_gain) + d * y);
      put(d_bias, get(d_bias) + d);
    });
    const float mean_g = sum_lanes(sum) / count, mean_gy = sum_lanes(weighted) / count;
    each_vector(n, [&](std::size_t, auto get, auto put) {
      const Vector y = (get(x) - middle) * r;
      put(d_x, get(d_x) + (get(d_out) * get(gain) - mean_g - y * mean_gy) * r);
    });
  }
}

inline void rotate(Rows shape, float* x, std::size_t heads, std::size_t head_width,
                   std::size_t rotary, const std::uint32_t* positions, const float* cosine,
                   const float* sine, bool backward) {
  const std::size_t half = rotary / 2;
  const float sign = backward ? -1.0F : 1.0F;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const float* c = cosine + positions[row] * half;
    const float* s = sine + positions[row] * half;
    for (std::size_t head = 0; head < heads; ++head) {
      float* a = x + row * shape.width + head * head_width;
      float* b = a + half;
      for (std::size_t i = 0; i < half; ++i) {
        const float first = a[i], second = b[i];
        a[i] = first * c[i] - second * (sign * s[i]);
        b[i] = second * c[i] + first * (sign * s[i]);
      }
    }
  }
}

// The value and the derivative of an activation.
template <Activation kind>
inline Vector activation(Vector x, Vector& derivative) {
  if constexpr (kind == Activation::kSilu) {
    const Vector s = sigmoid(x);
    derivative = s * (1.0F + x * (1.0F - s));
    return x * s;
  } else if constexpr (kind == Activation::kGeluTanh) {
    constexpr float kRoot = 0.79788456F, kCubic = 0.044715F;  // sqrt(2 / pi)
    const Vector t = tanh(kRoot * (x + kCubic * x * x * x));
    derivative =
        0.5F * (1.0F + t) + 0.5F * x * (1.0F - t * t) * kRoot * (1.0F + 3.0F * kCubic * x * x);
    return 0.5F * x * (1.0F + t);
  } else if constexpr (kind == Activation::kGeluErf) {
    constexpr float kInverseRoot = 0.39894228F;  // 1 / sqrt(2 pi)
    Vector density;
    const Vector cumulative = 0.5F * (1.0F + erf_of_root_half(x, density));
    derivative = cumulative + x * density * kInverseRoot;
    return x * cumulative;
  } else {
    derivative = x > Vector{} ? broadcast(1.0F) : Vector{};
    return larger(x, Vector{});
  }
}

template <Activation kind>
inline void activate_rows(bool gated, Rows shape, const float* in, float* out) {
  const std::size_t n = shape.width, in_row = gated ? 2 * n : n;
  for (std::size_t row = 0; row < shape.rows; ++row, in += in_row, out += n) {
    each_vector(n, [&](std::size_t, auto get, auto put) {
      Vector unused;
      const Vector value = activation<kind>(get(in), unused);
      put(out, gated ? value * get(in + n) : value);
    });
  }
}

template <Activation kind>
inline void activate_rows_backward(bool gated, Rows shape, const float* in, const float* d_out,
                                   float* d_in) {
  const std::size_t n = shape.width, in_row = gated ? 2 * n : n;
  for (std::size_t row = 0; row < shape.rows; ++row, in += in_row, d_in += in_row, d_out += n) {
    each_vector(n, [&](std::size_t, auto get, auto put) {
      Vector derivative;
      const Vector value = activation<kind>(get(in), derivative);
      const Vector d = get(d_out);
      if (gated) put(d_in + n, d * value);
      put(d_in, gated ? d * get(in + n) * derivative : d * derivative);
    });
  }
}

inline void activate(Activation kind, bool gated, Rows shape, const float* in, float* out) {
  switch (kind) {
    case Activation::kSilu:
      return activate_rows<Activation::kSilu>(gated, shape, in, out);
    case Activation::kGeluTanh:
      return activate_rows<Activation::kGeluTanh>(gated, shape, in, out);
    case Activation::kGeluErf:
      return activate_rows<Activation::kGeluErf>(gated, shape, in, out);
    case Activation::kRelu:
      return activate_rows<Activation::kRelu>(gated, shape, in, out);
  }
}

inline void activate_backward(Activation kind, bool gated, Rows shape, const float* in,
                              const float* d_out, float* d_in) {
  switch (kind) {
    case Activation::kSilu:
      return activate_rows_backward<Activation::kSilu>(gated, shape, in, d_out, d_in);
    case Activation::kGeluTanh:
      return activate_rows_backward<Activation::kGeluTanh>(gated, shape, in, d_out, d_in);
    case Activation::kGeluErf:
      return activate_rows_backward<Activation::kGeluErf>(gated, shape, in, d_out, d_in);
    case Activation::kRelu:
      return activate_rows_backward<Activation::kRelu>(gated, shape, in, d_out, d_in);
  }
}

inline float highest(std::size_t n, const float* x) {
  constexpr float kLowest = -3.0e38F;
  Vector high = broadcast(kLowest);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) high = larger(high, load(x + i));
  if (i < n) high = larger(high, load_part(x + i, n - i, kLowest));
  return max_lanes(high);
}

// logits -> probabilities; the sum of exp(logits - high).
inline float soften_row(std::size_t n, float high, float* logits) {
  Vector sum{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vector e = exp(load(logits + i) - high);
    store(logits + i, e);
    sum += e;
  }
  if (i < n) {
    const Vector e = exp(load_part(logits + i, n - i, -3.0e38F) - high);
    store_part(logits + i, e, n - i);
    sum += e;
  }
  const float total = sum_lanes(sum), inverse = 1.0F / total;
  each_vector(n, [&](std::size_t, auto get, auto put) { put(logits, get(logits) * inverse); });
  return total;
}

inline float softmax(std::size_t n, float* logits) {
  const float high = highest(n, logits);
  return high + __builtin_logf(soften_row(n, high, logits));
}

inline float entropy(std::size_t n, const float* logits, float log_sum) {
  Vector sum{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vector below = log_sum - load(logits + i);
    sum += exp(-below) * below;
  }
  if (i < n) {
    const Vector below = log_sum - load_part(logits + i, n - i, -1000.0F);
    sum += exp(-below) * below;
  }
  return sum_lanes(sum);
}

inline void fill_rows(Rows shape, const float* row, float* out) {
  for (std::size_t i = 0; i < shape.rows; ++i, out += shape.width) {
    __builtin_memcpy(out, row, shape.width * sizeof(float));
  }
}

inline void add(std::size_t n, const float* x, float* sum) {
  each_vector(n, [&](std::size_t, auto get, auto put) { put(sum, get(sum) + get(x)); });
}

inline void add_columns(Rows shape, const float* x, float* sum) {
  for (std::size_t i = 0; i < shape.rows; ++i, x += shape.width) add(shape.width, x, sum);
}

inline void scale(std::size_t n, float factor, float* x) {
  each_vector(n, [&](std::size_t, auto get, auto put) { put(x, get(x) * factor); });
}

inline void axpy(std::size_t n, float a, const float* x, float* y) {
  each_vector(n, [&](std::size_t, auto get, auto put) { put(y, get(y) + a * get(x)); });
}

// Blocks of floats, added in double.
inline double sum_of_squares(std::size_t n, const float* x) {
  constexpr std::size_t kBlock = 1024;
  double sum = 0;
  for (std::size_t i = 0; i < n; i += kBlock) {
    sum += static_cast<double>(dot(n - i < kBlock ? n - i : kBlock, x + i, x + i));
  }
  return sum;
}

inline void adam(const AdamStep& step, std::size_t n, const float* gradient, float* parameter,
                 float* first, float* second) {
  const float keep1 = step.beta1, keep2 = step.beta2;
  const float rate = step.rate / step.correction1, shrink = 1.0F - step.rate * step.decay;
  const float correction2 = 1.0F / step.correction2;
  each_vector(n, [&](std::size_t, auto get, auto put) {
    const Vector g = get(gradient) * step.gradient_scale;
    const Vector m = keep1 * get(first) + (1.0F - keep1) * g;
    const Vector v = keep2 * get(second) + (1.0F - keep2) * (g * g);
    put(first, m);
    put(second, v);
    put(parameter, get(parameter) * shrink - rate * m / (root(v * correction2) + step.epsilon));
  });
}

}  // namespace plumb::nn::PLUMB_ISA
