import numpy as np
import pytest
import torch
import torch.nn.functional as F

from edge.errors import ExportError
from export.models.video import (
    ConvNorm,
    EfficientNetLite0,
    VideoStudent,
    fit_projection,
    load_backbone,
    normalise,
    pooled_features,
    space_id,
)


def published_name(key: str) -> str:
    """Our names as those of the published weights, for a file made in the test."""
    for ours, theirs in (("stem.conv.", "_conv_stem."), ("stem.norm.", "_bn0."), ("head.conv.", "_conv_head."),
                         ("head.norm.", "_bn1."), ("classifier.", "_fc."), ("expand.conv.", "_expand_conv."),
                         ("expand.norm.", "_bn0."), ("depthwise.conv.", "_depthwise_conv."),
                         ("depthwise.norm.", "_bn1."), ("project.conv.", "_project_conv."),
                         ("project.norm.", "_bn2."), ("blocks.", "_blocks.")):
        key = key.replace(ours, theirs)
    return key


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(5)
    return EfficientNetLite0().eval()


def test_it_has_the_published_number_of_parameters(backbone):
    """4,652,008 by Keras and the original release, with the classifier."""
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 4_652_008


def test_published_names_are_mapped(backbone, tmp_path):
    state = {published_name(key): value for key, value in backbone.state_dict().items()}
    torch.save(state, tmp_path / "lite0.pth")
    loaded = load_backbone(tmp_path / "lite0.pth")
    for key, value in backbone.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_another_models_weights_are_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ExportError, match="has no tensor 'blocks"):
        load_backbone(tmp_path / "other.pth")


@pytest.mark.parametrize(("kernel", "stride", "size"), [(3, 2, 224), (5, 2, 56), (3, 1, 7), (5, 1, 14), (1, 1, 7)])
def test_padding_is_tensorflows_same(kernel, stride, size):
    """TensorFlow pads max((ceil(n / s) - 1) s + k - n, 0), the odd one after."""
    layer = ConvNorm(2, 2, kernel, stride=stride, linear=True).eval()
    x = torch.randn(1, 2, size, size)
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before, after = total // 2, total - total // 2
    wanted = F.conv2d(F.pad(x, (before, after, before, after)), layer.conv.weight, stride=stride)
    torch.testing.assert_close(layer.conv(layer.pad(x)), wanted)


def test_pictures_become_pooled_features(backbone):
    images = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    features = pooled_features(backbone, images, batch=2)
    assert features.shape == (3, 1280)
    assert (features >= 0).all()
    with torch.no_grad():
        np.testing.assert_allclose(features[2:], backbone(normalise(images[2:])).numpy(), atol=1e-5)


def test_normalise_is_that_of_the_weights():
    x = normalise(np.full((1, 224, 224, 3), (127, 255, 0), np.uint8))
    assert x.shape == (1, 3, 224, 224)
    assert x[0, :, 0, 0].tolist() == [0.0, 1.0, -127 / 128]


def test_the_projection_is_pca_of_the_features():
    random = np.random.default_rng(1)
    turned = np.linalg.qr(random.normal(size=(6, 6)))[0]
    features = (random.normal(size=(200, 6)) * [9, 7, 5, 1, 0.1, 0.1] + 20) @ turned
    projection = fit_projection(features.astype(np.float32), dimension=3)
    with torch.no_grad():
        projected = projection(torch.from_numpy(features.astype(np.float32))).numpy()
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-3)
    spectrum = np.linalg.eigvalsh(np.cov(features, rowvar=False))[::-1][:3]
    np.testing.assert_allclose(np.cov(projected, rowvar=False), np.diag(spectrum), atol=0.02)


def test_the_space_is_named_after_the_projection(backbone):
    features = np.random.default_rng(2).normal(size=(90, 80)).astype(np.float32)
    first, second = fit_projection(features), fit_projection(features)
    assert space_id(first) == space_id(second)
    assert space_id(first) != space_id(fit_projection(features[:65]))
    assert space_id(first).startswith("efficientnet-lite0-pca64@")


def test_the_student_gives_64_values_a_picture(backbone):
    with torch.no_grad():
        assert VideoStudent(backbone, torch.nn.Linear(1280, 64))(torch.zeros(1, 3, 224, 224)).shape == (1, 64)
