"""What each stage of the training buys: the same number of steps without it, measured on validation packages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.data.recipes import Package
from export.training.recipe import Studio
from export.training.stages import Recipe

CONDITIONS = ("clean", "room, noise 10 dB")


@dataclass(frozen=True)
class Row:
    """``retrieval`` and ``recording``: one number for each of CONDITIONS."""

    recipe: str
    steps: int
    cosine: float
    retrieval: dict[str, float]
    recording: dict[str, float]
    kinds: float
    """Balanced accuracy at 16 kHz."""


def ablate(packages: Sequence[Package], cache: Path, recipe: Recipe) -> list[Row]:
    """Train (or find trained) the whole recipe and each one without a stage."""
    stages = [stage.name for stage in recipe.stages if stage.steps]
    recipes = {"all stages": recipe, **{f"without {name}": recipe.ablated(name) for name in stages}}
    return [_row(name, Studio(packages, cache, changed)) for name, changed in recipes.items()]


def _row(name: str, studio: Studio) -> Row:
    hearing = studio.hearing()
    figures = studio.figures(hearing, "validation", conditions=CONDITIONS, with_teacher=False)
    return Row(name, studio.steps, figures.cosine, figures.retrieval, figures.recording,
               studio.kinds(hearing, "validation").balanced_accuracy["16 kHz"])


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    heads = ["recipe", "steps", "cosine", *(f"retrieval, {name}" for name in CONDITIONS),
             *(f"recording, {name}" for name in CONDITIONS), "kinds"]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in rows:
        lines.append([row.recipe, str(row.steps), f"{row.cosine:.3f}", *(f"{row.retrieval[c]:.3f}" for c in CONDITIONS),
                      *(f"{row.recording[c]:.1%}" for c in CONDITIONS), f"{row.kinds:.1%}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
