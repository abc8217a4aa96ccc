"""The public names of cfp: few, there when asked for, and no others."""

import pytest

import cfp


def test_a_public_name_is_there_and_another_is_not() -> None:
    assert dir(cfp) == sorted(cfp.__all__)
    assert len(cfp.__all__) <= 12
    assert all(getattr(cfp, name) for name in cfp.__all__)
    with pytest.raises(AttributeError, match="cfp has no public name 'analyse'"):
        cfp.analyse  # noqa: B018
