"""`python -m cfp_test.golden.update`: writes the goldens anew, in the root of the checkout."""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before JAX is imported

import jax

from cfp_test.golden.dumps import FOLDER, JAX_VERSION, STEPS, dumps_of


def main() -> None:
    """All models; a file that changes is named."""
    if jax.__version__ != JAX_VERSION:
        sys.exit(f"goldens are written with JAX {JAX_VERSION}, this is {jax.__version__}")
    for name in STEPS:
        for file, text in dumps_of(name).items():
            golden = FOLDER / name / file
            golden.parent.mkdir(exist_ok=True)
            if not golden.exists() or golden.read_text(encoding="utf-8") != text:
                golden.write_text(text, encoding="utf-8")
                print(f"wrote {golden.relative_to(FOLDER)}")


if __name__ == "__main__":
    main()
