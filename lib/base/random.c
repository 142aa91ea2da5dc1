/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"

uint32_t tally_rng_next(tally_rng *rng)
{
    uint64_t old = rng->state;
    rng->state = old * 6364136223846793005u + 1442695040888963407u;
    uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);
    return (shifted >> turn) | (shifted << (-turn & 31));
}

double tally_rng_uniform(tally_rng *rng)
{
    uint64_t high = tally_rng_next(rng) >> 5, low = tally_rng_next(rng) >> 6;
    return ((double)high * 67108864.0 + (double)low) / 9007199254740992.0;
}

double tally_rng_normal(tally_rng *rng)
{
    /* Box and Muller 1958, doi:10.1214/aoms/1177706645; the second number is thrown away */
    double u = 1.0 - tally_rng_uniform(rng), v = tally_rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* Hoare's selection (1961): afterwards v[k] is what sorting would put there, no larger before, no
 * smaller after. No NaN. */
static float select_kth(float *v, size_t n, size_t k)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, at = (ptrdiff_t)k;
    while (low < high) {
        float pivot = v[low + (high - low) / 2];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i > j) break;
            float t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
        if (at <= j)
            high = j;
        else if (at >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void tally_sort(float *values, size_t n)
{
    if (n > 1) qsort(values, n, sizeof *values, by_value);
}

float tally_quantile(float *values, size_t n, double q)
{
    if (n == 0) return NAN;
    double at = tally_clamp(q, 0.0, 1.0) * (double)(n - 1);
    size_t k = (size_t)at;
    float low = select_kth(values, n, k);
    if (k + 1 >= n || at == (double)k) return low;
    float high = values[k + 1];
    for (size_t i = k + 2; i < n; i++)
        if (values[i] < high) high = values[i];
    return low + (float)(at - (double)k) * (high - low);
}

float tally_median(float *values, size_t n)
{
    return tally_quantile(values, n, 0.5);
}

/* Is `end`, the extreme of the values in the direction of `sign`, a pile? */
static bool is_pile(const float *values, size_t n, float end, int sign)
{
    static const double LEAST_SHARE = 0.002, OVER_NEXT = 5;
    float next = (float)-sign * INFINITY;
    size_t at_end = 0, at_next = 0;

    for (size_t i = 0; i < n; i++) {
        if (values[i] == end)
            at_end++;
        else if ((float)sign * values[i] > (float)sign * next)
            next = values[i];
    }
    for (size_t i = 0; i < n; i++)
        at_next += values[i] == next;
    return at_end > 1 && (double)at_end >= LEAST_SHARE * (double)n &&
           (double)at_end >= OVER_NEXT * (double)at_next && at_next > 0;
}

void tally_unclipped(const float *values, size_t n, float *low, float *high)
{
    float least = INFINITY, most = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        least = fminf(least, values[i]);
        most = fmaxf(most, values[i]);
    }
    *low = is_pile(values, n, least, -1) ? least : -INFINITY;
    *high = is_pile(values, n, most, 1) ? most : INFINITY;
}
