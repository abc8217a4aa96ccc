"""Estimates: a roofline by hand, what never makes a workload faster, what overlap hides."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.costs.analytic import estimate, kernel_s, overlapped
from cfp.costs.collectives import collective_s
from cfp.costs.hardware_table import device_names, load_device, load_network
from cfp.costs.spans import lay_mesh
from cfp.ir.mesh import Mesh
from cfp.ir.workload import COMMUNICATION_KINDS, KERNEL_KINDS, Communication, Kernel, Workload
from cfp_test.pure.small_hardware import device, link, network, rate, wired

CHIP = device()
LAID = lay_mesh(Mesh.parse("data:4 x model:2"), network(wired("switch", 8)))
STEP = Workload(
    (Kernel("product", 10**9, 8 * 10**6, "bf16", 3), Kernel("other", 10**6, 0, "f32")),
    (Communication("all-reduce", ("model",), 10**7, 2),),
)


@pytest.mark.parametrize(
    ("kernel", "microseconds"),
    [
        (Kernel("product", 10**9, 8 * 10**6, "bf16"), 2 + 8),  # memory binds it
        (Kernel("product", 10**10, 8 * 10**6, "bf16"), 2 + 40),  # the matrix units do
        (Kernel("product", 10**10, 8 * 10**6, "f32"), 2 + 80),  # at half of their rate
        (Kernel("other", 10**9, 8 * 10**6, "f32"), 2 + 100),  # the vector units do
        (Kernel("other", 0, 0, "f32"), 2),  # the launch does
    ],
)
def test_a_kernel_is_bound_by_one_thing(kernel, microseconds):
    assert kernel_s(kernel, CHIP) == pytest.approx(microseconds * 1e-6)


def test_an_estimate_adds_up():
    whole = estimate(STEP, CHIP, LAID)
    assert whole.compute_s == pytest.approx((3 * 10 + 2.1) * 1e-6)
    one = collective_s("all-reduce", 1e7, LAID.route(["model"]))
    assert whole.communication_s == whole.exposed_s == pytest.approx(2 * one)
    assert whole.total_s == whole.compute_s + whole.exposed_s


def test_an_estimate_says_what_it_is():
    assert str(estimate(STEP, CHIP, LAID)) == (
        "236 us ± 0.00 us: compute 32.1 us, exposed 204 us of 204 us communication "
        "(analytic: chip, net)"
    )


def test_overlap_hides_what_fits_beside_compute():
    whole = estimate(STEP, CHIP, LAID)
    hidden = overlapped(whole)
    assert hidden.exposed_s == pytest.approx(whole.communication_s - whole.compute_s)
    assert hidden.communication_s == whole.communication_s
    assert overlapped(replace(whole, compute_s=1.0)).exposed_s == 0
    assert overlapped(replace(whole, compute_s=1.0)).total_s == 1


def test_no_work_takes_no_time():
    nothing = estimate(Workload(()), CHIP, LAID)
    assert (nothing.total_s, nothing.uncertainty_s) == (0, 0)
    assert (
        estimate(Workload((Kernel("other", 0, 0, "f32"),)), device(launch_s=0), LAID).total_s == 0
    )


def test_uncertainty_is_that_of_what_binds():
    vague_wires = network(wired("switch", 8, link=link(spread=0.5)))
    laid = lay_mesh(LAID.mesh, vague_wires)
    sure, vague = estimate(STEP, CHIP, laid), estimate(STEP, device(spread=0.1), laid)
    assert sure.uncertainty_s == pytest.approx(0.5 * sure.communication_s)
    assert vague.uncertainty_s == pytest.approx(0.5 * sure.communication_s + 0.1 * sure.compute_s)


def test_of_two_bounds_only_the_higher_one_makes_a_kernel_uncertain():
    chip = replace(device(launch_s=0), memory=rate(1e12, "B/s", 0.3))
    for flops, spread in ((10**9, 0.3), (10**10, 0.0)):
        one = estimate(Workload((Kernel("product", flops, 8 * 10**6, "bf16"),)), chip, LAID)
        assert one.uncertainty_s == pytest.approx(spread * one.total_s)


COUNTS = st.integers(0, 10**12)
KERNELS = st.builds(
    Kernel,
    st.sampled_from(KERNEL_KINDS),
    COUNTS,
    COUNTS,
    st.sampled_from(["f32", "bf16", "f8e4m3fn", "s32", "pred"]),
    st.integers(1, 9),
)
COMMUNICATIONS = st.builds(
    Communication,
    st.sampled_from(COMMUNICATION_KINDS),
    st.sampled_from([("data",), ("model",), ("data", "model")]),
    COUNTS,
    st.integers(1, 9),
)
WORKS = st.builds(
    Workload,
    st.lists(KERNELS, max_size=4).map(tuple),
    st.lists(COMMUNICATIONS, max_size=4).map(tuple),
)


@given(WORKS, WORKS, st.sampled_from(device_names()))
def test_more_work_is_never_faster_and_adds_up(first, second, name):
    both = Workload(first.kernels + second.kernels, first.communications + second.communications)
    times = [estimate(workload, load_device(name), LAID) for workload in (first, second, both)]
    one, other, sum_ = (each.total_s for each in times)
    assert sum_ == pytest.approx(one + other)
    assert overlapped(times[2]).total_s <= sum_
    assert max(times[2].compute_s, times[2].communication_s) <= overlapped(times[2]).total_s + 1e-9
    assert 0 <= times[2].uncertainty_s <= 2 * sum_


@given(WORKS, st.floats(1, 10))
def test_a_better_device_is_never_slower(workload, factor):
    better = device(250e12 * factor, 10e12 * factor, 1e12 * factor, 2e-6 / factor)
    assert estimate(workload, better, LAID).total_s <= estimate(workload, CHIP, LAID).total_s * (
        1 + 1e-12
    )


def test_a_layer_on_eight_h100_is_as_fast_as_people_report():
    """A dense layer of 8192 with tensor parallelism over 8: 40 to 60 % of the peak, all exposed."""
    tokens, width, split = 8192, 8192, 8
    flops = 2 * tokens * width * 4 * width // split
    moved = 2 * (tokens * width + width * 4 * width // split + tokens * 4 * width // split)
    workload = Workload(
        tuple(Kernel("product", flops, moved, "bf16") for _ in range(2)),
        (Communication("all-reduce", ("model",), 2 * tokens * width),),
    )
    laid = lay_mesh(Mesh.parse("model:8"), load_network("switch:8 of 18 nvlink-4"))
    seconds = estimate(workload, load_device("h100-sxm"), laid).total_s
    assert 0.4 < 2 * flops / seconds / 989e12 < 0.6
