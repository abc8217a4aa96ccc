"""Numbers with their units, three digits each: `41.2 ms`, `1.30 GiB`, `2.10 GFLOP`, `3.4 %`."""

_DECIMAL = ("", "K", "M", "G", "T", "P", "E")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def bytes_text(size_bytes: float) -> str:
    """`1.30 GiB`; below a KiB the exact number, `12 B`."""
    return _scaled(size_bytes, 1024, _BINARY)


def flops_text(flops: float) -> str:
    """`2.10 GFLOP`."""
    return _scaled(flops, 1000, tuple(f"{prefix}FLOP" for prefix in _DECIMAL))


def seconds_text(seconds: float) -> str:
    """`41.2 ms`."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{_digits(seconds * factor)} {unit}"
    return f"{_digits(seconds * 1e6)} us"


def rate_text(per_second: float, unit: str) -> str:
    """`1.56 TB/s` for 1.56e12 and "B": by thousands, as data sheets say it."""
    return f"{_scaled(per_second, 1000, tuple(f'{prefix}{unit}' for prefix in _DECIMAL))}/s"


def percent_text(share: float) -> str:
    """`3.4 %` for 0.034."""
    return f"{100 * share:.1f} %"


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    if number < step:
        return f"{number:.0f} {units[0]}"
    power = 0
    while number >= step and power + 1 < len(units):
        number /= step
        power += 1
    return f"{_digits(number)} {units[power]}"


def _digits(number: float) -> str:
    decimals = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{decimals}f}"
