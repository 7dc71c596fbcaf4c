"""A peer at work on names and addresses: makes so many of them once for every line on its input, and keeps none.

    python peers/names.py faker 20000

Prints a line of JSON when the peer is loaded, then one for each run. It depends on nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

Row = Callable[[], object]


def main() -> None:
    name, rows = sys.argv[1], int(sys.argv[2])
    started = perf_counter()
    row = ROWS[name]()
    row()
    print(json.dumps({"load_s": perf_counter() - started}), flush=True)
    for _ in sys.stdin:
        started = perf_counter()
        for _ in range(rows):
            row()
        seconds = perf_counter() - started
        print(json.dumps({"seconds": seconds, "answer": {}, "peak_mib": _peak_mib()}), flush=True)


def faker() -> Row:
    """As it comes: each surname as often as its weight says."""
    return _faker(use_weighting=True)


def faker_unweighted() -> Row:
    """Its faster way: every surname as often as any other."""
    return _faker(use_weighting=False)


def mimesis() -> Row:
    """First name, surname, and an address with all that one of Faker's has: street, town and postcode."""
    make = _mimesis()
    person, address = make.person, make.address
    return lambda: (person.first_name(), person.last_name(), address.address(), address.city(), address.postal_code())


def mimesis_line() -> Row:
    """First name, surname, and number and street alone."""
    make = _mimesis()
    return lambda: (make.person.first_name(), make.person.last_name(), make.address.address())


ROWS: dict[str, Callable[[], Row]] = {
    "faker": faker,
    "faker_unweighted": faker_unweighted,
    "mimesis": mimesis,
    "mimesis_line": mimesis_line,
}


def _faker(*, use_weighting: bool) -> Row:
    from faker import Faker

    fake = Faker("en_GB", use_weighting=use_weighting)
    fake.seed_instance(1)
    return lambda: (fake.first_name(), fake.last_name(), fake.address())


def _mimesis() -> Any:
    from mimesis import Generic
    from mimesis.locales import Locale

    return Generic(locale=Locale.EN_GB, seed=1)


def _peak_mib() -> int | None:
    with contextlib.suppress(OSError), open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
    return None


if __name__ == "__main__":
    main()
