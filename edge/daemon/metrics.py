"""GET /metrics: the Prometheus text format, version 0.0.4, written by hand because it is this small."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from edge.daemon.room import Room

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, Any], float | None]


def render(room: Room, memory: dict[str, Any]) -> str:
    return "".join(_families(room, memory))


def _families(room: Room, memory: dict[str, Any]) -> Iterator[str]:
    about = room.about
    yield _family(
        "roomtone_info",
        "gauge",
        "What runs.",
        [
            (
                {
                    "version": about.version,
                    "profile": about.profile,
                    "engine": about.engine,
                    "bundle": about.bundle,
                    "snapshot": about.snapshot,
                },
                1,
            )
        ],
    )
    yield _family("roomtone_start_time_seconds", "gauge", "When the daemon started.", [({}, room.began_s)])
    yield _family("roomtone_muted", "gauge", "1 while capture is stopped by the mute switch.", [({}, room.mute.muted)])
    yield from _senses(room)
    yield _family(
        "roomtone_memory_pss_bytes",
        "gauge",
        "Proportional set size of the process.",
        [({}, memory["pss_bytes"])],
    )
    yield _family("roomtone_memory_anonymous_bytes", "gauge", "What no file backs.", [({}, memory["anonymous_bytes"])])
    yield _family(
        "roomtone_memory_part_bytes",
        "gauge",
        "Proportional set size by what it is for.",
        [({"part": part}, size) for part, size in memory["pss_by_part_bytes"].items()],
    )
    yield _family("roomtone_memory_budget_bytes", "gauge", "The profile's promise.", [({}, memory["budget_bytes"])])
    yield _family(
        "roomtone_shed",
        "gauge",
        "1 for work that is left out to stay within the budget.",
        [({"work": shed["work"], "reason": shed["reason"]}, 1) for shed in room.shed()],
    )
    yield _family("roomtone_cpu_seconds_total", "counter", "Processor time used.", [({}, time.process_time())])
    yield _family("roomtone_refreshes_total", "counter", "Refreshes of the list.", [({}, room.refresher.refreshed)])
    yield _family(
        "roomtone_feedback_total",
        "counter",
        "New feedback events.",
        [({"event": event}, n) for event, n in sorted(room.feedback.items())],
    )
    yield _family("roomtone_feedback_durable", "gauge", "0 while feedback is refused because it cannot be kept.",
                  [({}, room.desk.feedback()["durable"])])
    yield _family(
        "roomtone_http_answers_total",
        "counter",
        "HTTP answers.",
        [({"status": status}, n) for status, n in sorted(room.answers.items())],
    )
    yield _family("roomtone_event_readers", "gauge", "Readers of the event stream.", [({}, room.broadcaster.readers)])
    yield _family(
        "roomtone_events_dropped_total",
        "counter",
        "Events that slow readers lost.",
        [({}, room.broadcaster.dropped_total)],
    )


def _senses(room: Room) -> Iterator[str]:
    def each(value: str) -> list[Sample]:
        return [({"sense": name}, getattr(sense, value)) for name, sense in room.senses.items()]

    yield _family("roomtone_deaf", "gauge", "1 while frames should arrive and do not.", each("deaf"))
    yield _family(
        "roomtone_sense_state",
        "gauge",
        "1 for the state that a sense is in.",
        [({"sense": name, "state": sense.state.value}, 1) for name, sense in room.senses.items()],
    )
    yield _family("roomtone_frames_total", "counter", "Samples or pictures received.", each("frames"))
    yield _family(
        "roomtone_embeddings_total", "counter", "Windows of sound or pictures understood.", each("embeddings")
    )
    yield _family("roomtone_skipped_total", "counter", "Windows or pictures that took no inference.", each("skipped"))
    yield _family("roomtone_gaps_total", "counter", "Breaks in the sound or the pictures.", each("gaps"))
    yield _family("roomtone_overflows_total", "counter", "Times that the device had to drop frames.", each("overflows"))
    yield _family("roomtone_losses_total", "counter", "Times that the source was lost.", each("losses"))
    yield _family("roomtone_level_dbfs", "gauge", "Level of the latest block of sound.", each("level_dbfs"))


def _family(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> str:
    """One metric with its samples; a sample without a value is left out."""
    lines = [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        if value is not None:
            said = ",".join(f'{key}="{_escape(str(label))}"' for key, label in labels.items())
            lines.append(f"{name}{{{said}}} {float(value)!r}" if said else f"{name} {float(value)!r}")
    return "\n".join(lines) + "\n"


def _escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
