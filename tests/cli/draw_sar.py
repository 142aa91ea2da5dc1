# SPDX-License-Identifier: GPL-3.0-or-later
"""Radar scenes of a small port with known ships, as PGM: draw_sar.py FOLDER SCENES SEED.

640 x 480 m at 2 m, amplitude in 8 bits, three looks. Land below, a jetty like a ship, cranes on the
quay: the same on every date. Ships: one at anchor on even dates, one alongside the quay on every
third. truth.txt: name and ships of each scene. No package but Python's own.
"""
import math
import random
import sys

WIDTH, HEIGHT, QUAY = 320, 240, 190


def hull(power, cx, cy, length, width, angle, level):
    u = (math.cos(angle), math.sin(angle))
    reach = int(length / 2) + 2
    for y in range(int(cy) - reach, int(cy) + reach):
        for x in range(int(cx) - reach, int(cx) + reach):
            dx, dy = x + 0.5 - cx, y + 0.5 - cy
            along, across = dx * u[0] + dy * u[1], dy * u[0] - dx * u[1]
            if abs(along) < length / 2 and abs(across) < width / 2 and 0 <= x < WIDTH and 0 <= y < HEIGHT:
                power[y][x] = level * (1 + 4 * (abs(across) > width / 3))


def ground(rng):
    power = [[1.0] * WIDTH for _ in range(HEIGHT)]
    for y in range(QUAY, HEIGHT):
        for x in range(WIDTH):
            power[y][x] = 8.0 * rng.choice((0.5, 1, 1, 2, 30))
    hull(power, 240, QUAY - 25, 50, 7, math.pi / 2, 25)  # a jetty, square to the quay
    hull(power, 60, 60, 45, 9, 0.2, 30)                   # a rock in the shape of a ship
    return power


def speckle(rng, power):
    rows = bytearray()
    for row in power:
        for p in row:
            mean = sum(rng.expovariate(1) for _ in range(3)) / 3
            rows.append(min(255, int(18 * math.sqrt(p * mean))))
    return bytes(rows)


def main():
    folder, scenes, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(folder + "/truth.txt", "w") as truth:
        for i in range(scenes):
            power = ground(random.Random(seed))
            n = 0
            if i % 2 == 0:
                hull(power, 150, 90 + 2 * i, 60, 10, 0.5, 40)
                n += 1
            if i % 3 == 0:
                hull(power, 120, QUAY - 6, 70, 11, 0, 40)
                n += 1
            name = f"port_202401{i + 1:02d}T060000"
            with open(f"{folder}/{name}.pgm", "wb") as out:
                out.write(b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + speckle(random.Random(seed + 1 + i), power))
            truth.write(f"{name} {n}\n")


main()
