/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FFTW's planner is not safe on several threads, so plans are made under a lock; they are made with
 * the estimating planner, because a measured plan may differ from run to run and with it the last
 * bit of a shift.
 */
#include "align/fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

struct tally_fft {
    int size;
    float *image;
    fftwf_complex *spectrum;
    fftwf_plan forward, inverse;
};

const char *tally_fft_version(void)
{
    return fftwf_version;
}

tally_status tally_fft_create(int size, tally_fft **out, tally_error *err)
{
    *out = NULL;
    if (size < 8 || size > 4096)
        return tally_fail(err, TALLY_E_ARG, "a transform of %d pixels", size);
    tally_fft *fft = tally_alloc(1, sizeof *fft);
    if (!fft) return tally_nomem(err, "a transform");
    fft->size = size;
    fft->image = fftwf_alloc_real((size_t)size * (size_t)size);
    fft->spectrum = fftwf_alloc_complex((size_t)size * (size_t)(size / 2 + 1));
    if (fft->image && fft->spectrum) {
        pthread_mutex_lock(&planner);
        fft->forward = fftwf_plan_dft_r2c_2d(size, size, fft->image, fft->spectrum, FFTW_ESTIMATE);
        fft->inverse = fftwf_plan_dft_c2r_2d(size, size, fft->spectrum, fft->image, FFTW_ESTIMATE);
        pthread_mutex_unlock(&planner);
    }
    if (!fft->forward || !fft->inverse) {
        tally_fft_destroy(&fft);
        return tally_nomem(err, "a transform");
    }
    *out = fft;
    return TALLY_OK;
}

void tally_fft_destroy(tally_fft **fft)
{
    if (!fft || !*fft) return;
    pthread_mutex_lock(&planner);
    if ((*fft)->forward) fftwf_destroy_plan((*fft)->forward);
    if ((*fft)->inverse) fftwf_destroy_plan((*fft)->inverse);
    pthread_mutex_unlock(&planner);
    fftwf_free((*fft)->image);
    fftwf_free((*fft)->spectrum);
    tally_free(*fft);
    *fft = NULL;
}

size_t tally_fft_spectrum_floats(const tally_fft *fft)
{
    return 2 * (size_t)fft->size * (size_t)(fft->size / 2 + 1);
}

void tally_fft_forward(tally_fft *fft, const float *image, float *spectrum)
{
    memcpy(fft->image, image, (size_t)fft->size * (size_t)fft->size * sizeof *image);
    fftwf_execute(fft->forward);
    memcpy(spectrum, fft->spectrum, tally_fft_spectrum_floats(fft) * sizeof *spectrum);
}

void tally_fft_inverse(tally_fft *fft, const float *spectrum, float *image)
{
    memcpy(fft->spectrum, spectrum, tally_fft_spectrum_floats(fft) * sizeof *spectrum);
    fftwf_execute(fft->inverse);
    memcpy(image, fft->image, (size_t)fft->size * (size_t)fft->size * sizeof *image);
}
