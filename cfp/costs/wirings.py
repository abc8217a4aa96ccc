"""How long a collective takes on one wiring: α seconds a message, b bytes per second a direction.

n members, and a value of V bytes: what all have after a gather, what each has before and after an
exchange (all-to-all) or a shift (collective-permute).

    gather    ring     ⌊n/2⌋ α + (n-1)/n V / 2b     parts go around both ways at once
              line     (n-1) α + (n-1)/n V / b      the ends have one link
              switch   ⌈log₂n⌉ α + (n-1)/n V / b    2, then 4, then 8 parts are exchanged
              tree     the same with b / over, or around as a ring, (n-1) α + (n-1)/n V / b
              full     α + V / n b                  each link carries one part
    exchange  ring     ⌊n/2⌋ α + ⌊n²/4⌋/2n V / b    the parts over the links they cross, both ways
              line     (n-1) α + ⌊n²/4⌋/n V / b     what crosses the middle
              switch   α + (n-1)/n V / b
              tree     α + max((n-1)/n, over ⌈n/2⌉/n) V / b    what leaves half of the members
              full     α + V / n b
    shift     line     (n-1) α + V / b              from the last to the first over all links
              others   α + V / b

One instance each, n = 4, V = 8 MB, b = 100 GB/s, α = 1 us, over = 2: gather 32, 63, 62, 63, 21 us;
exchange 42, 83, 61, 81, 21 us; shift 83 us on a line, 81 us on others. A reduce-scatter is a gather
run backwards and takes as long.
"""

from math import ceil

from cfp.costs.spans import Span


def gather_s(span: Span, value_bytes: float) -> float:
    """Until every member has the value, of which each had an equal part."""
    n, alpha, per_byte = span.count, span.latency_s, 1 / span.bytes_per_second
    rest = (n - 1) / n * value_bytes * per_byte
    if span.is_closed:
        return n // 2 * alpha + rest / 2
    if span.wiring.form in ("ring", "line"):
        return (n - 1) * alpha + rest
    if span.wiring.form == "full":
        return alpha + value_bytes / n * per_byte
    around = (n - 1) * alpha + rest
    return min(around, _rounds(n) * alpha + rest * span.wiring.oversubscription)


def exchange_s(span: Span, value_bytes: float) -> float:
    """Until every member has sent an equal part of its value to each."""
    n, alpha, per_byte = span.count, span.latency_s, 1 / span.bytes_per_second
    all_bytes = value_bytes * per_byte
    crossing = n * n // 4 / n * all_bytes  # the middle of a line
    if span.is_closed:
        return n // 2 * alpha + crossing / 2
    if span.wiring.form in ("ring", "line"):
        return (n - 1) * alpha + crossing
    if span.wiring.form == "full":
        return alpha + all_bytes / n
    leaving_half = span.wiring.oversubscription * ceil(n / 2) / n
    return alpha + max((n - 1) / n, leaving_half) * all_bytes


def shift_s(span: Span, value_bytes: float) -> float:
    """Until every member has the value of the one before it, and the first that of the last."""
    is_line = span.wiring.form in ("ring", "line") and not span.is_closed
    messages = span.count - 1 if is_line else 1
    return messages * span.latency_s + value_bytes / span.bytes_per_second


def _rounds(n: int) -> int:
    """How often n must be halved to be one."""
    return (n - 1).bit_length()
