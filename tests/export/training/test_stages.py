"""A recipe is what its stages say, and any of them can be left out."""

import pytest

from edge.errors import ExportError
from export.training.stages import Recipe, removable
from export.training.student import rate_at, stage_at


def test_a_stage_that_is_left_out_has_no_steps_and_the_others_keep_theirs():
    whole, without = Recipe(), Recipe().without(["distillation"])
    assert without.steps == whole.steps - whole.stages[1].steps
    assert stage_at(without, whole.stages[0].steps)[0].name == "fine-tuning"


def test_a_loss_that_is_left_out_weighs_nothing_in_any_stage():
    assert all(stage.weights.contrast == 0 for stage in Recipe().without(["contrast"]).stages)


def test_the_other_stages_get_the_steps_of_the_one_left_out():
    without = Recipe().ablated("pretraining")
    assert without.stages[0].steps == 0
    assert without.steps == pytest.approx(Recipe().steps, abs=2)


def test_scaled_recipes_keep_their_shares():
    assert Recipe().scaled(0.1).steps == pytest.approx(Recipe().steps / 10, abs=2)


def test_an_unknown_part_is_named_with_what_there_is():
    with pytest.raises(ExportError, match=r"'dropout'.*pretraining, distillation, fine-tuning, segments"):
        Recipe().without(["dropout"])
    assert removable(Recipe())[:3] == ["pretraining", "distillation", "fine-tuning"]


def test_the_rate_rises_over_a_tenth_of_each_stage_and_falls_to_almost_nothing():
    recipe, begin = Recipe(), Recipe().stages[0].steps
    steps = recipe.stages[1].steps
    assert rate_at(recipe, begin + steps // 10) == pytest.approx(recipe.stages[1].learning_rate, rel=0.01)
    assert rate_at(recipe, begin + steps // 20) == pytest.approx(recipe.stages[1].learning_rate / 2, rel=0.05)
    assert rate_at(recipe, begin + steps - 1) < 0.01 * recipe.stages[1].learning_rate


def test_there_is_no_step_after_the_last():
    with pytest.raises(ExportError, match="beyond the recipe's last stage"):
        stage_at(Recipe(), Recipe().steps)
