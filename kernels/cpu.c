/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this CPU and the OS under it can do. No policy: that is dispatch.c. */
#include "kernels/kernels.h"

unsigned tally_cpu_flags(void)
{
    unsigned flags = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) flags |= TALLY_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        flags |= TALLY_CPU_AVX512;
#elif defined(__aarch64__)
    flags |= TALLY_CPU_NEON;
#endif
    return flags;
}
