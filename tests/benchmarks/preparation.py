"""Do PIL and numpy make the same values of pictures as the lab, in both protocols?

    python3 tests/benchmarks/preparation.py FOLDER [--out FILE]

Needs Pillow and numpy. FOLDER is what `bench encoders --folder FOLDER` kept: pictures of odd sizes in odd/, the lab's values in
pixels.safetensors, the processors' configs in dino/ and clip/. Computed here from the papers' code and the published configs:
  dino, paper      shorter side to 256 (bicubic, PIL's antialiasing), the middle 224 x 224 (rounded half to even), ImageNet's mean
                   and deviation; with --torchvision the same again by torchvision's own transforms
  dino, published  the whole picture to a square, bilinear
  clip             shorter side, bicubic, the middle (rounded down), CLIP's mean and deviation; one way in both protocols
The exit code is 1 if any value is more than 1e-6 apart. FILE receives the figures as JSON.
"""
import argparse, json, os, platform, struct, sys

import numpy, PIL
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--out")
parser.add_argument("--torchvision", action="store_true", help="compare the paper's way with torchvision's transforms too")
flags = parser.parse_args()
MOST = 1e-6


def tensors(path):
    """The float32 tensors of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    assert all(entry["dtype"] == "F32" for entry in header.values())
    return {
        name: numpy.frombuffer(data[slice(*entry["data_offsets"])], numpy.float32).reshape(entry["shape"])
        for name, entry in header.items()}


def short_side(image, to, filter):
    width, height = image.size
    if min(width, height) == to:
        return image
    longer = int(to * max(width, height) / min(width, height))
    return image.resize((to, longer) if width <= height else (longer, to), filter)


def middle(image, side, rounded):
    left, top = (rounded(length - side) for length in image.size)
    return image.crop((left, top, left + side, top + side))


def normalised(image, config):
    values = numpy.asarray(image, dtype=numpy.float32) / numpy.float32(255)
    values = (values - numpy.float32(config["image_mean"])) / numpy.float32(config["image_std"])
    return values.transpose(2, 0, 1)


def dino(image, config, protocol):
    side = config["size"]["height"]
    if protocol == "published":
        return normalised(image.resize((side, side), Image.BILINEAR), config)
    resized = short_side(image, side * 256 // 224, Image.BICUBIC)
    return normalised(middle(resized, side, lambda rest: round(rest / 2)), config)


def clip(image, config, protocol):
    side = config["crop_size"]["height"]
    resized = short_side(image, config["size"]["shortest_edge"], Image.BICUBIC)
    return normalised(middle(resized, side, lambda rest: rest // 2), config)


def torchvision_dino(image, config):
    from torchvision import transforms
    side = config["size"]["height"]
    return transforms.Compose([
        transforms.Resize(side * 256 // 224, interpolation=transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(side),
        transforms.ToTensor(), transforms.Normalize(config["image_mean"], config["image_std"])])(image).numpy()


ours = tensors(os.path.join(flags.folder, "pixels.safetensors"))
configs = {}
for name in ("dino", "clip"):
    with open(os.path.join(flags.folder, name, "preprocessor_config.json"), encoding="utf-8") as file:
        configs[name] = json.load(file)
rows = []
for key, values in sorted(ours.items()):
    encoder, protocol, picture = key.split("/")
    image = Image.open(os.path.join(flags.folder, "odd", picture + ".png")).convert("RGB")
    ways = [("PIL", {"dino": dino, "clip": clip}[encoder](image, configs[encoder], protocol))]
    if flags.torchvision and (encoder, protocol) == ("dino", "paper"):
        ways.append(("torchvision", torchvision_dino(image, configs[encoder])))
    for way, theirs in ways:
        same = theirs.shape == values.shape
        worst = float(numpy.abs(theirs - values).max()) if same else float("inf")
        rows.append(dict(encoder=encoder, protocol=protocol, picture=picture, beside=way, shape=list(values.shape), largest=worst))
        print(f"{encoder:5} {protocol:10} {picture:9} {way:12} largest difference {worst:.2g}")

versions = dict(pillow=PIL.__version__, numpy=numpy.__version__, python=platform.python_version())
if flags.torchvision:
    import torch, torchvision
    versions.update(torch=torch.__version__, torchvision=torchvision.__version__)
largest = max(row["largest"] for row in rows)
print(f"{len(rows)} comparisons, largest difference {largest:.2g} of at most {MOST:g}; {versions}")
if flags.out:
    with open(flags.out, "w", encoding="utf-8") as file:
        json.dump(dict(versions=versions, tolerance=MOST, largest=largest, cases=rows), file, indent=1)
        file.write("\n")
sys.exit(0 if rows and largest <= MOST else 1)
