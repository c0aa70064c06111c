"""How fast transformers prepares and encodes the pictures that `bench encoders --folder FOLDER` kept, on the same machine.

    python3 tests/benchmarks/encoders.py FOLDER [--device cuda --dtype bf16] [--workers 8] [--batch_size 32] [--threads 2] [--json FILE]

Needs torch, transformers and Pillow. Encoders of random weights are made from FOLDER's configs; the processors are those that
transformers loads for FOLDER's preprocessor_config.json (--backend pil or torchvision chooses, where the version lets one).
Read and prepare runs in the processes of a DataLoader, which stand before the time starts: everything is done once, untimed,
then each part is timed. The parts bear the names of `bench encoders`.
"""
import argparse, datetime, glob, json, os, platform, time

import torch, transformers
from PIL import Image
from transformers import AutoImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection, ViTConfig, ViTModel

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--dtype", default="fp32", choices=["fp32", "fp16", "bf16"])
parser.add_argument("--workers", type=int, default=8)
parser.add_argument("--batch_size", type=int, default=32)
parser.add_argument("--threads", type=int, help="threads that the CPU computes with")
parser.add_argument("--backend", choices=["pil", "torchvision"])
parser.add_argument("--json")
flags = parser.parse_args()


def processor(name):
    folder = os.path.join(flags.folder, name)
    if flags.backend is None:
        return AutoImageProcessor.from_pretrained(folder)
    try:
        made = AutoImageProcessor.from_pretrained(folder, backend=flags.backend)
    except TypeError:  # before 5.0 the choice had another name
        made = AutoImageProcessor.from_pretrained(folder, use_fast=flags.backend == "torchvision")
    return made


class Pictures(torch.utils.data.Dataset):
    def __init__(self, files, prepares):
        self.files, self.prepares = files, prepares

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as file:
            image = file.convert("RGB")
        if not self.prepares:
            return index
        return [make(images=image, return_tensors="pt")["pixel_values"][0] for make in (dino_processor, clip_processor)]


def loader(prepares):
    return torch.utils.data.DataLoader(
        Pictures(files, prepares), batch_size=flags.batch_size, num_workers=flags.workers, persistent_workers=flags.workers > 0,
        pin_memory=device.type == "cuda")


def encode(pixels):
    dino_pixels, clip_pixels = (values.to(device, dtype, non_blocking=True) for values in pixels)
    dino_vectors = dino(pixel_values=dino_pixels).last_hidden_state[:, 0]
    clip_vectors = clip(pixel_values=clip_pixels).image_embeds
    return dino_vectors.float().cpu(), clip_vectors.float().cpu()  # reading back waits for the device


def timed(part, work):
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    print(f"{part:44}{seconds:9.3f} s{len(files) / seconds:10.1f} pictures/s", flush=True)
    if flags.json:
        with open(flags.json, "a", encoding="utf-8") as file:
            file.write(json.dumps(dict(record, result=dict(part=part, pictures=len(files), seconds=seconds))) + "\n")


def drain(batches):
    for _ in batches:
        pass


torch.set_grad_enabled(False)
if flags.threads:
    torch.set_num_threads(flags.threads)
device = torch.device(flags.device)
dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[flags.dtype]
files = sorted(glob.glob(os.path.join(flags.folder, "pictures", "*.png")))
if not files:
    raise SystemExit(f"{flags.folder}/pictures has no PNG files; bench encoders --folder {flags.folder} writes them.")
dino_processor, clip_processor = processor("dino"), processor("clip")
dino = ViTModel(ViTConfig.from_pretrained(os.path.join(flags.folder, "dino")), add_pooling_layer=False).to(device, dtype).eval()
clip = CLIPVisionModelWithProjection(CLIPVisionConfig.from_pretrained(os.path.join(flags.folder, "clip"))).to(device, dtype).eval()
record = dict(
    benchmark="encoders-python", date=datetime.datetime.now(datetime.timezone.utc).isoformat(),
    device=torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor", system=platform.platform(),
    torch=torch.__version__, transformers=transformers.__version__, pillow=Image.__version__,
    processors=[type(dino_processor).__name__, type(clip_processor).__name__],
    attention=[getattr(model.config, "_attn_implementation", None) for model in (dino, clip)],
    dtype=flags.dtype, workers=flags.workers, batch_size=flags.batch_size, threads=torch.get_num_threads(),
    cores=len(os.sched_getaffinity(0)))
print(json.dumps(record))

decoding, preparing = loader(False), loader(True)
drain(decoding)
prepared = list(preparing)
for batch in prepared[:2] + prepared[-1:]:
    encode(batch)  # first calls of a size choose their kernels
timed(f"decode, {flags.workers} processes", lambda: drain(decoding))
timed(f"decode and prepare for both, {flags.workers} processes", lambda: drain(preparing))
timed("encode by both", lambda: [encode(batch) for batch in prepared])
timed(f"all, {flags.workers} processes read and prepare meanwhile", lambda: [encode(batch) for batch in preparing])
