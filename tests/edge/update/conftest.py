"""A tiny household, keys, and repositories that are published for it; helper modules are loaded by their path."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _helper(path):
    specification = importlib.util.spec_from_file_location(f"update_tests_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shop_module():
    return _helper(HERE / "shop.py")


@pytest.fixture(scope="session")
def made(shop_module, tmp_path_factory):
    """The bundle, catalogue and keys that every test publishes from; never changed."""
    return shop_module.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shop(shop_module, made, tmp_path):
    """A publisher and one device, with nothing published yet."""
    return shop_module.Shop(made, tmp_path)


@pytest.fixture
def updated(shop):
    """The same with release 1 published and proved on the device."""
    shop.publish("1", sequence=1)
    shop.update()
    shop.prove()
    return shop
