// Comparisons of summaries that hold a few numbers of each channel, by float64: package
// pure's ChannelStatistics and CentralMoments. One block of 256 threads each. Cotangents
// are multiplied by *grad.
#include "device.h"

constexpr int statistics_threads = 256;
constexpr double statistics_epsilon = 1e-8;

// Σ target[first + step·c] over the channels.
__device__ inline double sum_over_channels(const double *target, Int first, Int step, Int channels) {
    double sum = 0;
    for (Int c = threadIdx.x; c < channels; c += statistics_threads) sum += target[first + step * c];
    return block_sum<statistics_threads>(sum);
}

__device__ inline double deviation(double mean, double square) { return sqrt(max(square - mean * mean, 0.)); }

// *value = the loss between means and deviations, with its cotangent by the summary.
// summary, target, cotangent: channels means, then channels mean squares. scaled: 1 divides
// by the sum of the target's mean squares.
KERNEL((statistics_threads), statistics_comparison, double *value, double *cotangent, const double *summary,
       const double *target, const double *grad, Int scaled, Int channels) {
    const double squares = sum_over_channels(target, channels, 1, channels);
    const double factor = scaled ? 1 / (squares + statistics_epsilon) : 1;
    double total = 0;
    for (Int c = threadIdx.x; c < channels; c += statistics_threads) {
        double mean = summary[c], sigma = deviation(mean, summary[channels + c]);
        double d_mean = mean - target[c], d_sigma = sigma - deviation(target[c], target[channels + c]);
        total += factor * (d_mean * d_mean + d_sigma * d_sigma);
        // σ = √(square − mean²), so ∂σ/∂square = 1/2σ and ∂σ/∂mean = −mean/σ.
        cotangent[c] = *grad * (2 * factor * (d_mean - (sigma > 0 ? d_sigma * mean / sigma : 0.)));
        cotangent[channels + c] = sigma > 0 ? *grad * (factor * d_sigma / sigma) : 0.;
    }
    total = block_sum<statistics_threads>(total);
    if (threadIdx.x == 0) *value = total;
}

constexpr int orders = 5;

// Row k of Pascal's triangle, element j.
__device__ inline double binomial(int k, int j) {
    double value = 1;
    for (int i = 1; i <= j; i++) value = value * (k - j + i) / i;
    return value;
}

// The moment of an order about a point shift below that which moments 0 … are about, and
// the sum of the magnitudes of its terms.
__device__ inline double shift_moment(const double *moments, int order, double shift, double &magnitude) {
    double moment = 0, power = 1;
    magnitude = 0;
    for (int j = order; j >= 0; j--) {
        double term = binomial(order, j) * moments[j] * power;
        moment += term;
        magnitude += fabs(term);
        power *= shift;
    }
    return moment;
}

// summary (5 of each channel) = the raw moments of orders 1 to 5, from the means
// (channels) and central (4 × channels): the central moments of orders 2 to 5. Any
// one-dimensional grid of blocks of 256 threads.
KERNEL((statistics_threads), raw_moments, double *summary, const double *means, const double *central, Int channels) {
    for (Int c = first_index(); c < channels; c += index_step()) {
        double moments[orders + 1] = {1, 0}, magnitude;
        for (int k = 2; k <= orders; k++) moments[k] = central[(k - 2) * channels + c];
        for (int k = 1; k <= orders; k++) summary[orders * c + k - 1] = shift_moment(moments, k, means[c], magnitude);
    }
}

// Central moments from raw ones. Ones that rounding alone could have made are zero.
__device__ inline void central_moments(double (&central)[orders + 1], const double *raw) {
    double moments[orders + 1] = {1};
    for (int k = 0; k < orders; k++) moments[k + 1] = raw[k];
    central[0] = 1;
    central[1] = 0;
    for (int k = 2; k <= orders; k++) {
        double magnitude, moment = shift_moment(moments, k, -raw[0], magnitude);
        central[k] = fabs(moment) <= 0x1p-47 * magnitude ? 0 : moment;
    }
}

// ρ(c) = c·(c² + δ²ᵏ)^((1/k−1)/2) and its derivative, zero where that is infinite.
__device__ inline double smooth_root(double c, int k, double delta, double &slope) {
    double h = hypot(c, pow(delta, double(k)));
    slope = 0;
    if (h == 0) return 0;
    double exponent = 1. / k - 1, power = pow(h, exponent);
    slope = power * (1 + exponent * (c / h) * (c / h));
    return c * power;
}

// *value = the loss between means and roots of central moments, with its cotangent by the
// summary. summary, target, cotangent: the raw moments of orders 1 to 5 of each channel.
// scaled: 1 divides by the sum of the target's mean squares.
KERNEL((statistics_threads), central_comparison, double *value, double *cotangent, const double *summary,
       const double *target, const double *grad, double smoothing, Int scaled, Int channels) {
    const double least = 1e-2; // what δ is at least, in units of the target's root mean square
    const double squares = sum_over_channels(target, 1, orders, channels);
    const double factor = scaled ? 1 / (squares + statistics_epsilon) : 1;
    const double floor = smoothing > 0 ? least * least * squares / double(channels) : 0;
    double total = 0;
    for (Int c = threadIdx.x; c < channels; c += statistics_threads) {
        const double *raw = summary + orders * c;
        const double mean = raw[0], d_mean = mean - target[orders * c];
        double from[orders + 1], to[orders + 1], slopes[orders] = {}, squared = 0;
        central_moments(from, raw);
        central_moments(to, target + orders * c);
        const double delta = sqrt(smoothing * smoothing * to[2] + floor);
        for (int k = 2; k <= orders; k++) {
            double slope, unused;
            double d = smooth_root(from[k], k, delta, slope) - smooth_root(to[k], k, delta, unused);
            squared += d * d;
            // cₖ = Σ binomial·mⱼ·(−μ)^(k−j), and moving all points moves it by −k·cₖ₋₁.
            slope *= 2 * factor * d;
            double power = 1;
            for (int j = k; j > 0; j--) {
                slopes[j - 1] += slope * binomial(k, j) * power;
                power *= -mean;
            }
            slopes[0] -= slope * k * from[k - 1];
        }
        slopes[0] += 2 * factor * d_mean;
        for (int k = 0; k < orders; k++) cotangent[orders * c + k] = *grad * slopes[k];
        total += factor * (squared + d_mean * d_mean);
    }
    total = block_sum<statistics_threads>(total);
    if (threadIdx.x == 0) *value = total;
}
