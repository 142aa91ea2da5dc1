/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Railcars in one image alone.
 *
 * There is no empty track to compare with, so each column is judged by what it looks like: its
 * cross-sections of light, colour, grain, edges, unrest and gaps (rail_looks.c), in units of the
 * ground between the tracks. A small network (two hidden layers) turns them into log odds for
 * "occupied". It sees each column from both sides and takes the mean, so that a track drawn the
 * other way round, or a scene turned by 180 degrees, gives the same. What it knows is in its
 * numbers: bench/fit_single fits them on drawn sites and on a real yard.
 *
 * From there on the multi-date counter's parts do: neighbouring columns are joined by the best path
 * of two states, runs are taken apart into cars by lengths and gaps (rail_fine.c). Looks of
 * neighbouring columns share most of their pixels, so a column counts as a part of INDEPENDENT_M.
 *
 * How many cars may be wrong: where the network is not sure, cars are doubted in stretches of one
 * train's looks (STRETCH_M); and what it is sure of may be wrong as a whole (another ballast,
 * another light), told as a share of the cars and of the track's length. Shares are fitted on drawn
 * scenes, each taken alone (docs/methods/single.md).
 *
 * Known failures: empty flats and dark gondolas on dark ballast; tracks whose ballast differs from
 * all others'; platforms and roads close beside a track; deep shadow of buildings; cloud.
 */
#include "count/rail_single.h"

#include <math.h>

#include "count/rail_looks.h"

static const double INDEPENDENT_M = 3;
static const double MOST_ODDS = 6;
static const double STRETCH_M = 20;
static const double OF_A_CAR = 0.5, SHARE_OF_CARS = 0.12, SHARE_OF_TRACK = 0.03;

static double net_odds(const tally_single_net *net, const float *looks)
{
    float first[TALLY_SINGLE_HIDDEN], second[TALLY_SINGLE_SECOND], odds = net->b2;
    for (int h = 0; h < TALLY_SINGLE_HIDDEN; h++)
        first[h] = net->b0[h];
    for (int k = 0; k < TALLY_LOOKS; k++) {
        float x = (looks[k] - net->mean[k]) / net->scale[k];
        for (int h = 0; h < TALLY_SINGLE_HIDDEN; h++)
            first[h] += x * net->w0[k][h];
    }
    for (int h = 0; h < TALLY_SINGLE_SECOND; h++)
        second[h] = net->b1[h];
    for (int k = 0; k < TALLY_SINGLE_HIDDEN; k++)
        for (int h = 0; h < TALLY_SINGLE_SECOND; h++)
            second[h] += fmaxf(first[k], 0) * net->w1[k][h];
    for (int k = 0; k < TALLY_SINGLE_SECOND; k++)
        odds += fmaxf(second[k], 0) * net->w2[k];
    return odds;
}

double tally_rail_single_odds(const float *looks)
{
    float swapped[TALLY_LOOKS];
    tally_rail_looks_swap(looks, swapped);
    return 0.5 *
           (net_odds(&tally_rail_single_net, looks) + net_odds(&tally_rail_single_net, swapped));
}

tally_status tally_rail_single_judge(const tally_track *tracks, const tally_patch *strips, size_t n,
                                     const tally_band_role *roles, tally_rail_state *states,
                                     tally_error *err)
{
    float *looks[TALLY_TRACKS_A_UNIT] = { 0 };
    tally_status s = tally_rail_looks(tracks, strips, n, roles, looks, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++)
        for (int c = 0; c < tracks[i].n; c++) {
            states[i].seen[c] = tally_rail_looks_seen(&tracks[i], &strips[i], c);
            states[i].logit[c] = 0;
            if (!states[i].seen[c]) continue;
            double odds = tally_rail_single_odds(looks[i] + (size_t)c * TALLY_LOOKS);
            states[i].logit[c] = (float)(tally_clamp(odds, -MOST_ODDS, MOST_ODDS) *
                                         tracks[i].step_m / INDEPENDENT_M);
        }
    for (size_t i = 0; i < n; i++)
        tally_free(looks[i]);
    return s;
}

double tally_rail_single_doubt(const tally_track *t, const tally_rail_state *s, double cars,
                               double pitch_m)
{
    double square = 0, length = 0;
    for (int c = 0; c < t->n; c++) {
        if (!s->seen[c]) continue;
        double p = 1 / (1 + exp(-s->logit[c] * INDEPENDENT_M / t->step_m));
        square += p * (1 - p) * t->step_m * STRETCH_M;
        length += t->step_m;
    }
    double unsure = square / (pitch_m * pitch_m), taken = SHARE_OF_CARS * cars,
           bare = SHARE_OF_TRACK * length / pitch_m;
    return 1.96 * sqrt(OF_A_CAR * OF_A_CAR + unsure + taken * taken + bare * bare);
}
