# SPDX-License-Identifier: GPL-3.0-or-later
# cmake -DIN=file -DOUT=file.c -DNAME=symbol -P embed.cmake: a file's bytes as a C array and its size, so that a
# program finds them wherever it is run.
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
file(WRITE ${OUT} "/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made from ${IN} by cmake/embed.cmake. */
#include <stddef.h>
extern const char ${NAME}[];
extern const size_t ${NAME}_size;
const char ${NAME}[] = {
    ${bytes} 0
};
const size_t ${NAME}_size = ${size};
")
