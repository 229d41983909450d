"""`make bench`: measures, prints a table, and writes JSON under var/bench/."""

from __future__ import annotations

import os
import platform
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import faults, files, messages, million, nodes, upstream, workers, wrk
from bench.measuring import measure, measure_ceiling, measure_latency
from bench.report import Report, Result
from bench.rows import DEEP_PAGE, FIRST_PAGE, OWN_ACCOUNT, OWN_ACCOUNT_PATH, rows
from bench.stage import Stage, staged

RESULTS = Path("var/bench")
MB = 1 << 20


def main() -> None:
    """Measure, with what the command line says."""
    parser = ArgumentParser(prog="python -m bench")
    parser.add_argument("--seconds", type=int, default=8, help="length of a measurement")
    parser.add_argument("--accounts", type=int, default=100_000, help="how many accounts the Space has")
    parser.add_argument("--only", default="", metavar="TEXT", help="measure only rows whose name contains it")
    parser.add_argument("--million", action="store_true", help="measure the lists of a million accounts instead")
    parser.add_argument("--files", action="store_true", help="measure an import and an export of files instead")
    parser.add_argument("--messages", action="store_true", help="measure SIP messages by linphone-daemon instead")
    parser.add_argument("--upstream", action="store_true", help="measure a move of a Flexisip Account Manager instead")
    parser.add_argument("--workers", action="store_true", help="measure one process against several instead")
    parser.add_argument("--faults", action="store_true", help="see what clients notice of faults instead")
    parser.add_argument("--nodes", action="store_true", help="restart two nodes under load instead")
    options = parser.parse_args()
    others: dict[str, Callable[[Path], None]] = {
        "faults": faults.measure,
        "files": partial(files.measure, accounts=options.accounts),
        "messages": messages.measure,
        "million": million.measure,
        "nodes": nodes.measure,
        "upstream": partial(upstream.measure, accounts=options.accounts),
        "workers": partial(workers.measure, seconds=options.seconds),
    }
    for name, other in others.items():
        if getattr(options, name):
            other(RESULTS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}.json")
            return
    wrk.program()
    _say("Measuring R, then filling a Space")
    ceiling_before = measure_ceiling(options.seconds)
    with staged(options.accounts) as stage:
        report = _measured(stage, options, ceiling_before)
    report.save(RESULTS / f"{time.strftime('%Y-%m-%d-%H%M%S')}.json")
    _say("\n" + report.table())


def _measured(stage: Stage, options: Namespace, ceiling_before: float) -> Report:
    results: dict[str, Result] = {}
    requests = 0
    for row in rows(stage):
        if options.only in row.name:
            _say(f"  {row.name}")
            results[row.name], needed = measure(stage, row, options.seconds)
            requests += needed
    latency = None
    if OWN_ACCOUNT in results:
        half = results[OWN_ACCOUNT].per_second / 2
        latency = measure_latency(stage, OWN_ACCOUNT_PATH, half, options.seconds)
    deep_page_factor = None
    if FIRST_PAGE in results and DEEP_PAGE in results:
        deep_page_factor = results[FIRST_PAGE].per_second / results[DEEP_PAGE].per_second
    return Report(
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}",
        options.accounts,
        options.seconds,
        ceiling_before,
        measure_ceiling(options.seconds),
        list(results.values()),
        deep_page_factor,
        latency,
        stage.ready_cold,
        stage.ready_warm,
        stage.resident // MB,
        stage.flexid.process().memory_info().rss // MB,
        requests,
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


main()
