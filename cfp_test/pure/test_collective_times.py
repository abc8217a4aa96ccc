"""Times of collectives against algorithms that are run message by message, and counted links."""

from collections import Counter
from dataclasses import replace
from itertools import product
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.costs.collectives import collective_s, devices_of, route_spread
from cfp.costs.spans import Span, crowded, lay_mesh
from cfp.costs.wirings import exchange_s, gather_s, shift_s
from cfp.ir.mesh import Mesh
from cfp.ir.workload import COMMUNICATION_KINDS
from cfp_test.pure.small_hardware import link, network, wired

ALPHA, B, V = 1e-6, 100e9, 8e6
SIZES = [2, 3, 4, 5, 6, 8]
FORMS = ("ring", "line", "full", "switch", "tree")


def span(form, size, over=1.0):
    return Span(wired(form, size, link=link(B, ALPHA), oversubscription=over), (0, 0), size)


# ---- algorithms, run


def run_gather(members, rounds):
    """Seconds of rounds of messages (sender, receiver, parts, share of a part), all must arrive.

    A round ends when its last message has arrived; messages on one directed link follow each
    other. A part sent in shares has arrived when they add up to one.
    """
    part_bytes = V / members
    has = {member: Counter({member: 1.0}) for member in range(members)}
    seconds = 0.0
    for messages in rounds:
        load, arrived = Counter(), []
        for sender, receiver, parts, share in messages:
            assert all(has[sender][part] >= 1 for part in parts), "sends what it does not have"
            load[sender, receiver] += len(parts) * share * part_bytes
            arrived += [(receiver, part, share) for part in parts]
        for receiver, part, share in arrived:
            has[receiver][part] += share
        seconds += ALPHA + max(load.values()) / B
    assert all(has[member][part] == 1 for member, part in product(range(members), repeat=2)), (
        "somebody lacks a part, or got it twice"
    )
    return seconds


def both_ways_around(n):
    """Parts go around both ways; of the one opposite, half comes each way."""
    for step in range(1, n // 2 + 1):
        share = 0.5 if 2 * step == n else 1.0
        yield [
            message
            for member in range(n)
            for message in (
                (member, (member + 1) % n, [(member - step + 1) % n], share),
                (member, (member - 1) % n, [(member + step - 1) % n], share),
            )
        ]


def along_a_line(n):
    """Every part goes to both ends, one link a round."""
    for step in range(1, n):
        right = [(m, m + 1, [m - step + 1], 1.0) for m in range(n - 1) if m - step + 1 >= 0]
        left = [(m, m - 1, [m + step - 1], 1.0) for m in range(1, n) if m + step - 1 < n]
        yield right + left


def doubling(n):
    """Each sends all it has to the one 1, 2, 4 … before it: log n rounds for any n."""
    have = 1
    while have < n:
        count = min(have, n - have)
        yield [
            (m, (m - have) % n, [(m + other) % n for other in range(count)], 1.0) for m in range(n)
        ]
        have += count


def directly(n):
    yield [(m, other, [m], 1.0) for m, other in product(range(n), repeat=2) if m != other]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("form", "algorithm"),
    [
        ("ring", both_ways_around),
        ("line", along_a_line),
        ("switch", doubling),
        ("tree", doubling),
        ("full", directly),
    ],
)
def test_a_gather_takes_as_long_as_its_algorithm(form, algorithm, n):
    algorithm = along_a_line if (form, n) == ("ring", 2) else algorithm  # they have one link
    assert gather_s(span(form, n), V) == pytest.approx(run_gather(n, algorithm(n)))


@pytest.mark.parametrize("n", SIZES)
def test_an_oversubscribed_tree_gathers_around_or_by_doubling(n):
    around = (n - 1) * (ALPHA + V / n / B)
    for over in (1.0, 1.5, 4.0, 100.0):
        by_doubling = (n - 1).bit_length() * ALPHA + over * (n - 1) / n * V / B
        assert gather_s(span("tree", n, over), V) == pytest.approx(min(around, by_doubling))


# ---- links, counted


def paths(form, n):
    """The directed links of every way that a part for another member may take, with its share."""
    for start, end in product(range(n), repeat=2):
        right, left = (end - start) % n, (start - end) % n
        if form == "line":
            right, left = (right, inf) if end >= start else (inf, left)
        shares = {"right": right < left, "left": left < right}
        if right == left:
            shares = {"right": 0.5, "left": 0.5}
        for hop in range(right if shares["right"] else 0):
            yield ((start + hop) % n, "right"), float(shares["right"])
        for hop in range(left if shares["left"] else 0):
            yield ((start - hop) % n, "left"), float(shares["left"])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("form", ["ring", "line"])
def test_an_exchange_waits_for_the_fullest_link(form, n):
    form = "line" if n == 2 else form
    load = Counter()
    for directed_link, share in paths(form, n):
        load[directed_link] += share * V / n
    farthest = n - 1 if form == "line" else n // 2
    expected = farthest * ALPHA + max(load.values()) / B
    assert exchange_s(span(form, n), V) == pytest.approx(expected)


@pytest.mark.parametrize("n", SIZES)
def test_an_exchange_on_a_tree_waits_for_ports_or_for_the_bisection(n):
    inside = n // 2
    crossing = inside * (n - inside) * V / n
    for over in (1.0, 2.0, 8.0):
        port_s, bisection_s = (n - 1) * V / n / B, crossing / (inside * B / over)
        expected = ALPHA + max(port_s, bisection_s)
        assert exchange_s(span("tree", n, over), V) == pytest.approx(expected)
    assert exchange_s(span("switch", n), V) == pytest.approx(ALPHA + (n - 1) * V / n / B)
    assert exchange_s(span("full", n), V) == pytest.approx(ALPHA + V / n / B)


def test_the_instances_of_the_documentation():
    def microseconds(time):
        forms = [("ring", 1), ("line", 1), ("switch", 1), ("tree", 2), ("full", 1)]
        return [round(time(span(form, 4, over), V) * 1e6) for form, over in forms]

    assert microseconds(gather_s) == [32, 63, 62, 63, 21]
    assert microseconds(exchange_s) == [42, 83, 61, 81, 21]
    assert microseconds(shift_s) == [81, 83, 81, 81, 81]


# ---- routes


NODES = network(
    wired("switch", 8, link=link(450e9, 1e-6)), wired("tree", 4, link=link(50e9, 3e-6), links=8)
)


def route_of(mesh, axes, wires=NODES):
    return lay_mesh(Mesh.parse(mesh), wires).route(axes.split())


def test_all_reduce_over_nodes_as_in_the_documentation():
    seconds = collective_s("all-reduce", 256e6, route_of("data:32", "data"))
    assert round(seconds * 1e6) == 1974


def test_inner_axes_share_the_links_of_their_node():
    """Eight all-reduces at once over 8 x 50 GB/s of a node: each has 50 GB/s."""
    seconds = collective_s("all-reduce", 256e6, route_of("data:4 x model:8", "data"))
    assert seconds == pytest.approx(2 * (2 * 3e-6 + 3 / 4 * 256e6 / 50e9))


def test_a_shift_over_nodes_sends_one_part_between_them():
    seconds = collective_s("collective-permute", 256e6, route_of("data:32", "data"))
    assert seconds == pytest.approx(max(1e-6 + 256e6 / 450e9, 3e-6 + 256e6 / 400e9))


GRID = network([wired("ring", 4), wired("ring", 4)])


def test_the_dimensions_of_a_torus_work_at_once():
    ring, torus = route_of("a:4", "a", GRID), route_of("a:16", "a", GRID)
    whole = 15 / 16 * V / (4 * B)
    assert collective_s("all-gather", V, torus) == pytest.approx(4 * ALPHA + whole)
    assert collective_s("all-gather", V, ring) == pytest.approx(2 * ALPHA + 3 / 4 * V / (2 * B))


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (3, 4), (4, 4), (4, 6)])
def test_an_exchange_on_a_torus_waits_for_the_fullest_link_of_its_longer_dimension(rows, columns):
    """Parts go along their row and then along their column."""
    wires = network([wired("ring", rows), wired("ring", columns)])
    load = Counter()
    for (directed_link, share), row in product(paths("ring", columns), range(rows)):
        load["row", row, directed_link] += share * rows * V / (rows * columns)
    for (directed_link, share), column in product(paths("ring", rows), range(columns)):
        load["column", column, directed_link] += share * columns * V / (rows * columns)
    seconds = collective_s("all-to-all", V, route_of(f"a:{rows * columns}", "a", wires))
    wire_s = max(load.values()) / B
    assert wire_s <= seconds <= wire_s + 2 * (rows // 2 + columns // 2) * ALPHA + 1e-12


def test_small_messages_take_the_dimensions_one_after_the_other():
    wires = network([wired("ring", 16), wired("line", 2)])
    seconds = collective_s("all-gather", 0, route_of("a:32", "a", wires))
    assert seconds == pytest.approx((8 + 1) * ALPHA)


def test_two_spans_on_one_ring_take_turns():
    wires = network(wired("ring", 8))
    route = route_of("a:2 x b:2 x c:2", "a c", wires)
    alone = [((one,),) for one in route[0]]
    turns = [collective_s("all-to-all", V, one) for one in alone]
    assert collective_s("all-to-all", V, route) == pytest.approx(sum(turns))
    inner, outer = route[0]
    best = min(
        gather_s(inner, V) + gather_s(outer, V / 2), gather_s(outer, V) + gather_s(inner, V / 2)
    )
    assert collective_s("all-gather", V, route) == pytest.approx(best)


def test_nobody_to_talk_to_takes_no_time():
    for kind in COMMUNICATION_KINDS:
        assert collective_s(kind, V, ()) == 0
    assert (devices_of(()), route_spread(())) == (1, 0)


MESHES = st.sampled_from(["a:32", "a:4 x b:8", "a:8 x b:4", "a:2 x b:4 x c:4", "a:16 x b:2"])
WIRES = st.builds(
    lambda inner, outer, grid, over: network(
        [wired("ring", 4), wired("line", 2)] if grid else wired(inner, 8),
        wired(outer, 4, link=link(10e9, 5e-6), oversubscription=over if outer == "tree" else 1.0),
    ),
    st.sampled_from(FORMS),
    st.sampled_from(FORMS),
    st.booleans(),
    st.floats(1, 8),
)
BYTES = st.floats(0, 1e9)


def routes(wires, mesh):
    laid = lay_mesh(Mesh.parse(mesh), wires)
    names = laid.mesh.names
    return [laid.route(axes) for axes in (names, names[:1], names[-1:], names[::2])]


@given(WIRES, MESHES, BYTES)
def test_all_reduce_is_reduce_scatter_and_all_gather(wires, mesh, size):
    for route in routes(wires, mesh):
        scatter = collective_s("reduce-scatter", size / devices_of(route), route)
        gather = collective_s("all-gather", size, route)
        assert collective_s("all-reduce", size, route) == pytest.approx(scatter + gather)


@given(WIRES, MESHES, BYTES, st.floats(1, 4))
def test_more_bytes_more_flows_and_worse_links_are_never_faster(wires, mesh, size, factor):
    slower = network(
        *(
            [
                replace(one, link=link(one.link.bandwidth.per_second / factor, 5e-6 * factor))
                for one in level
            ]
            for level in wires.levels
        )
    )
    pairs = zip(routes(wires, mesh), routes(slower, mesh), strict=True)
    for (route, worse), kind in product(pairs, COMMUNICATION_KINDS):
        seconds = collective_s(kind, size, route)
        bound = seconds * (1 - 1e-12)
        assert collective_s(kind, size * factor, route) >= bound
        assert collective_s(kind, size, crowded(route, factor)) >= bound
        assert collective_s(kind, size, worse) >= bound


@given(WIRES, MESHES, BYTES)
def test_no_level_is_faster_alone_than_in_all(wires, mesh, size):
    """The slowest level bounds a collective over several: what must cross it, crosses it."""
    for route in routes(wires, mesh):
        inside = 1
        for spans in route:
            alone = collective_s("all-gather", size / inside, (spans,))
            assert collective_s("all-gather", size, route) >= alone * (1 - 1e-12)
            inside *= devices_of((spans,))


@given(WIRES, MESHES)
def test_a_gather_is_no_faster_than_the_bytes_that_enter_a_device(wires, mesh):
    for route in routes(wires, mesh):
        n = devices_of(route)
        inwards = 0.0
        for spans in route:
            for one in spans:
                ways = {"ring": 2, "full": one.count - 1}.get(one.wiring.form, 1)
                ways = 2 if one.wiring.form == "line" and one.count > 2 else ways
                inwards += ways * one.wiring.links * one.wiring.link.bandwidth.per_second
        if n > 1:
            assert collective_s("all-gather", V, route) >= (n - 1) / n * V / inwards
