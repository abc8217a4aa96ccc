"""`python -m cfp analyze` as a stranger runs it: on models, their own file, a module, nonsense."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfp.__main__ import main
from cfp.ir import Analysis

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "cfp_test" / "native" / "data"
OWN_STEP = '''
import jax
import jax.numpy as jnp


def loss(w, x):
    hidden = jnp.tanh(x @ w)
    return (hidden @ w.T).sum()


def train(*, width: int = 24):
    """A stranger's step."""

    def step(w, x):
        return w - 0.1 * jax.grad(loss)(w, x)

    return step, (jax.ShapeDtypeStruct((16, width), "float32"),
                  jax.ShapeDtypeStruct((8, 16), "float32"))
'''


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    file = tmp_path / "my_training.py"
    file.write_text(OWN_STEP)
    return file


@pytest.fixture(autouse=True)
def _no_dump_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CFP_DUMP_DIR", raising=False)


def test_what_is_printed_stands_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "cfp_test.gpt:train_step", "--num_layer", "3"]) == 0
    printed = capsys.readouterr().out
    headlines = [
        "step step: ",
        "  takes  state ",
        "ParallelBlocks: ",
        "\nblock 0\n",
        "\nParallelBlocks sequence: (",
        "\nsegments\n",
        "\nanalysis time: ",
    ]
    places = [printed.index(headline) for headline in headlines]
    assert places == sorted(places)
    assert max(map(len, printed.splitlines())) <= 100


def test_repeated_layers_are_mapped_to_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    main(["analyze", "cfp_test.gpt:train_step", "--num_layer", "3"])
    lines = re.findall(
        r"^ParallelBlocks sequence: \((\d+), (\d+)\) mapped to \((\d+), (\d+)\)$",
        capsys.readouterr().out,
        re.MULTILINE,
    )
    ranges = [tuple(map(int, line)) for line in lines]
    assert len(ranges) == 2
    assert len({one[2:] for one in ranges}) == 1
    assert all(stop - start == last - first for start, stop, first, last in ranges)


def test_an_op_can_be_followed_from_its_line_to_its_block(own_file: Path, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    assert main(["analyze", f"{own_file}:train", "--dump_dir", str(dumps)]) == 0
    assert {file.name for file in dumps.iterdir()} == {
        "00_trace_step.txt",
        "01_analyze_hlo.txt",
        "after_ir.txt",
        "strategy_map.txt",
    }
    line = 1 + OWN_STEP.splitlines().index("    hidden = jnp.tanh(x @ w)")
    forward = re.compile(
        rf"^\S*my_training\.py:{line} +%\d+ dot f32\[8,24\]\(.*\)  block 0  \[B5\] root$",
        re.MULTILINE,
    )
    assert len(forward.findall((dumps / "after_ir.txt").read_text())) == 1


def test_a_step_of_ones_own_takes_flags(own_file: Path, tmp_path: Path) -> None:
    written = tmp_path / "analysis.json"
    assert main(["analyze", f"{own_file}:train", "--width", "40", "--json", str(written)]) == 0
    analysis = Analysis.from_json(written.read_text())
    analysis.verify()
    assert "f32[8,40]" in {op.shape for op in analysis.ops}


def test_a_module_needs_no_factory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(MODULES / "mlp.hlo.pb")]) == 0
    assert "ParallelBlocks: 2, 2 of them distinct" in capsys.readouterr().out


def test_a_step_without_contraction(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "cfp_test.zoo.no_contraction:train_step"]) == 0
    assert "ParallelBlocks: 0\n  none: no op of this step contracts" in capsys.readouterr().out


def test_help_teaches_the_flags_of_the_step(
    own_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", f"{own_file}:train", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "A stranger's step." in printed
    assert "--width int (default 24)" in printed


def test_the_environment_asks_for_dumps_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFP_DUMP_DIR", str(tmp_path / "dumps"))
    main(["analyze", str(MODULES / "loop.hlo.pb")])
    assert (tmp_path / "dumps" / "01_analyze_module.txt").exists()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["nowhere.pb"], 1, "the file nowhere.pb cannot be opened: No such file or directory"),
        ([str(ROOT)], 1, f"the file {ROOT} cannot be opened: Is a directory"),
        ([str(ROOT / "README.md")], 1, "the HLO cannot be read: "),
        ([str(ROOT / "README.md")], 1, "  pass:  analyze_module, number 1"),
        ([os.devnull], 1, "the HLO cannot be read: "),
        ([str(ROOT / "setup.py")], 1, "no step factory at "),
        (["no.such.module:train"], 1, "no step factory at 'no.such.module:train'"),
        (["cfp_test.gpt:train_step", "--layers", "4"], 2, "'--layers' is no flag"),
        (["cfp_test.gpt:train_step", "--num_layer", "four"], 2, "takes a value of type int"),
        ([str(MODULES / "mlp.hlo.pb"), "--json", "/no/such/folder/a.json"], 1, "cannot be opened"),
    ],
)
def test_errors_are_texts(
    words: list[str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", *words]) == status
    shown = capsys.readouterr().err
    assert shown.startswith("cfp: ")
    assert told in shown
    assert "\n  cure:  " in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: command"),
        (["analyse", "step"], "invalid choice: 'analyse'"),
        (["analyze"], "which step?"),
        (["analyze", str(MODULES / "mlp.hlo.pb"), "--num_layer", "4"], "a file has no flags"),
    ],
)
def test_a_wrong_command_is_a_usage_error(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert told in capsys.readouterr().err


def run_with_seed(seed: int, folder: Path) -> str:
    """Analyses in a process of its own, writes dumps and JSON into the folder."""
    words = ["cfp_test.moe:train_step", "--num_layer", "2", "--json", str(folder / "a.json")]
    run = subprocess.run(
        [sys.executable, "-m", "cfp", "analyze", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(seed), "CFP_DUMP_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.partition("analysis time")[0]


@pytest.mark.slow
def test_two_hash_seeds_give_the_same_dumps(tmp_path: Path) -> None:
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        folder.mkdir()
    printed = [run_with_seed(seed, folder) for seed, folder in enumerate(folders, start=1)]
    assert printed[0] == printed[1]
    names = sorted(file.name for file in folders[0].iterdir())
    assert len(names) == 5
    for name in names:
        assert (folders[0] / name).read_text() == (folders[1] / name).read_text(), name
