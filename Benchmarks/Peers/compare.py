"""Runs our program and Flask's in turns and prints one table: ours, theirs, ratio, bar, noise band, met or missed.

    python compare.py OURS [ROUNDS]

A round is ours, Flask, ours, Flask. The fastest figure of all rounds counts for each row. The noise band is what the same
program shows against itself: its first runs of the rounds against its second ones. Exit status 1 only with STRICT=1 and a
bar that is missed.
"""

import os
import subprocess
import sys
from pathlib import Path

FLASK = [sys.executable, str(Path(__file__).with_name("flask_costs.py"))]

# Our row, what it is measured against (a row of Flask's, or one of ours), and the greatest ratio that meets the bar.
BARS = [
    ("app scope, audited", "Flask: app scope", 1 / 8),
    ("app scope, audited, thread", "Flask: app scope", 1 / 8),
    ("app scope, audited, async", "Flask: app scope", 1 / 8),
    ("request scope, audited", "Flask: request scope", 1 / 20),
    ("request scope, audited, thread", "Flask: request scope", 1 / 20),
    ("request scope, audited, async", "Flask: request scope", 1 / 20),
    ("g set and get, audited", "Flask: g set and get", 1 / 8),
    ("g set and get, audited, thread", "Flask: g set and get", 1 / 8),
    ("g set and get through Current, audited", "Flask: g set and get", 1 / 8),
    ("recyclable get", "Flask: recyclable get", 1 / 2),
    ("recyclable get, thread", "Flask: recyclable get", 1 / 2),
    ("recyclable get of a dictionary", "Flask: recyclable get", 1 / 2),
    ("recyclable get through a handle", "Flask: recyclable get", 1 / 5),
    ("context variable get", "Flask: context variable get", None),
    ("app scope, recorder off", "task-local bind and one allocation", 2.5),
    ("app scope, recorder off, thread", "task-local bind and one allocation, thread", 2.5),
]

# What the switch costs: our row with the recorder off, less the same without a recorder, for each event point in it.
SWITCHES = [("g set and get, recorder off", "g set and get, no recorder", 1, 5.0)]


def measure(command):
    """The rows of one run: name to nanoseconds."""
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: float(figure) for name, figure in (line.split("\t") for line in output.splitlines())}


def fastest(runs):
    """The fastest figure of each row."""
    return {name: min(run[name] for run in runs) for name in runs[0]}


def band(first, second):
    """How far one program is from itself, as a share."""
    return {name: max(first[name], second[name]) / min(first[name], second[name]) - 1 for name in first}


def main():
    ours_command, rounds = [sys.argv[1]], int(sys.argv[2]) if len(sys.argv) > 2 else 8
    halves = {"ours": ([], []), "flask": ([], [])}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for half in (0, 1):
            halves["ours"][half].append(measure(ours_command))
            halves["flask"][half].append(
                {f"Flask: {name}": figure for name, figure in measure(FLASK).items()}
            )
    best, noise = {}, {}
    for first, second in halves.values():
        best |= fastest(first + second)
        noise |= band(fastest(first), fastest(second))

    missed = 0
    print(f"fastest of {2 * rounds} runs; bar: ours / peer at most; noise: ours against ours, peer against peer\n")
    print(f"{'row':<40}{'ours ns':>9}  {'peer ns':>9}  {'ratio':>7}  {'bar':>6}  {'noise':>13}  verdict")
    for row, peer, bar in BARS:
        if row not in best:
            print(f"{row:<40}{'not there':>9}")
            continue
        ratio = best[row] / best[peer]
        verdict = "" if bar is None else "met" if ratio <= bar else "MISSED"
        missed += verdict == "MISSED"
        print(
            f"{row:<40}{best[row]:>9.1f}  {best[peer]:>9.1f}  {ratio:>7.3f}  {'' if bar is None else f'{bar:.3f}':>6}"
            f"  {noise[row]:>5.1%}, {noise[peer]:>5.1%}  {verdict:<7} {peer}"
        )
    for row, base, points, bar in SWITCHES:
        cost = (best[row] - best[base]) / points
        missed += cost > bar
        print(f"\nswitch, per event point: {cost:.1f} ns; bar {bar} ns; {'met' if cost <= bar else 'MISSED'} ({row}, less {base})")
    print("\nother rows of ours, ns:")
    shown = {row for row, _, _ in BARS}
    for row, figure in best.items():
        if row not in shown and not row.startswith("Flask: "):
            print(f"  {row:<50}{figure:>9.1f}  {noise[row]:>5.1%}")
    print(f"\n{missed} missed")
    return 1 if missed and os.environ.get("STRICT") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
