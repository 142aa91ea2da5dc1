/* SPDX-License-Identifier: GPL-3.0-or-later */
// A third labelling and a second morphology, written by others: OpenCV's C++ functions as the
// oracle.
#include <atomic>
#include <cstdio>

#include <opencv2/imgproc.hpp>

using std::atomic_int; // context.h is C: its <stdatomic.h> is empty in C++17
extern "C" {
#include "change/blobs.h"
}
#include "unit/random_mask.h"

static int failures = 0;

static void check(bool ok, const char *what, int round)
{
    if (ok) return;
    std::fprintf(stderr, "round %d: %s differs from OpenCV\n", round, what);
    failures++;
}

static cv::Mat to_mat(const tally_bits &bits)
{
    cv::Mat mat(bits.height, bits.width, CV_8U);
    for (int y = 0; y < bits.height; y++) {
        for (int x = 0; x < bits.width; x++)
            mat.at<uchar>(y, x) = tally_bits_get(&bits, x, y) ? 255 : 0;
    }
    return mat;
}

static void labels(const tally_kernels *k, const tally_bits &bits, int round)
{
    cv::Mat label, stats, centres;
    const int n = cv::connectedComponentsWithStats(to_mat(bits), label, stats, centres, 8);
    tally_blobs blobs;

    if (tally_blobs_label(k, &bits, 1, &blobs, nullptr) != TALLY_OK) {
        check(false, "labelling", round);
        return;
    }
    check(blobs.n == static_cast<size_t>(n - 1), "the number of blobs", round);
    for (size_t i = 0; i < blobs.n; i++) {
        const tally_blob &b = blobs.blobs[i];
        const tally_span first = blobs.runs[b.first_run];
        const int l = label.at<int>(first.y, first.x0);
        check(stats.at<int>(l, cv::CC_STAT_AREA) == b.area, "an area", round);
        check(stats.at<int>(l, cv::CC_STAT_LEFT) == b.box.x0, "a left edge", round);
        check(stats.at<int>(l, cv::CC_STAT_TOP) == b.box.y0, "a top edge", round);
        check(stats.at<int>(l, cv::CC_STAT_WIDTH) == tally_box_width(b.box), "a width", round);
        check(std::abs(centres.at<double>(l, 0) + 0.5 - b.cx) < 1e-6, "a centroid", round);
        check(std::abs(centres.at<double>(l, 1) + 0.5 - b.cy) < 1e-6, "a centroid", round);
        std::vector<cv::Point2f> corners;
        for (size_t r = 0; r < b.n_runs; r++) {
            const tally_span run = blobs.runs[b.first_run + r];
            for (int c = 0; c < 4; c++)
                corners.emplace_back(static_cast<float>(c % 2 ? run.x1 : run.x0),
                                     static_cast<float>(run.y + c / 2));
        }
        const cv::RotatedRect theirs = cv::minAreaRect(corners);
        tally_rect ours;
        check(tally_blob_rect(&blobs, i, &ours), "a rectangle", round);
        check(ours.length * ours.width <= theirs.size.area() * 1.001 + 1e-3,
              "the area of a rectangle", round);
        check(ours.length * ours.width >= theirs.size.area() * 0.98 - 1e-3,
              "the area of a rectangle", round);
    }
    tally_blobs_fini(&blobs);
}

static void morphology(const tally_kernels *k, tally_bits &bits, int rx, int ry, int round)
{
    const cv::Mat before = to_mat(bits), element = cv::Mat::ones(2 * ry + 1, 2 * rx + 1, CV_8U);
    cv::Mat expected;

    if (round % 2) {
        cv::erode(before, expected, element, cv::Point(-1, -1), 1, cv::BORDER_CONSTANT,
                  cv::Scalar(0));
        check(tally_bits_erode(k, &bits, rx, ry, nullptr) == TALLY_OK, "erosion", round);
    } else {
        cv::dilate(before, expected, element, cv::Point(-1, -1), 1, cv::BORDER_CONSTANT,
                   cv::Scalar(0));
        check(tally_bits_dilate(k, &bits, rx, ry, nullptr) == TALLY_OK, "dilation", round);
    }
    check(cv::countNonZero(expected != to_mat(bits)) == 0, "morphology", round);
}

int main()
{
    const tally_kernels *k = tally_kernels_select(tally_cpu_flags());
    tally_rng rng = { 2718 };

    for (int round = 0; round < 40; round++) {
        tally_bits bits;
        const int width = 1 + static_cast<int>(tally_rng_next(&rng) % 300), height = 1 + round * 3;
        if (tally_bits_init(&bits, width, height, nullptr) != TALLY_OK) return 1;
        random_mask(&rng, &bits, static_cast<unsigned>(round % 14), round);
        labels(k, bits, round);
        morphology(k, bits, round % 5, round % 4, round);
        tally_bits_fini(&bits);
    }
    return failures ? 1 : 0;
}
