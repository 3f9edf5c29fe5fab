"""Makes the small TFLite models that the engine tests use: ``python tests/data/make_tflite.py``.

They are committed, because the virtual environment that tests tflite-runtime has nothing to make them with. The
arithmetic is in tests/edge/engine/heads.py, so that the right answers are known without any runtime.
"""

import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.edge.engine import heads  # noqa: E402
