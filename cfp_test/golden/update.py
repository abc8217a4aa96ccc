"""`python -m cfp_test.golden.update`: writes the goldens anew, in the root of the checkout."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before JAX is imported

from cfp_test.golden.dumps import FOLDER, STEPS, dumps_of


def main() -> None:
    """All models; a file that changes is named."""
    for name in STEPS:
        for file, text in dumps_of(name).items():
            golden = FOLDER / name / file
            golden.parent.mkdir(exist_ok=True)
            if not golden.exists() or golden.read_text(encoding="utf-8") != text:
                golden.write_text(text, encoding="utf-8")
                print(f"wrote {golden.relative_to(FOLDER)}")


if __name__ == "__main__":
    main()
