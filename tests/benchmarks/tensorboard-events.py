"""Reads a run's event files with TensorBoard's own reader and compares them with what lies beside them.

    python3 tests/benchmarks/tensorboard-events.py OUTPUT_DIR [--logging_dir logs]

Needs the package tensorboard. A line per check; the exit code is 1 where one fails.
"""
import argparse
import json
import pathlib
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

SCALARS = {
    "loss": "loss", "loss/instance": "instance_loss", "loss/prior": "prior_loss", "loss/validation": "validation_loss",
    "lr": "learning_rate", "lr/text_encoder": "text_encoder_lr", "lr/step_size": "step_size", "grad_norm": "grad_norm",
    "time/seconds": "seconds", "time/images_per_second": "images_per_second", "memory/gib": "memory_gib", "epoch": "epoch",
}


def float32(value):
    return struct.unpack("f", struct.pack("f", float(value)))[0]


def expected(records):
    """Tag -> [(step, value)] of steps.jsonl."""
    series = {}
    for record in records:
        figures = {tag: record.get(key) for tag, key in SCALARS.items()}
        figures.update({f"grad_norm/{part}": norm for part, norm in (record.get("grad_norms") or {}).items()})
        figures.update({f"score/{name}": score for name, score in (record.get("scores") or {}).items()})
        for tag, key in (("watch/nearest", "similarity"), ("watch/without", "without_similarity")):
            values = [picture[key] for picture in record.get("watched") or [] if key in picture]
            if values:
                figures[tag] = sum(values) / len(values)
        for tag, value in figures.items():
            if value is not None:
                series.setdefault(tag, []).append((record["step"], float32(value)))
    return series


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--logging_dir", default="logs")
    args = parser.parse_args()
    everything = {key: 0 for key in event_accumulator.DEFAULT_SIZE_GUIDANCE}
    events = event_accumulator.EventAccumulator(str(args.folder / args.logging_dir), everything)
    events.Reload()
    failed = []

    def check(what, good, detail=""):
        print(f"{'OK' if good else 'FAILED'}  {what}  {detail}".rstrip())
        if not good:
            failed.append(what)

    with open(args.folder / "steps.jsonl", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    wanted, tags = expected(records), events.Tags()
    names = set(tags["scalars"])
    for tag, series in sorted(wanted.items()):
        # A run that was gone on from reports its last step again where it was scored later: the newest counts.
        found = [(event.step, event.value) for event in events.Scalars(tag)] if tag in names else []
        check(f"scalar {tag}", found == series, f"{len(found)} of {len(series)} steps")
    others = names - set(wanted)
    check("no other scalars", not others, " ".join(sorted(others)))

    pictures = sorted((args.folder / "validation").glob("step_*/*.png"))
    images = {(event.step, tag): event for tag in tags["images"] for event in events.Images(tag)}
    files = {path.read_bytes() for path in pictures}
    check("images are the files of validation/", {event.encoded_image_string for event in images.values()} == files,
          f"{len(images)} images, {len(pictures)} files")
    sizes = all(
        struct.unpack(">II", event.encoded_image_string[16:24]) == (event.width, event.height) for event in images.values())
    check("sizes of images", sizes)

    texts = {tag: events.Tensors(tag)[-1].tensor_proto.string_val[0].decode() for tag in events.PluginTagToContent("text")}
    with open(args.folder / "recipe.json", encoding="utf-8") as file:
        recipe = json.load(file)
    check("text prompts", recipe["instance_prompt"] in texts.get("prompts", ""))
    check("text recipe", json.loads(texts.get("recipe", "```\n{}\n```").strip("`\n")).get("seed") == recipe["seed"])

    content = events.PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(content["_hparams_/session_start_info"]).session_start_info
    values = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    wrong = [name for name, value in values.items() if str(recipe.get(name)) != str(value) and recipe.get(name) != value]
    check("hyperparameters", len(values) > 20 and not wrong, f"{len(values)} of them {' '.join(wrong)}".rstrip())
    check("hyperparameters' end", "_hparams_/session_end_info" in content)
    print("all OK" if not failed else f"{len(failed)} FAILED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
