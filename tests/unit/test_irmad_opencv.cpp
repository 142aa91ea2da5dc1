/* SPDX-License-Identifier: GPL-3.0-or-later */
// IR-MAD written a second time, by another way: canonical correlations as the singular values of
// U'V, where U and V are orthonormal bases of the weighted images (Bjorck and Golub 1973), and the
// chi-square tail by the series of the incomplete gamma function. Both have to agree to 1e-6.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include <opencv2/core.hpp>

using std::atomic_int; // context.h is C: its <stdatomic.h> is empty in C++17
extern "C" {
#include "change/irmad.h"
}

static int failures = 0;

static double chi_square_tail(double x, int k)
{
    const double a = 0.5 * k, z = 0.5 * x;
    double term = 1.0 / a, sum = term;
    if (z > 200.0) return 0.0;
    for (int i = 1; i < 2000 && term > 1e-17 * sum; i++) {
        term *= z / (a + i);
        sum += term;
    }
    return std::fmax(1.0 - sum * std::exp(a * std::log(z) - z - std::lgamma(a)), 0.0);
}

// Rows of unit variance a' from columns of x that are weighted by w and free of their mean.
struct side {
    cv::Mat basis, to_columns, centred;
    side(const cv::Mat &x, const cv::Mat &w)
    {
        const double total = cv::sum(w)[0];
        cv::Mat root, mean = (w.t() * x) / total;
        cv::sqrt(w / total, root);
        centred = x - cv::repeat(mean, x.rows, 1);
        cv::Mat scaled = centred.mul(cv::repeat(root, 1, x.cols)), s, vt;
        cv::SVD::compute(scaled, s, basis, vt);
        cv::Mat inverse = cv::Mat::zeros(x.cols, x.cols, CV_64F);
        for (int i = 0; i < x.cols; i++)
            inverse.at<double>(i, i) = 1.0 / s.at<double>(i);
        to_columns = vt.t() * inverse;
    }
};

static std::vector<double> oracle(const cv::Mat &x, const cv::Mat &y, cv::Mat *chi_square)
{
    const int n = x.cols;
    std::vector<double> rho(n), before(n, 0.0);
    cv::Mat w = cv::Mat::ones(x.rows, 1, CV_64F);
    for (int round = 0; round < 30; round++) {
        const side u(x, w), v(y, w);
        cv::Mat s, left, right_t;
        cv::SVD::compute(u.basis.t() * v.basis, s, left, right_t);
        const cv::Mat a = u.centred * u.to_columns * left,
                      b = v.centred * v.to_columns * right_t.t();
        double moved = 0.0;
        *chi_square = cv::Mat::zeros(x.rows, 1, CV_64F);
        for (int i = 0; i < n; i++) {
            rho[i] = s.at<double>(i);
            moved = std::fmax(moved, std::fabs(rho[i] - before[i]));
            const cv::Mat d = a.col(i) - b.col(i);
            *chi_square += d.mul(d) / (2.0 * (1.0 - rho[i]));
        }
        for (int i = 0; i < x.rows; i++)
            w.at<double>(i) = chi_square_tail(chi_square->at<double>(i), n);
        if (moved < 1e-3) break;
        before = rho;
    }
    return rho;
}

static void compare(int bands, unsigned seed)
{
    const int n = 6000;
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    cv::Mat x(n, bands, CV_64F), y(n, bands, CV_64F);
    std::vector<std::vector<float>> keep;
    tally_columns columns = {};
    tally_score score = {};

    for (int i = 0; i < n; i++) {
        double ground[8];
        for (int k = 0; k < bands; k++)
            ground[k] = normal(random);
        for (int b = 0; b < bands; b++) {
            double level = 100.0 + 10.0 * b, later = 90.0 - 5.0 * b;
            for (int k = 0; k < bands; k++) {
                level += (3.0 + (b * 7 + k * 3) % 5) * ground[k];
                later += (2.0 + (b * 3 + k * 5) % 7) * ground[k];
            }
            // every tenth pixel is another ground
            x.at<double>(i, b) = static_cast<float>(level + (1.0 + b) * normal(random));
            y.at<double>(i, b) = static_cast<float>(later + (1.5 + 0.5 * b) * normal(random) +
                                                    (i % 10 == 0 ? 30.0 * normal(random) : 0.0));
        }
    }
    columns.bands = score.bands = bands;
    columns.n = n;
    keep.reserve(2 * bands);
    for (int side = 0; side < 2; side++) {
        for (int b = 0; b < bands; b++) {
            keep.emplace_back(n);
            for (int i = 0; i < n; i++)
                keep.back()[i] = static_cast<float>((side ? y : x).at<double>(i, b));
            (side ? columns.after : columns.before)[b] = keep.back().data();
        }
    }
    double rho[8];
    cv::Mat chi_square;
    tally_error err;
    if (tally_irmad_learn(&score, &columns, rho, &err) != TALLY_OK) {
        std::fprintf(stderr, "%d bands: %s\n", bands, err.message);
        failures++;
        return;
    }
    const std::vector<double> wanted = oracle(x, y, &chi_square);
    for (int b = 0; b < bands; b++) {
        if (std::fabs(rho[b] - wanted[b]) < 1e-6) continue;
        std::fprintf(stderr, "%d bands: correlation %d is %.9f, oracle %.9f\n", bands, b, rho[b],
                     wanted[b]);
        failures++;
    }
    // the scores are those of the oracle, all times one factor
    double ratio = 0.0;
    for (int i = 0; i < n; i += 97) {
        double total = 0.0;
        for (int k = 0; k < bands; k++) {
            double z = score.c[k];
            for (int b = 0; b < bands; b++)
                z += static_cast<double>(score.p[k][b]) * x.at<double>(i, b) +
                     static_cast<double>(score.q[k][b]) * y.at<double>(i, b);
            total += z * z;
        }
        const double here = total / chi_square.at<double>(i);
        if (ratio > 0.0 && std::fabs(here / ratio - 1.0) > 2e-3) {
            std::fprintf(stderr, "%d bands: pixel %d scores %.5f of the oracle, others %.5f\n",
                         bands, i, here, ratio);
            failures++;
        }
        if (!(ratio > 0.0)) ratio = here;
    }
}

int main()
{
    for (int bands = 1; bands <= 7; bands++)
        compare(bands, 40u + static_cast<unsigned>(bands));
    return failures ? 1 : 0;
}
