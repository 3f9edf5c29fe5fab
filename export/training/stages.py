"""What a training consists of: its stages, what each asks of the student, and how many windows it hears.

The three stages are the field's: self-supervised contrast of two segments of one track (COLA, Saeed et al., 2021),
distillation from the teacher, and supervised fine-tuning on every task at once. A stage of no steps is left out.
"""

from dataclasses import asdict, dataclass, replace

from edge.errors import ExportError


@dataclass(frozen=True)
class Weights:
    """How much each loss counts; one of weight 0 is not computed."""

    segments: float = 0.0
    """Two segments of one track are to be nearer than those of others."""
    distillation: float = 0.0
    """1 - cosine to the teacher's vector."""
    relation: float = 0.0
    """Squared difference of the cosine matrices of a batch."""
    retrieval: float = 0.0
    """Cross entropy of finding tracks of the same artist or album in the teacher's catalogue."""
    contrast: float = 0.0
    """The same moment, nearly clean and in a room, on the recording head."""
    tags: float = 0.0
    """Cross entropy to the teacher's tag probabilities."""
    kind: float = 0.0
    """Cross entropy of speech, music, other."""


@dataclass(frozen=True)
class Stage:
    """One pass of a one-cycle schedule under fixed weights."""

    name: str
    steps: int
    weights: Weights
    learning_rate: float = 3e-3


PRETRAINING = Stage("pretraining", 200, Weights(segments=1.0))
DISTILLATION = Stage("distillation", 3_300, Weights(distillation=1.0, relation=1.0, contrast=0.3))
FINE_TUNING = Stage("fine-tuning", 3_500, Weights(distillation=1.0, relation=1.0, retrieval=0.1, contrast=0.5, tags=0.3,
                                                   kind=0.2), learning_rate=1.5e-3)


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on beside its data and its device."""

    stages: tuple[Stage, ...] = (PRETRAINING, DISTILLATION, FINE_TUNING)
    windows_per_batch: int = 128
    sounds_per_kind: int = 24
    """Windows of speech, of music and of other sounds beside those, in the stages that ask which is which."""
    weight_decay: float = 0.02
    temperature: float = 0.07
    rooms: int = 512
    speeds: tuple[float, ...] = (0.87, 1.15)
    """Of what each training track is heard at once more, by turns: about two and a half semitones down, and up."""
    seed: int = 1

    def scaled(self, factor: float) -> "Recipe":
        """The same recipe with so many times the steps."""
        return replace(self, stages=tuple(replace(stage, steps=round(stage.steps * factor)) for stage in self.stages))

    def ablated(self, stage: str) -> "Recipe":
        """Without a stage; the others get its steps."""
        left = self.without([stage])
        return left.scaled(self.steps / left.steps)

    def without(self, names: list[str]) -> "Recipe":
        """Leave out stages or losses by name. Raises ExportError."""
        recipe = self
        for name in names:
            recipe = recipe._without(name)
        return recipe

    def _without(self, name: str) -> "Recipe":
        if name in [stage.name for stage in self.stages]:
            return replace(self, stages=tuple(replace(stage, steps=0) if stage.name == name else stage
                                              for stage in self.stages))
        if name in asdict(Weights()):
            return replace(self, stages=tuple(replace(stage, weights=replace(stage.weights, **{name: 0.0}))
                                              for stage in self.stages))
        raise ExportError(f"nothing is called {name!r}; leave out {', '.join(removable(self))}")

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


def removable(recipe: Recipe) -> list[str]:
    """What ``without`` takes."""
    return [*(stage.name for stage in recipe.stages), *asdict(Weights())]
