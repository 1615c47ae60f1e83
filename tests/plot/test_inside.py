"""Pictures of gates, hidden states and attention."""

import matplotlib as mpl
import numpy as np
import pytest

from seqdl.errors import ShapeError
from seqdl.plot.inside import MOST_LETTERS, attention, states


@pytest.fixture(autouse=True)
def close_figures():
    mpl.use("Agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


def test_gates_are_coloured_from_0_to_1_and_states_about_0():
    gate, state = np.array([[0.2, 0.4, 0.4]]), np.array([[-0.5, 0.1, 0.25]])
    assert states(gate).images[0].get_clim() == (0, 1)
    assert states(state).images[0].get_clim() == (-0.5, 0.5)


def test_units_stand_in_the_order_of_where_they_move_most():
    late, early = [0, 0, 0, 1], [0, 1, 1, 1]
    np.testing.assert_array_equal(states([late, early]).images[0].get_array(), [early, late])
    np.testing.assert_array_equal(states([late, early], ordered=False).images[0].get_array(), [late, early])


def test_padding_stays_white():
    image = states([[0.5, np.nan], [0.2, np.nan]]).images[0].get_array()
    assert np.ma.getmaskarray(np.ma.masked_invalid(image))[:, 1].all()


@pytest.mark.parametrize("draw", [states, attention])
def test_few_bases_are_written_and_many_are_counted(draw):
    for n in (5, MOST_LETTERS + 1):
        ax = draw(np.full((1, n), 0.2), np.zeros(n, dtype=int))
        written = [tick.get_text() for tick in ax.get_xticklabels()]
        assert (written == ["A"] * n) == (n == 5)
        assert ax.get_xlabel() == ("" if n == 5 else "position (bp)")


def test_attention_between_places_is_a_picture_and_of_a_pooling_bars():
    assert attention(np.eye(4)).images[0].get_array().shape == (4, 4)
    assert len(attention(np.full((1, 4), 0.25)).patches) == 4


def test_either_is_drawn_on_the_axes_it_is_given():
    from matplotlib.figure import Figure

    for draw in (states, attention):
        ax = Figure().subplots()
        assert draw(np.eye(3), ax=ax) is ax


@pytest.mark.parametrize(
    ("draw", "values", "codes", "message"),
    [
        (states, np.zeros((2, 3, 4)), None, r"the shape \(2, 3, 4\)"),
        (states, np.zeros((2, 3)), [0, 1], "for 3 positions"),
        (attention, np.zeros((2, 3)), None, r"\(L, L\) or \(1, L\)"),
    ],
)
def test_values_of_another_shape_are_refused(draw, values, codes, message):
    with pytest.raises(ShapeError, match=message):
        draw(values, codes)


def test_both_are_functions_of_the_package_however_often_they_are_asked_for():
    import seqdl

    assert [seqdl.plot.states, seqdl.plot.states, seqdl.plot.attention] == [states, states, attention]
