/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FFTW, wrapped: square real images, single precision. */
#ifndef TALLY_ALIGN_FFT_H
#define TALLY_ALIGN_FFT_H

#include "base/base.h"

/* "fftw-3.3.10-sse2-avx": what was linked, for run.json. Static storage. */
const char *tally_fft_version(void);

/* A plan for size x size real images; spectra are size x (size / 2 + 1) interleaved complex. Use on
 * one thread at a time. */
typedef struct tally_fft tally_fft;
tally_status tally_fft_create(int size, tally_fft **out, tally_error *err) TALLY_MUST_CHECK;
void tally_fft_destroy(tally_fft **fft);
size_t tally_fft_spectrum_floats(const tally_fft *fft);
/* image: size * size floats, rows without gaps. */
void tally_fft_forward(tally_fft *fft, const float *image, float *spectrum);
/* Not scaled; `spectrum` is left as it was. */
void tally_fft_inverse(tally_fft *fft, const float *spectrum, float *image);

#endif
