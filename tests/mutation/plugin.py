"""What pytest needs under mutmut, where one process collects the tests again and again."""

import gc

import pytest
from hypothesis import Phase, settings

# The same examples in every run, no deadline that a busy machine misses, no shrinking of what a mutant breaks.
settings.register_profile("mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Forget the test ids of an earlier collection: pytest escapes them a second time and then finds none of them."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if mark._param_ids_from is not None:
            object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)


def pytest_unconfigure() -> None:
    """Leave what is loaded out of the rubbish that each mutant's process collects."""
    gc.freeze()
