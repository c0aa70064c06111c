"""Sums the last periods of what kernel-times.c wrote, by kernel and grid.

    kernel-times.py times.tsv MARK COUNT [PERIODS]

A period (a forward, a step) is COUNT starts of kernels whose name holds MARK: 37 of sdpa_sm90_flash_fprop for a forward of Stable Diffusion 3.5-medium.
"""
import collections
import subprocess
import sys

path, mark, count, periods = sys.argv[1], sys.argv[2], int(sys.argv[3]), int((sys.argv + ["2"])[4])
rows = sorted((int(start), int(time), grid, threads, name) for start, time, grid, threads, name in (line.rstrip("\n").split("\t") for line in open(path)))
marks = [i for i, row in enumerate(rows) if mark in row[4]]
if len(marks) <= count * periods:
    sys.exit(f"{len(marks)} kernels have {mark} in their name; {periods} periods of {count} and one more are needed")
rows = rows[marks[-1 - count * periods]:marks[-1]]
names = sorted({row[4] for row in rows})
plain = dict(zip(names, subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True, check=True).stdout.split("\n")))
sums = collections.defaultdict(lambda: [0, 0])
for start, time, grid, threads, name in rows:
    entry = sums[plain[name], grid, threads]
    entry[0] += time
    entry[1] += 1
print(f"span {(rows[-1][0] - rows[0][0]) / 1e6 / periods:.3f} ms a period, busy {sum(row[1] for row in rows) / 1e6 / periods:.3f} ms, {len(rows) / periods:.0f} launches")
for (name, grid, threads), (time, starts) in sorted(sums.items(), key=lambda entry: -entry[1][0]):
    print(f"{time / 1e6 / periods:8.3f} ms {starts / periods:7.1f} x {time / starts / 1e3:8.1f} us  {grid} × {threads}  {name}")
