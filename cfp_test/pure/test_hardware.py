"""Hardware: the shipped tables, files, texts, and what is refused."""

import json
import re
from dataclasses import replace

import pytest

from cfp.costs.hardware_table import (
    device_names,
    link_names,
    load_device,
    load_link,
    load_network,
    save_hardware,
)
from cfp.errors import (
    InconsistentError,
    UnknownHardwareError,
    UnreadableFileError,
    UnreadableJsonError,
    UnreadableNetworkError,
)
from cfp.ir.hardware import Device, Link, Rate
from cfp.ir.network import Network
from cfp_test.pure.small_hardware import device, link, network, quantity, rate, wired

DEVICES = [load_device(name) for name in device_names()]
LINKS = [load_link(name) for name in link_names()]
PROMISED_DEVICES = {
    *("v100-sxm2-32gb", "t4", "a10", "a100-40gb", "a100-80gb", "h100-sxm", "h200", "b200"),
    *("tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7x", "cpu-core"),
}
PROMISED_LINKS = {
    *("pcie-3-x16", "pcie-4-x16", "pcie-5-x16", "nvlink-2", "nvlink-3", "nvlink-4", "nvlink-5"),
    *("infiniband-hdr", "infiniband-ndr", "ethernet-10g", "ethernet-25g", "ethernet-100g"),
    *("ici-v4", "ici-v5e", "ici-v5p", "ici-v6e", "ici-v7x", "host-memory"),
}


# ---- the tables


def test_the_tables_have_what_is_promised():
    assert set(device_names()) == PROMISED_DEVICES
    assert set(link_names()) == PROMISED_LINKS


@pytest.mark.parametrize("one", [*DEVICES, *LINKS], ids=lambda one: one.name)
def test_a_table_is_named_as_its_file_and_every_number_has_a_source(one):
    load = load_device if isinstance(one, Device) else load_link
    assert load(one.name) is not one
    assert load(one.name) == one
    for number in one.quantities:
        number.verify()
        if number.basis in ("published", "derived"):
            assert number.spread <= 0.5
            assert re.search(r"https://|IEEE|DDR4|GHz|libtpu", number.origin), number.origin
        if number.basis == "assumed":
            assert number.spread >= 0.1, "what is assumed may be off"


@pytest.mark.parametrize("one", DEVICES, ids=lambda one: one.name)
def test_a_device_has_sane_magnitudes(one):
    product, memory = one.rate("product", "bf16").per_second, one.memory.per_second
    assert 1e10 < product < 1e16
    assert 1e9 < memory < 1e13
    assert 2 < product / memory < 1000, "FLOPs for each byte"
    assert 0.01 < one.memory_bytes.value / memory < 2, "seconds to read all of its memory"
    assert one.rate("other", "f32").per_second <= one.rate("product", "f32").per_second
    assert 1e-7 < one.launch.value < 1e-4
    assert all(0 < part.value <= 1 for part in one.quantities if part.unit == "share")


@pytest.mark.parametrize("one", LINKS, ids=lambda one: one.name)
def test_a_link_is_slower_than_any_memory_of_an_accelerator(one):
    slowest = min(each.memory.per_second for each in DEVICES if each.platform != "cpu")
    assert 1e9 <= one.bandwidth.peak.value < slowest
    assert 1e-7 < one.latency.value < 1e-3


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ("pcie-3-x16", "pcie-4-x16"),
        ("pcie-4-x16", "pcie-5-x16"),
        ("ethernet-10g", "ethernet-25g"),
        ("ethernet-25g", "ethernet-100g"),
        ("infiniband-hdr", "infiniband-ndr"),
        ("nvlink-4", "nvlink-5"),
        ("ici-v5e", "ici-v6e"),
    ],
)
def test_later_links_are_faster(slower, faster):
    assert load_link(slower).bandwidth.per_second < load_link(faster).bandwidth.per_second


@pytest.mark.parametrize(
    ("slower", "faster"),
    [("v100-sxm2-32gb", "a100-40gb"), ("a100-80gb", "h100-sxm"), ("h200", "b200")],
)
def test_later_devices_are_faster(slower, faster):
    before, after = load_device(slower), load_device(faster)
    assert before.rate("product", "bf16").per_second < after.rate("product", "bf16").per_second
    assert before.memory.per_second < after.memory.per_second


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(UnknownHardwareError, match=r"name one of .*h100-sxm"):
        load_device("H100")
    with pytest.raises(UnknownHardwareError, match="nvlink-4"):
        load_link("nvlink4")


# ---- dtypes


@pytest.mark.parametrize(
    ("name", "dtype", "held_by"),
    [
        ("h100-sxm", "f8e4m3fn", "f8"),
        ("a100-40gb", "f8e5m2", "bf16"),
        ("v100-sxm2-32gb", "bf16", "f32"),
        ("tpu-v5e", "f16", "f32"),
        ("tpu-v5e", "u8", "s8"),
        ("a100-40gb", "c64", "f32"),
        ("a100-40gb", "pred", "s8"),
    ],
)
def test_a_dtype_without_units_is_computed_as_a_wider_one(name, dtype, held_by):
    one = load_device(name)
    assert one.rate("product", dtype) == dict(one.products)[held_by]


def test_where_no_dtype_is_wide_enough_the_slowest_is_taken():
    assert device(flops=100).rate("product", "f64").per_second == 50


# ---- files and texts


@pytest.mark.parametrize(
    "noun", [device(), link(), network(wired("switch", 8), [wired("ring", 4), wired("line", 2)])]
)
def test_hardware_is_read_back_from_its_file(noun, tmp_path):
    path = tmp_path / "noun.json"
    save_hardware(noun, path)
    load = {Device: load_device, Link: load_link, Network: load_network}[type(noun)]
    assert load(str(path)) == noun
    assert [file.name for file in tmp_path.iterdir()] == ["noun.json"]


def test_a_file_that_cannot_be_had_is_named(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"missing\.json"):
        load_device(str(tmp_path / "missing.json"))
    with pytest.raises(UnreadableFileError):
        save_hardware(link(), tmp_path / "no folder" / "link.json")


def test_a_file_that_is_refused_is_named(tmp_path):
    path = tmp_path / "link.json"
    path.write_text(json.dumps({**json.loads(link().to_json()), "color": "red"}))
    with pytest.raises(UnreadableJsonError, match="color") as caught:
        load_link(str(path))
    assert caught.value.__notes__ == [f"  file:  {path}"]


TEXTS = (
    "switch:8 of 18 nvlink-4",
    "switch:8 of 18 nvlink-4, tree:4 of 8 infiniband-ndr 2 times oversubscribed",
    "ring:4 of ici-v5p x ring:4 of ici-v5p x ring:8 of ici-v5p",
    "line:4 of ici-v5e x line:2 of ici-v5e, switch:2 of ethernet-100g",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_network_is_read_from_its_text(text):
    assert str(load_network(text)).splitlines()[0] == f"network {text}"


def test_a_network_of_a_text_has_its_wirings():
    one = load_network(TEXTS[1])
    assert one.devices == 32
    assert [wiring.links for level in one.levels for wiring in level] == [18, 8]
    assert one.levels[1][0].oversubscription == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not form:size of links"),
        ("switch:8", "'switch:8' is not form:size of links"),
        ("star:8 of nvlink-4", "'star' is no form"),
    ],
)
def test_a_text_that_describes_no_network_is_refused(text, problem):
    with pytest.raises(UnreadableNetworkError, match=problem):
        load_network(text)


def test_a_link_reads():
    assert (
        str(link(25e9, 1.5e-6, "cable", 0.5))
        == """\
link cable
  bandwidth  25.0 GB/s, assumed [1]; 100.0 % of it reached ± 50.0 %, assumed [1]
  latency    1.50 us ± 50.0 %, assumed [1]
  [1] a test"""
    )


def test_a_device_reads():
    assert (
        str(device())
        == """\
device chip, gpu
  products of bf16    250 TFLOP/s, assumed [1]; 100.0 % of it reached, assumed [1]
  products of f32     125 TFLOP/s, assumed [1]; 100.0 % of it reached, assumed [1]
  vectors of f32      10.0 TFLOP/s, assumed [1]; 100.0 % of it reached, assumed [1]
  memory              74.5 GiB, assumed [1]
  its bandwidth       1.00 TB/s, assumed [1]; 100.0 % of it reached, assumed [1]
  launch of a kernel  2.00 us, assumed [1]
  [1] a test"""
    )


# ---- what is refused


@pytest.mark.parametrize(
    ("noun", "fact"),
    [
        (replace(quantity(1, "s"), unit="h"), "the unit is 'h'"),
        (replace(quantity(1, "s"), basis="guessed"), "the basis is 'guessed'"),
        (replace(quantity(1, "s"), origin=" "), "there is no origin"),
        (quantity(-1, "s"), "negative or not finite"),
        (quantity(1, "s", float("nan")), "its spread is negative or not finite"),
        (rate(0, "B/s"), "0 B/s are reached"),
        (Rate(quantity(1, "B/s"), quantity(1, "s")), "the share of its peak is in s"),
        (replace(device(), platform="abacus"), "its platform is 'abacus'"),
        (replace(device(), memory=rate(1, "FLOP/s")), "its memory moves"),
        (replace(device(), vectors=()), r"rates of \[\]"),
        (replace(device(), launch=quantity(1, "B")), "is not in s"),
        (replace(link(), latency=quantity(1, "B")), "are not in B/s and s"),
        (wired("star", 4), "its form is none of ring, line, full, switch, tree"),
        (wired("ring", 0), "it has no member"),
        (wired("ring", 4, links=0), "a member has no link"),
        (wired("ring", 4, oversubscription=2.0), "no tree, and oversubscribed"),
        (wired("tree", 4, oversubscription=0.5), "oversubscribed less than once"),
        (network([]), "a level joins nothing"),
        (network([wired("ring", 4), wired("switch", 4)]), "switch is a dimension of a grid"),
    ],
)
def test_hardware_that_contradicts_itself_is_refused(noun, fact):
    with pytest.raises(InconsistentError, match=fact):
        noun.verify()
