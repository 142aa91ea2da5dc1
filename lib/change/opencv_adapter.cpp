/* SPDX-License-Identifier: GPL-3.0-or-later */
// cvEigenVV takes symmetric matrices only; IR-MAD whitens its generalised problem before it comes
// here. When OpenCV 5 drops the C API, this file changes and no other.
#include <opencv2/core/core_c.h>
#include <opencv2/core/utility.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "change/opencv_adapter.h"

const char *tally_opencv_version(void)
{
    try {
        static const std::string version = cv::getVersionString();
        return version.c_str();
    } catch (...) {
        return "";
    }
}

bool tally_eigen_symmetric(const double *a, int n, double *values, double *vectors)
{
    enum { MOST = 32 };
    double copy[MOST * MOST];

    if (n < 1 || n > MOST) return false;
    std::copy(a, a + n * n, copy); // it is overwritten
    try {
        CvMat matrix = cvMat(n, n, CV_64FC1, copy);
        CvMat out_vectors = cvMat(n, n, CV_64FC1, vectors);
        CvMat out_values = cvMat(n, 1, CV_64FC1, values);
        cvEigenVV(&matrix, &out_vectors, &out_values, 0.0, -1, -1);
    } catch (...) {
        return false;
    }
    return true;
}

bool tally_two_means(const float *points, int n, int dims, double *centres)
{
    if (n < 2 || dims < 1 || dims > 32) return false;
    try {
        std::vector<int> label(static_cast<size_t>(n));
        float centre[2 * 32];
        CvMat samples = cvMat(n, dims, CV_32FC1, const_cast<float *>(points));
        CvMat labels = cvMat(n, 1, CV_32SC1, label.data());
        CvMat middles = cvMat(2, dims, CV_32FC1, centre);
        CvRNG rng = cvRNG(20090401); // its own seed, so that a call does not depend on earlier ones
        cvKMeans2(&samples, 2, &labels,
                  cvTermCriteria(CV_TERMCRIT_ITER | CV_TERMCRIT_EPS, 100, 1e-4), 4, &rng, 0,
                  &middles, nullptr);
        std::copy(centre, centre + 2 * dims, centres);
    } catch (...) {
        return false;
    }
    return true;
}
