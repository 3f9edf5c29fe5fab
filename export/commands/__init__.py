"""The commands of ``roomtone-export``: each module has NAME, HELP, EXAMPLE, add_arguments and run.

``run`` takes the parsed arguments and returns the document that is printed. What is slow to import is imported in it.
"""

from export.commands import (
    catalog,
    collaborative,
    evaluate,
    keygen,
    map,
    model,
    publish,
    replay,
    sign,
    teachers,
    verify,
)

ALL = (model, catalog, map, collaborative, evaluate, replay, teachers, verify, keygen, sign, publish)
