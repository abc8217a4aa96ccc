"""Calibration: hardware is found again from what it would take, noisy and with outliers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfp.costs.analytic import estimate
from cfp.costs.calibrated import Number, numbers_of, scaled
from cfp.costs.calibration import Measurement, calibrate
from cfp.costs.hardware_table import load_device, save_hardware
from cfp.costs.predicted_times import PredictedTimes
from cfp.costs.robust_fit import fit
from cfp.costs.spans import lay_mesh
from cfp.errors import UnfitMeasurementsError
from cfp.ir.mesh import Mesh
from cfp.ir.network import Network
from cfp.ir.workload import Communication, Kernel, Workload
from cfp_test.pure.small_hardware import device, link, network, wired

CHIP = device()
WIRES = network(
    wired("switch", 4, link=link(400e9, 2e-6, "inner")),
    wired("tree", 2, link=link(25e9, 9e-6, "outer"), links=4),
)
LAID = lay_mesh(Mesh.parse("data:2 x model:4"), WIRES)
ALONE = lay_mesh(Mesh(()), Network("none", ()))
SIZES = [2**power for power in range(7, 14)]
PRODUCTS = [Workload((Kernel("product", 2 * n**3, 6 * n * n, "bf16", 3),)) for n in SIZES]
STREAMS = [Workload((Kernel("other", n * n, 12 * n * n, "f32"),)) for n in SIZES]
DENSE = [Workload((Kernel("other", 400 * n * n, 12 * n * n, "f32"),)) for n in SIZES]
COLLECTIVES = [
    Workload((), (Communication("all-reduce", (axis,), 4 * n * n),))
    for n in SIZES
    for axis in ("data", "model")
]
ALL = [*PRODUCTS, *STREAMS, *DENSE, *COLLECTIVES]
TRUTH = {
    Number("launch"): 3.0,
    Number("products", "bf16"): 1.8,
    Number("vectors", "f32"): 0.6,
    Number("memory"): 1.4,
    Number("bandwidth", "inner"): 1.3,
    Number("latency", "inner"): 5.0,
    Number("bandwidth", "outer"): 2.0,
    Number("latency", "outer"): 0.4,
}


def measured(workloads, factors, laid=LAID, noise=0.0, seed=0):
    """What the workloads take on the hardware that the factors make of CHIP and WIRES."""
    chip, wires = scaled(CHIP, laid.network, factors)
    on_true = lay_mesh(laid.mesh, wires)
    errors = np.exp(noise * np.random.default_rng(seed).standard_normal(len(workloads)))
    times = [estimate(workload, chip, on_true).total_s for workload in workloads]
    return [
        Measurement(workload, float(time * error), noise * time)
        for workload, time, error in zip(workloads, times, errors, strict=True)
    ]


def off(found, factors, laid=LAID):
    """The largest relative error of a number that was fitted."""
    true = scaled(CHIP, laid.network, factors)
    pairs = zip(values(found.device, found.network), values(*true), strict=True)
    return max(abs(one / other - 1) for one, other in pairs)


def values(chip, wires):
    links = [one.link for level in wires.levels for one in level]
    rates = [rate for _, rate in (*chip.products[:1], *chip.vectors)]
    rates += [chip.memory, *(one.bandwidth for one in links)]
    latencies = [chip.launch.value, *(one.latency.value for one in links)]
    return [*latencies, *(rate.per_second for rate in rates)]


def test_hardware_is_found_again():
    found = calibrate(measured(ALL, TRUTH), CHIP, LAID, "a test")
    assert off(found, TRUTH) < 1e-3
    assert found.spread < 1e-3
    assert found.kept == ("products of f32",)


@pytest.mark.parametrize("seed", range(4))
def test_noise_and_outliers_hardly_matter(seed):
    taken = measured(ALL, TRUTH, noise=0.02, seed=seed)
    for place in (3, 11, 30):
        taken[place] = replace(taken[place], seconds=5 * taken[place].seconds)
    found = calibrate(taken, CHIP, LAID, "a test")
    assert off(found, TRUTH) < 0.1
    assert 0.005 < found.spread < 0.05


FACTORS = st.floats(0.3, 3.0)


@settings(max_examples=20, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(TRUTH, FACTORS)))
def test_any_hardware_near_the_table_is_found(factors):
    found = calibrate(measured(ALL, factors), CHIP, LAID, "a test")
    assert found.spread < 0.01


def test_what_was_measured_says_so_and_the_rest_is_kept():
    found = calibrate(measured(STREAMS, TRUTH, ALONE), CHIP, ALONE, "my host, 8 January")
    launch, memory = found.device.launch, found.device.memory
    assert launch.value == pytest.approx(6e-6, rel=0.01)
    assert (launch.basis, memory.reached.basis) == ("measured", "measured")
    assert launch.origin == "fitted to 7 measurements: my host, 8 January"
    assert memory.peak == CHIP.memory.peak
    assert found.device.products == CHIP.products
    assert set(found.kept) == {"products of bf16", "products of f32", "vectors of f32"}


def test_a_number_that_must_be_better_than_it_was_is_known_as_a_bound_only():
    """Vector units were thought to bind; memory does, and they cannot take longer than it."""
    factors = {**TRUTH, Number("vectors", "f32"): 0.1}
    found = calibrate(measured([*STREAMS, *DENSE], factors, ALONE), CHIP, ALONE, "a test")
    reached = found.device.rate("other", "f32").reached
    assert found.spread < 1e-3
    assert (reached.basis, reached.spread) == ("measured", pytest.approx(1.0))
    assert reached.value > 40 / (1.4 * 12) * 0.99


def test_a_number_that_was_hidden_and_binds_is_found():
    """Vector units were thought to be too fast to matter: no time would change with them."""
    light = [Workload((Kernel("other", 60 * n * n, 12 * n * n, "f32"),)) for n in SIZES]
    factors = {**TRUTH, Number("vectors", "f32"): 9.0}
    found = calibrate(measured([*STREAMS, *light], factors, ALONE), CHIP, ALONE, "a test")
    assert found.spread < 1e-3
    assert found.device.rate("other", "f32").reached.value == pytest.approx(1 / 9, rel=0.01)


def test_a_number_that_stays_hidden_is_kept():
    light = [Workload((Kernel("other", 30 * n * n, 12 * n * n, "f32"),)) for n in SIZES]
    found = calibrate(measured(light, TRUTH, ALONE), CHIP, ALONE, "a test")
    assert found.device.vectors == CHIP.vectors
    assert "vectors of f32" in found.kept
    assert found.spread < 1e-3


def test_a_calibrated_device_is_a_hardware_file(tmp_path):
    found = calibrate(measured(PRODUCTS, TRUTH, ALONE), CHIP, ALONE, "a test")
    path = tmp_path / "mine.json"
    save_hardware(found.device, path)
    assert load_device(str(path)) == found.device


def test_measurements_of_one_size_do_not_tell_launch_from_memory():
    one = Workload((Kernel("other", 0, 4 * 10**6, "f32"),))
    taken = measured([one, one, one], TRUTH, ALONE)
    with pytest.raises(UnfitMeasurementsError, match="tell apart launch and memory"):
        calibrate(taken, CHIP, ALONE, "a test")


def test_too_few_or_impossible_measurements_are_refused():
    few = measured(STREAMS[3:4], TRUTH, ALONE)
    with pytest.raises(UnfitMeasurementsError, match="they depend on 2 numbers"):
        calibrate(few, CHIP, ALONE, "a test")
    with pytest.raises(UnfitMeasurementsError, match="took no time"):
        calibrate([replace(few[0], seconds=0.0)], CHIP, ALONE, "a test")
    with pytest.raises(UnfitMeasurementsError, match="there is none"):
        calibrate([], CHIP, ALONE, "a test")


def test_every_number_can_be_scaled():
    for number in numbers_of(CHIP, WIRES):
        before = [one.value for one in quantities(CHIP, WIRES)]
        after = [one.value for one in quantities(*scaled(CHIP, WIRES, {number: 2.0}))]
        changed = [new / old for new, old in zip(after, before, strict=True) if new != old]
        assert changed in ([2.0], [0.5]), number


def quantities(chip, wires):
    links = [one.link for level in wires.levels for one in level]
    return [*chip.quantities, *(one for each in links for one in each.quantities)]


# ---- the fit itself


def test_a_fit_hardly_minds_an_outlier():
    times = np.array([1.00, 1.01, 0.99, 1.00, 5.0])
    found = fit(lambda x: np.exp(x) * np.ones(5), times, np.full(5, 100.0), np.array([1.0]))
    assert np.exp(found[0]) == pytest.approx(1.0, abs=0.01)


def test_a_soft_maximum_is_as_documented_and_a_hard_one_is_the_estimate():
    workloads = [
        Workload((Kernel("product", 750 * 10**6, 4 * 10**6, "bf16"),)),
        Workload((Kernel("product", 250 * 10**6, 4 * 10**6, "bf16"),)),
        *ALL,
    ]
    chip = device(launch_s=0)
    times, unchanged = PredictedTimes(workloads, chip, LAID), np.zeros(len(numbers_of(chip, WIRES)))
    soft = times.seconds(unchanged, 2.0)
    assert soft[:2] == pytest.approx([5e-6, 17**0.5 * 1e-6])
    hard = times.seconds(unchanged, float("inf"))
    assert hard == pytest.approx([estimate(workload, chip, LAID).total_s for workload in workloads])


@given(st.lists(st.floats(-1, 1), min_size=9, max_size=9))
def test_times_with_factors_are_those_of_scaled_hardware(logs):
    numbers = numbers_of(CHIP, WIRES)
    factors = dict(zip(numbers, np.exp(logs), strict=True))
    expected = [one.seconds for one in measured(ALL, factors)]
    times = PredictedTimes(ALL, CHIP, LAID).seconds(np.array(logs), float("inf"))
    assert times == pytest.approx(expected)
