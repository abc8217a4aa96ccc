"""An audit as data: what it calls a problem, its page, and its way through JSON."""

from dataclasses import replace

import pytest

from cfp.errors import InconsistentError
from cfp.ir.audit import (
    Audit,
    Difference,
    Mispartition,
    Numerics,
    ProgramAudit,
    Rematerialization,
    Traffic,
    Unexplained,
)
from cfp.ir.memory import MemoryUse
from cfp.ir.mesh import Mesh

LOSS = Difference("result[1]['loss']", 2, 2e-6, 1e-5, 2e-6, 3.0)
STRAY = Unexplained(
    "all-gather", "model", "f32[64,64]", 4, 65536, "all-gather.7", "3/1", "net.py:7 in f"
)
PROGRAM = ProgramAudit(
    step="step",
    mesh=Mesh.parse("data:4 x model:2"),
    platform="cpu",
    traffic=(Traffic("all-reduce", "data", 3, 24576, 3, 24576),),
    unexplained=(),
    rematerializations=(),
    predicted=MemoryUse(1 << 20, 1 << 20, 1 << 20, 3 << 19),
    compiled=MemoryUse(1 << 20, 1 << 20, 1 << 20, 1 << 21),
    contractions=5,
    unseen=(),
    mispartitions=(),
)
GOOD = Audit(PROGRAM, Numerics(3, "float32", 256, 1.9e-6, 10.0, (LOSS,)))
WRONG = replace(
    PROGRAM,
    unexplained=(STRAY,),
    rematerializations=(
        Rematerialization("%reshape.3 = f32[8,8] reshape(%a)", "{a}", "{b}", "net.py:9 in g"),
    ),
    unseen=("9",),
    mispartitions=(
        Mispartition("4", "net.py:5 in f", "b 1, m 2, n 8, k 4", "b 1, m 2, n 16, k 4"),
    ),
)
GOOD_PAGE = """\
audit of step step: no problem

numbers over 3 steps, 1 results: the mean difference of a result from the unsharded step's may be 10
                                 times what the unsharded step itself makes of inputs that are off
                                 by 1.9e-06, the rounding of a sum of 256 numbers of float32, and
                                 that rounding of its own elements; 1 is all that is allowed.
  result             of allowed  at step  mean     allowed  largest  typical size
  result[1]['loss']       0.200        2  2.0e-06  1.0e-05  2.0e-06  3.0e+00

collectives of one device in one step, on data:4 x model:2; a planned reduce-scatter is an \
all-reduce here
  kind        axis  planned     bytes  found  bytes
  all-reduce  data        3  24.0 KiB      3  24.0 KiB

involuntary full rematerialization: none

contractions: 5 decided, 5 on each device as decided

  memory of one device  predicted  compiled  error
  arguments              1.00 MiB  1.00 MiB  0.0 %
  results                1.00 MiB  1.00 MiB  0.0 %
  aliased                1.00 MiB  1.00 MiB  0.0 %
  temporaries            1.50 MiB  2.00 MiB  -25.0 %
  peak                   2.50 MiB  3.00 MiB  -16.7 %"""


def test_a_good_audit_is_ok_and_on_one_page():
    GOOD.verify()
    assert GOOD.ok
    assert str(GOOD) == GOOD_PAGE


def test_what_is_not_as_planned_is_a_problem_each():
    assert WRONG.problems == (
        (
            "%reshape.3 = f32[8,8] reshape(%a) is made whole on every device to go from {a} to "
            "{b}: net.py:9 in g"
        ),
        (
            "contraction 4 is b 1, m 2, n 16, k 4 on a device, and b 1, m 2, n 8, k 4 was decided: "
            "net.py:5 in f"
        ),
        (
            "collectives that are not in the plan send 266.7 % of all that is sent, 64.0 KiB of "
            "24.0 KiB"
        ),
    )
    page = str(WRONG)
    assert page.startswith("audit of step step: 3 problems\n")
    for text in (
        "%all-gather.7",
        "3/1, net.py:7 in f",
        "5 decided, 3 on each device as decided, 1",
    ):
        assert text in page


def test_a_compiler_may_add_a_little_traffic():
    much = replace(PROGRAM.traffic[0], found_bytes=1 << 30)
    assert replace(PROGRAM, unexplained=(STRAY,), traffic=(much,)).ok


@pytest.mark.parametrize(
    ("mean", "allowed", "ratio"),
    [(0.0, 0.0, 0.0), (1.0, 0.0, float("inf")), (2.0, 1.0, 2.0), (float("inf"), 1.0, float("inf"))],
)
def test_a_result_that_differs_more_than_is_allowed_is_a_problem(mean, allowed, ratio):
    found = replace(LOSS, mean=mean, allowed=allowed)
    assert found.ratio == ratio
    audit = replace(GOOD, numerics=replace(GOOD.numerics, differences=(found,)))
    assert audit.ok == (ratio <= 1)
    if not audit.ok:
        assert audit.problems[0].startswith(
            "result[1]['loss'] is not that of the unsharded step: at step 2 its elements differ by"
        )


def test_only_the_results_that_differ_most_are_shown():
    many = tuple(replace(LOSS, result=f"r{number}", mean=number * 1e-9) for number in range(30))
    page = str(replace(GOOD, numerics=replace(GOOD.numerics, differences=many)))
    assert "r29" in page
    assert "r9 " not in page
    assert "… 10 more" in page


def test_json_gives_the_audit_back():
    audit = replace(GOOD, program=WRONG)
    assert Audit.from_json(audit.to_json()) == audit


def test_contradictions_are_found():
    with pytest.raises(InconsistentError, match="more contractions are mentioned than there are"):
        replace(WRONG, contractions=1).verify()
    with pytest.raises(InconsistentError, match="no step was run"):
        replace(GOOD, numerics=replace(GOOD.numerics, steps=0)).verify()
