"""Do the lab and diffusers make the same pictures from the same folder, prompt and seed?

    python3 tests/benchmarks/same-pictures.py [--model FOLDER] [--lora FILE] [--out FOLDER] [--lab COMMAND]

Needs a Python with torch, transformers, peft, sentencepiece and diffusers (DIFFUSERS_SRC may name a folder that holds the
package). StableDiffusion3Pipeline.from_pretrained opens the model with nothing replaced. COMMAND starts the lab, by default
"dotnet run -c Release --". Both compute on the CPU in float32, 28 steps. FOLDER receives the pictures, pairs.png (ours above
theirs) and differences.json; the exit code is 1 if any value of any picture is more than 1 of 255 apart.
"""
import argparse, json, os, shlex, subprocess, sys

sys.path.insert(0, os.environ.get("DIFFUSERS_SRC", "."))
import diffusers, numpy, torch, transformers
from diffusers import StableDiffusion3Pipeline
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="data/sd3-mini")
parser.add_argument("--lora", default="data/gmc-cat-lora/pytorch_lora_weights.safetensors")
parser.add_argument("--out", default="outputs/same-pictures")
parser.add_argument("--lab", default="dotnet run -c Release --")
flags = parser.parse_args()

# name, prompt, seed, guidance, height, width, with the LoRA
CASES = [
    ("plain", "a photo of a red fox sitting in the snow", 0, 4.0, 128, 128, False),
    ("no-guidance", "a striped green cat on a rug wearing a hat", 1, 1.0, 128, 128, False),
    ("high-guidance", "a watercolour painting of a rabbit in a garden", 2, 7.0, 128, 128, False),
    ("wide", "a blue car in a city at night", 3, 4.0, 96, 128, False),
    ("small", "a pixel art picture of a robot on the moon", 4, 4.0, 64, 64, False),
    ("unknown-words", "Ein Foto of ZWX, a grey  cat!", 5, 4.0, 128, 128, False),
    ("lora", "a photo of gmc cat", 6, 3.0, 128, 128, True),
    ("lora-art", "a stained glass window of gmc cat", 7, 3.0, 128, 128, True),
]
os.makedirs(flags.out, exist_ok=True)
torch.set_grad_enabled(False)
pipe = StableDiffusion3Pipeline.from_pretrained(flags.model, torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
version = f"diffusers {diffusers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}"
rows, worst = [], 0
for name, prompt, seed, guidance, height, width, lora in CASES:
    if lora and not os.path.exists(flags.lora):
        continue
    if lora:
        pipe.load_lora_weights(os.path.dirname(flags.lora) or ".", weight_name=os.path.basename(flags.lora))
    theirs = pipe(
        prompt, generator=torch.Generator("cpu").manual_seed(seed), num_inference_steps=28, guidance_scale=guidance,
        height=height, width=width, max_sequence_length=32).images[0]
    if lora:
        pipe.unload_lora_weights()
    folder = os.path.join(flags.out, name)
    command = shlex.split(flags.lab) + [
        "generate", "--model", flags.model, "--prompt", prompt, "--seed", str(seed), "--num_steps", "28", "--guidance", str(guidance),
        "--height", str(height), "--width", str(width), "--device", "cpu", "--output_dir", folder]
    command += ["--lora", flags.lora] if lora else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    pictures = [os.path.join(top, file) for top, _, files in os.walk(folder) for file in files if file.startswith("img_")]
    newest = max(pictures, key=os.path.getmtime)
    ours = Image.open(newest).convert("RGB")
    theirs.save(os.path.join(flags.out, name + "-diffusers.png"))
    ours.save(os.path.join(flags.out, name + "-lab.png"))
    apart = numpy.abs(numpy.asarray(theirs.convert("RGB")).astype(int) - numpy.asarray(ours).astype(int))
    worst = max(worst, int(apart.max()))
    rows.append({
        "case": name, "prompt": prompt, "seed": seed, "guidance": guidance, "size": f"{width}x{height}",
        "largest": int(apart.max()), "mean": round(float(apart.mean()), 5)})
    print(f"{name:14} largest difference {apart.max()} of 255, mean {apart.mean():.5f}", flush=True)

pairs = Image.new("RGB", (136 * len(rows), 272), "white")
for i, row in enumerate(rows):
    for y, who in enumerate(("lab", "diffusers")):
        pairs.paste(Image.open(os.path.join(flags.out, f"{row['case']}-{who}.png")), (136 * i + 4, 136 * y + 4))
pairs.save(os.path.join(flags.out, "pairs.png"))
with open(os.path.join(flags.out, "differences.json"), "w", encoding="utf-8") as file:
    json.dump({"versions": version, "cases": rows}, file, indent=2)
print(version)
sys.exit(1 if worst > 1 else 0)
