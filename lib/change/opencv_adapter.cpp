/* SPDX-License-Identifier: GPL-3.0-or-later */
// cvEigenVV takes symmetric matrices only; IR-MAD whitens its generalised problem before it comes
// here. When OpenCV 5 drops the C API, this file changes and no other.
#include <opencv2/core/core_c.h>

#include <algorithm>

#include "change/opencv_adapter.h"

bool tally_eigen_symmetric(const double *a, int n, double *values, double *vectors)
{
    enum { MOST = 16 };
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
