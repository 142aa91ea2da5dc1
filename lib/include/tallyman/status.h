/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_STATUS_H
#define TALLYMAN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Exported from the shared library; everything else is hidden. */
#define TALLY_API        __attribute__((visibility("default")))
#define TALLY_MUST_CHECK __attribute__((warn_unused_result))

/* What a call came to. Codes are few and stable; docs/errors.md says what to do about each. */
typedef enum tally_status {
    TALLY_OK = 0,
    TALLY_E_ARG,      /* the caller broke the contract: a bug, or a call that makes no sense */
    TALLY_E_NOMEM,    /* memory, or more of it than the settings allow */
    TALLY_E_IO,       /* cannot be opened, read or written */
    TALLY_E_FORMAT,   /* it opened, but is not what the contract asks for */
    TALLY_E_CRS,      /* no CRS, or one that cannot be related to the site's */
    TALLY_E_NODATA,   /* too few valid pixels to give an answer */
    TALLY_E_NO_MATCH, /* registration found no trustworthy shift */
    TALLY_E_BUSY,     /* another run holds the folder */
    TALLY_E_CANCELLED,
    TALLY_STATUS_COUNT
} tally_status;

/* The one message of a failure: names the thing, the numbers, and what to do. */
typedef struct tally_error {
    tally_status status;
    char message[768];
} tally_error;

/* "TALLY_E_IO" for TALLY_E_IO; "?" for what is no status. Static storage. */
TALLY_API const char *tally_status_name(tally_status status);

#ifdef __cplusplus
}
#endif
#endif
