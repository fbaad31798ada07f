"""How people name the image of a job, and how an operator lists some."""

import pytest

from fabriek.compute.images import Image, image_of, listed_images, path_of
from fabriek.kernel.errors import InvalidInput, NotFound


def test_an_image_is_a_file_of_a_dataset_version_or_a_name_of_the_operators() -> None:
    assert image_of("images@3:torch/2.sif") == Image("images@3", "torch/2.sif")
    assert image_of("lab/images:a:b.sif") == Image("lab/images", "a:b.sif")
    assert image_of("torch-2.6") == Image("", "torch-2.6")
    assert image_of("") is None


@pytest.mark.parametrize(
    "text",
    ["/srv/torch.sif", "docker://torch", "images@3:", "images:/etc/passwd", "images:../x", "images:a/../../x", ":x", "images:a//b", "images:.",
     "Torch", "-x", "torch.sif\n", "images:a\0b", "$(touch x)"],
)  # fmt: skip
def test_what_names_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        image_of(text)
    assert "--image NAME@V:FILE" in refused.value.fix


def test_an_operator_lists_images_by_name_and_path() -> None:
    assert listed_images(" torch=/srv/torch.sif, r = /srv/r=4.sif ,") == {
        "torch": "/srv/torch.sif",
        "r": "/srv/r=4.sif",
    }
    assert listed_images("") == {}


@pytest.mark.parametrize("text", ["torch", "torch=srv/torch.sif", "=/srv/torch.sif", "a:b=/srv/x"])
def test_a_list_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="job_images"):
        listed_images(text)


def test_a_name_that_is_not_listed_is_answered_with_those_that_are() -> None:
    with pytest.raises(NotFound) as refused:
        path_of("r", {"torch": "/srv/torch.sif"})
    assert refused.value.fix == "one of torch"
