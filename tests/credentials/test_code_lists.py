"""National code lists: every code and every name that licences use, and nothing else."""

import importlib

import pytest

from credentials import code_lists

# Read anew, so that what builds the lists runs while a test is looking.
LISTS = "code:GB/T2261.1", "code:GB/T3304", "code:GB/T4658"


@pytest.fixture
def lists():
    """The lists as the module makes them."""
    return importlib.reload(code_lists).CODE_LISTS


def test_the_lists_are_the_three_that_claims_draw_from(lists):
    """Sexes, ethnic groups, education."""
    assert tuple(lists) == LISTS
    assert [len(lists[name]) for name in LISTS] == [10, 56 * 3 + 4, 8 * 10 + 28 * 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code:GB/T2261.1", "1"),
        ("code:GB/T2261.1", "女"),
        ("code:GB/T3304", "01"),
        ("code:GB/T3304", "56"),
        ("code:GB/T3304", "汉"),
        ("code:GB/T3304", "汉族"),
        ("code:GB/T3304", "基诺族"),
        ("code:GB/T3304", "97"),
        ("code:GB/T4658", "10"),
        ("code:GB/T4658", "19"),
        ("code:GB/T4658", "90"),
        ("code:GB/T4658", "大学本科"),
        ("code:GB/T4658", "大学本科毕业"),
        ("code:GB/T4658", "文盲或半文盲"),
    ],
)
def test_a_code_and_a_name_are_in_the_list(lists, name, value):
    """First and last codes, names with and without what people append."""
    assert value in lists[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code:GB/T2261.1", "3"),
        ("code:GB/T3304", "00"),
        ("code:GB/T3304", "57"),
        ("code:GB/T3304", "1"),
        ("code:GB/T3304", "族"),
        ("code:GB/T4658", "50"),
        ("code:GB/T4658", "1"),
        ("code:GB/T4658", "110"),
        ("code:GB/T4658", "毕业"),
    ],
)
def test_what_is_neither_is_not(lists, name, value):
    """A code before the first, after the last, of a class that there is not, or half a name."""
    assert value not in lists[name]
