"""Work is left out in order before the budget is reached, and taken up again with hysteresis."""

import mmap

from hypothesis import given
from hypothesis import strategies as st

from edge.daemon.shedding import CALM_LOOKS, SHED_ABOVE, TAKE_UP_BELOW, Shedder, Step, trim_heap
from edge.firmware import MIB
from edge.memory import measure

BUDGET_BYTES = 100 * MIB


class Process:
    """Memory that follows what is done without."""

    def __init__(self, used_mib, *, cached_mib=0, savings_mib=(0, 0, 0)):
        self.used_mib, self.cached_mib = used_mib, cached_mib
        self.done = []
        self.steps = [self._step(name, saved) for name, saved in zip("abc", savings_mib, strict=True)]

    def _step(self, name, saved_mib):
        def leave_out():
            self.done.append(f"-{name}")
            self.used_mib -= saved_mib

        def take_up():
            self.done.append(f"+{name}")
            self.used_mib += saved_mib

        return Step(name, f"no {name}", leave_out, take_up)

    def measure(self):
        return {"pss_bytes": int((self.used_mib + self.cached_mib) * MIB), "anonymous_bytes": int(self.used_mib * MIB)}

    def give_back(self):
        self.cached_mib = 0


def shedder_of(process):
    return Shedder(process.steps, budget_bytes=BUDGET_BYTES, measure=process.measure, give_back=process.give_back)


def look(shedder, times):
    for _ in range(times):
        shedder.look()


def test_below_the_bound_nothing_happens():
    process = Process(92)
    shedder = shedder_of(process)
    look(shedder, 50)
    assert (process.done, shedder.report(), shedder.given_back) == ([], [], 0)


def test_what_is_cached_goes_before_any_work():
    process = Process(80, cached_mib=18)
    shedder = shedder_of(process)
    look(shedder, 3)
    assert (process.done, shedder.given_back) == ([], 1)


def test_one_step_a_look_in_order_until_it_is_enough():
    process = Process(97, savings_mib=(2, 3, 30))
    shedder = shedder_of(process)
    look(shedder, 1)
    assert process.done == ["-a"]
    look(shedder, 1)
    assert process.done == ["-a", "-b"]
    look(shedder, 5)
    assert process.done == ["-a", "-b"], "92 MiB of 100 are below the bound"
    assert [shed["work"] for shed in shedder.report()] == ["a", "b"]
    assert shedder.report()[0]["reason"] == "no a: 97.0 MiB of the budget of 100 MiB are used, 97.0 of them anonymous"


def test_where_all_is_shed_it_goes_on_looking():
    process = Process(99)
    look(shedder_of(process), 10)
    assert process.done == ["-a", "-b", "-c"]


def test_taken_up_again_the_last_first_after_a_while_of_calm():
    process = Process(97, savings_mib=(1, 4, 0))
    shedder = shedder_of(process)
    look(shedder, 3)
    process.used_mib -= 20  # 92 - 20
    look(shedder, CALM_LOOKS - 1)
    assert process.done == ["-a", "-b"]
    look(shedder, 1)
    assert process.done == ["-a", "-b", "+b"]
    look(shedder, CALM_LOOKS)
    assert process.done == ["-a", "-b", "+b", "+a"]
    assert shedder.report() == []


def test_not_taken_up_while_it_would_have_to_go_again():
    """Leaving it out is what made the room: with it, the use would be above the bound."""
    process = Process(95, savings_mib=(20, 0, 0))
    shedder = shedder_of(process)
    look(shedder, 10 * CALM_LOOKS)
    assert process.done == ["-a"]
    process.used_mib -= 10  # something else needs less: 65, and 85 with it
    look(shedder, CALM_LOOKS)
    assert process.done == ["-a", "+a"]


def test_between_the_bounds_nothing_changes():
    process = Process(97)
    shedder = shedder_of(process)
    look(shedder, 1)
    process.used_mib = 100 * (SHED_ABOVE + TAKE_UP_BELOW) / 2
    look(shedder, 10 * CALM_LOOKS)
    assert process.done == ["-a"]


def test_a_kernel_that_does_not_answer_changes_nothing():
    process = Process(97)
    shedder = shedder_of(process)
    look(shedder, 1)
    process.used_mib = 0
    look(shedder, 10 * CALM_LOOKS)
    assert process.done == ["-a"]


@given(st.lists(st.integers(1, 130), max_size=200), st.tuples(*[st.integers(0, 40)] * 3))
def test_whatever_is_used_the_order_holds(uses_mib, savings_mib):
    process = Process(50, savings_mib=savings_mib)
    shedder = shedder_of(process)
    out = []
    for used_mib in uses_mib:
        process.used_mib = used_mib
        before = len(process.done)
        shedder.look()
        assert len(process.done) - before <= 1
    for done in process.done:
        if done[0] == "-":
            out.append(done[1])
        else:
            assert out.pop() == done[1]
    assert out == list("abc")[: len(out)] == [shed["work"] for shed in shedder.report()]


def test_with_memory_that_is_really_used():
    """The measured process grows past the bound and shrinks again."""
    size_mib = 48
    trim_heap()
    budget_bytes = int((measure()["pss_bytes"] + size_mib * MIB / 2) / TAKE_UP_BELOW)
    done = []
    step = Step("sight", "no pictures are taken", lambda: done.append("-"), lambda: done.append("+"))
    shedder = Shedder([step], budget_bytes=budget_bytes, measure=measure, give_back=trim_heap)
    with mmap.mmap(-1, 2 * size_mib * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        block.write(b"\1" * len(block))
        look(shedder, 3)
        assert done == ["-"]
    look(shedder, CALM_LOOKS)
    assert done == ["-", "+"]


def test_what_something_else_gave_back_does_not_keep_a_step_out_for_ever():
    process = Process(95, savings_mib=(0, 0, 0))
    shedder = Shedder(process.steps, budget_bytes=BUDGET_BYTES, measure=process.measure, give_back=process.give_back)
    shedder.look()
    process.used_mib = 20  # 75 MiB, which are taken for the step's saving
    for _ in range(50):
        shedder.look()
    assert process.done == ["-a"]
    for _ in range(100):
        shedder.look()
    assert process.done == ["-a", "+a"]
