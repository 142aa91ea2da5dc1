# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the sun stands, by the same formulas as fixtures/draw/recipe.c (Michalsky 1988, doi:10.1016/0038-092X(88)90045-X)."""
import datetime as dt
import math


def sun(when, longitude, latitude):
    """Azimuth and elevation in degrees, at the ground point."""
    n = (when - dt.datetime(2000, 1, 1, 12)).total_seconds() / 86400
    hours = when.hour + when.minute / 60 + when.second / 3600
    g = math.radians(357.528 + 0.9856003 * n)
    lam = math.radians((280.460 + 0.9856474 * n) % 360 + 1.915 * math.sin(g) + 0.020 * math.sin(2 * g))
    tilt = math.radians(23.439 - 4e-7 * n)
    ascension = math.atan2(math.cos(tilt) * math.sin(lam), math.cos(lam))
    declination = math.asin(math.sin(tilt) * math.sin(lam))
    sidereal = (6.697375 + 0.0657098242 * n + hours) * 15 + longitude
    angle, phi = math.radians(sidereal) - ascension, math.radians(latitude)
    elevation = math.asin(math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(angle))
    azimuth = math.atan2(-math.sin(angle), math.tan(declination) * math.cos(phi) - math.sin(phi) * math.cos(angle))
    return math.degrees(azimuth) % 360, math.degrees(elevation)


def time_of_day(rng, day, longitude, latitude, lowest, highest):
    """A second of that day, between half past nine and half past eleven by the sun, at which the sun stands between
    the two elevations; if there is none, the nearest to them. The sun never stands under 12 degrees."""
    noon = dt.datetime(day.year, day.month, day.day, 12) - dt.timedelta(hours=longitude / 15)
    steps = [noon + dt.timedelta(minutes=m) for m in range(-270, 271, 5)]
    high = [(s, sun(s, longitude, latitude)[1]) for s in steps]
    high = [(s, e) for s, e in high if e >= 12]
    if not high:
        return None
    usual = [(s, e) for s, e in high if -150 <= (s - noon).total_seconds() / 60 <= -30] or high
    fit = [(s, e) for s, e in usual if lowest <= e <= highest] or [(s, e) for s, e in high if lowest <= e <= highest]
    if not fit:
        fit = [min(high, key=lambda p: abs(p[1] - min(max(p[1], lowest), highest)))]
    return rng.choice(fit)[0] + dt.timedelta(seconds=rng.randrange(200))
