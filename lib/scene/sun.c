/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sun's place in the sky after J. Meeus, Astronomical Algorithms, 2nd ed. 1998, chapters 22, 25
 * and 28, low precision: about 0.01 degree between 1950 and 2050. Refraction, below 0.1 degree
 * where scenes are taken, is left out.
 */
#include <math.h>

#include "scene/draft.h"

static double radians(double degrees)
{
    return degrees * (M_PI / 180);
}

void tally_sun_position(int64_t utc, double longitude, double latitude, double *azimuth,
                        double *elevation)
{
    double days = ((double)utc - 946728000.0) / 86400; /* since J2000.0, 2000-01-01T12:00Z */
    double t = days / 36525;
    double mean_longitude = 280.46646 + t * (36000.76983 + t * 0.0003032);
    double anomaly = radians(357.52911 + t * (35999.05029 - t * 0.0001537));
    double centre = (1.914602 - t * 0.004817) * sin(anomaly) + 0.019993 * sin(2 * anomaly) +
                    0.000289 * sin(3 * anomaly);
    double node = radians(125.04 - 1934.136 * t);
    double apparent = radians(mean_longitude + centre - 0.00569 - 0.00478 * sin(node));
    double obliquity = radians(23.4392911 - t * 0.0130042 + 0.00256 * cos(node));

    double right_ascension = atan2(cos(obliquity) * sin(apparent), cos(apparent));
    double declination = asin(sin(obliquity) * sin(apparent));
    double sidereal = radians(fmod(280.46061837 + 360.98564736629 * days, 360) + longitude);
    double hour = sidereal - right_ascension, phi = radians(latitude);

    double up = sin(phi) * sin(declination) + cos(phi) * cos(declination) * cos(hour);
    double south = sin(phi) * cos(declination) * cos(hour) - cos(phi) * sin(declination);
    double west = cos(declination) * sin(hour);
    double bearing = atan2(west, south) * (180 / M_PI) + 180;
    *azimuth = fmod(bearing + 360, 360);
    *elevation = asin(tally_clamp(up, -1, 1)) * (180 / M_PI);
}
