# make demo   hear and see the sample clips and recommend, on the lean runtime alone
# make test   everything, in environments of its own
# make bench  measurements of this machine      make lint    ruff and mypy
# make assets rebuild edge/assets/ from the packages that export/data/packages.toml names (some two hours and 24 GB of cache)

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
PYTHON311 ?= $(shell command -v python3.11)
JOBS ?= 2

# One thread each: on few cores, more threads of BLAS and torch are slower, and the tests run side by side.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

DEVICE_PACKAGES = libportaudio2
TEST_PACKAGES = libportaudio2 pulseaudio libasound2-plugins

.PHONY: demo test test-main test-tflite lint bench assets clean

demo: .venv/.installed
	@.venv/bin/python -m edge.demo

test: .venv-test/.installed lint test-main test-tflite

test-main: .venv-test/.installed
	.venv-test/bin/python -m pytest -n $(JOBS) --dist loadfile

# The engine suite again, on tflite-runtime 2.14 and numpy 1 (Python 3.11 only).
test-tflite: $(if $(PYTHON311),.venv-tflite/.installed)
	$(if $(PYTHON311),.venv-tflite/bin/python -m pytest tests/edge/engine -p no:cacheprovider,@echo "no python3.11: the tflite-runtime suite is left out")

lint: .venv-test/.installed
	.venv-test/bin/ruff check .
	.venv-test/bin/mypy

bench: .venv-test/.installed
	.venv-test/bin/python -m benchmarks --out build/benchmarks

assets: .venv-test/.installed
	.venv-test/bin/python -m export.assets

# torch first and pinned: the version that every figure was measured with.
.venv-test/.installed: pyproject.toml
	@sh packaging/system-packages.sh $(TEST_PACKAGES)
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/pip install --quiet torch==2.13.0
	.venv-test/bin/pip install --quiet --editable '.[test]'
	@touch $@

.venv/.installed: pyproject.toml
	@sh packaging/system-packages.sh $(DEVICE_PACKAGES)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --editable '.[tv]'
	@touch $@

.venv-tflite/.installed: pyproject.toml
	$(PYTHON311) -m venv .venv-tflite
	.venv-tflite/bin/pip install --quiet 'tflite-runtime==2.14.0' 'numpy==1.26.4' pytest hypothesis
	@touch $@

clean:
	rm -rf .venv .venv-test .venv-tflite build *.egg-info
