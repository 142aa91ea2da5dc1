/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name to a kernel table, for whoever sets up a context. */
#include <string.h>

#include "base/base.h"
#include "kernels/kernels.h"

tally_status tally_kernels_for(const char *name, const struct tally_kernels **out, tally_error *err)
{
    static const struct {
        const char *name;
        unsigned needs, allows;
    } levels[] = {
        { "scalar", 0, 0 },
        { "avx2", TALLY_CPU_AVX2, TALLY_CPU_AVX2 },
        { "avx512", TALLY_CPU_AVX2 | TALLY_CPU_AVX512, TALLY_CPU_AVX2 | TALLY_CPU_AVX512 },
        { "neon", TALLY_CPU_NEON, TALLY_CPU_NEON },
    };
    const unsigned cpu = tally_cpu_flags();

    *out = NULL;
    if (!name) {
        *out = tally_kernels_select(cpu);
        return TALLY_OK;
    }
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(name, levels[i].name) != 0) continue;
        if ((cpu & levels[i].needs) != levels[i].needs)
            return tally_fail(err, TALLY_E_ARG,
                              "kernels '%s': this CPU cannot run them; its best are '%s'", name,
                              tally_kernels_select(cpu)->name);
        *out = tally_kernels_select(cpu & levels[i].allows);
        if (strcmp((*out)->name, name) != 0) {
            *out = NULL;
            return tally_fail(err, TALLY_E_ARG, "kernels '%s': this build was made without them",
                              name);
        }
        return TALLY_OK;
    }
    return tally_fail(err, TALLY_E_ARG, "kernels '%s': unknown; use scalar, avx2, avx512 or neon",
                      name);
}

const char *tally_kernels_name(const struct tally_kernels *kernels)
{
    return kernels->name;
}
