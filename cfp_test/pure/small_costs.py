"""Costs and keys to test with, some and all."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from cfp.ir.cost import Cost, CostKey, Versions
from cfp.ir.memory import MemoryUse

COST = Cost(0.0412, 0.0003, 7, "cpu", "measured", "cpu", "2026-11-21")
MODELLED = Cost(0.412, 0.02, 0, "model", "analytic", "TPU v5e", "2026-11-21")
FAILED = Cost.of_failure(
    "out of memory: 9.1 GiB\nat dot.3",
    clock="wall",
    source="measured",
    device="NVIDIA H100 80GB HBM3",
    when="2026-11-21",
)
KEY = CostKey(
    program="9f31c0aa" * 8,
    strategy="[batch->data, ., .]",
    mesh="data:8",
    device="cpu",
    source="measured",
    versions=Versions("0.10.2", "0.10.2", "0.1.0"),
    flags=("--xla_cpu_enable_fast_math=false",),
)
FAILED_KEY = replace(KEY, device=FAILED.device)

sizes = st.integers(0, 2**60)
seconds = st.floats(0, 1e9, allow_nan=False)
days = st.dates(date(1970, 1, 1)).map(date.isoformat)
texts = st.text(min_size=1, max_size=20)
memories = st.none() | st.builds(MemoryUse, sizes, sizes, st.just(0), sizes)
measured = st.builds(
    Cost,
    seconds,
    seconds,
    st.integers(1, 99),
    st.sampled_from(("cpu", "wall")),
    st.just("measured"),
    texts,
    days,
    st.none() | seconds,
    memories,
)
modelled = st.builds(
    Cost,
    seconds,
    seconds,
    st.just(0),
    st.just("model"),
    st.sampled_from(("compiled", "analytic")),
    texts,
    days,
    st.none() | seconds,
    memories,
)
failed = st.builds(
    Cost.of_failure,
    texts,
    clock=st.just("wall"),
    source=st.just("measured"),
    device=texts,
    when=days,
)
costs = measured | modelled | failed
keys = st.builds(
    CostKey,
    program=texts,
    strategy=st.text(max_size=20),
    mesh=texts,
    device=texts,
    source=st.sampled_from(("measured", "compiled", "analytic")),
    versions=st.builds(Versions, texts, texts, texts, st.text(max_size=9)),
    flags=st.lists(texts, max_size=3).map(tuple),
)
