"""Workload as data: its text, its file, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.errors import InconsistentError, UnreadableJsonError
from cfp.ir.workload import COMMUNICATION_KINDS, KERNEL_KINDS, Communication, Kernel, Workload

COUNTS = st.integers(0, 10**15)
KERNELS = st.builds(
    Kernel, st.sampled_from(KERNEL_KINDS), COUNTS, COUNTS, st.sampled_from(["f32", "bf16"]), COUNTS
)
AXES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(tuple)
COMMUNICATIONS = st.builds(
    Communication, st.sampled_from(COMMUNICATION_KINDS), AXES, COUNTS, COUNTS
)
WORKS = st.builds(
    Workload,
    st.lists(KERNELS, max_size=4).map(tuple),
    st.lists(COMMUNICATIONS, max_size=4).map(tuple),
)
FEED_FORWARD = Workload(
    (
        Kernel("product", 2 * 1024 * 4096 * 1024, 4 * (1024 * 4096 * 2 + 1024 * 1024), "f32", 2),
        Kernel("other", 2**20, 2**23, "f32"),
    ),
    (Communication("all-reduce", ("model",), 2**22),),
)


@given(WORKS)
def test_work_is_read_back_from_its_file(workload):
    workload.verify()
    assert Workload.from_json(workload.to_json()) == workload


def test_work_reads():
    assert (
        str(FEED_FORWARD)
        == """\
one device computes 17.2 GFLOP and moves 80.0 MiB
  times  kernel   dtype       FLOPs  moved
  2 ×    product  f32    8.59 GFLOP  36.0 MiB
  1 ×    other    f32    1.05 MFLOP  8.00 MiB
  times  collective    result  axes
  1 ×    all-reduce  4.00 MiB  model"""
    )


def test_nothing_to_do_reads():
    assert str(Workload(())) == "one device computes 0 FLOP and moves 0 B"


@pytest.mark.parametrize(
    ("workload", "fact"),
    [
        (Workload((Kernel("dot", 1, 1, "f32"),)), "a kernel is of kind 'dot'"),
        (Workload((Kernel("other", 1, -1, "f32"),)), "a kernel counts less than nothing"),
        (Workload((), (Communication("halo", ("a",), 1),)), "a collective is of kind 'halo'"),
        (Workload((), (Communication("all-gather", (), 1),)), "a collective runs over no axis"),
        (Workload((), (Communication("all-gather", ("a", "a"), 1),)), "names an axis twice"),
        (Workload((), (Communication("all-gather", ("a",), -1),)), "sends less than nothing"),
    ],
)
def test_work_that_contradicts_itself_is_refused(workload, fact):
    with pytest.raises(InconsistentError, match=fact):
        workload.verify()
    with pytest.raises(InconsistentError, match=fact):
        Workload.from_json(workload.to_json())


def test_a_file_of_another_form_is_refused():
    with pytest.raises(UnreadableJsonError, match="expected int, found float"):
        Workload.from_json(FEED_FORWARD.to_json().replace("8388608", "8388608.5"))
