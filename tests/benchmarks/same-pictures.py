"""Do the lab and diffusers make the same pictures from the same folder, prompt and seed?

    python3 tests/benchmarks/same-pictures.py [--model FOLDER] [--lora FILE] [--out FOLDER] [--lab COMMAND] [--cases NAMES]

Needs a Python with torch, transformers, peft, sentencepiece and diffusers (DIFFUSERS_SRC may name a folder that holds the
package). StableDiffusion3Pipeline.from_pretrained opens the model with nothing replaced. COMMAND starts the lab, by default
"dotnet run -c Release --". Both compute on the CPU in float32, 28 steps. FOLDER receives the pictures, pairs.png (ours above
theirs) and differences.json; the exit code is 1 if any value of any picture is more than 1 of 255 apart.

Guidance beside the classifier-free one: skip layers by StableDiffusion3Pipeline; CFG-Zero*, a part of the steps and rescaling by
diffusers' guiders; perturbed attention by StableDiffusion3PAGPipeline. The attention processors of that pipeline know neither
the norm of queries and keys nor a second attention, which SD3.5 has: they run on a transformer without both, of random
weights (pag-plain). For the model itself (pag) the same pipeline gets processors from here: diffusers' own ones, with the mask.
A guided picture counts only where it differs from the one without that guidance ("effect" in differences.json).
"""
import argparse, json, os, shlex, shutil, subprocess, sys

sys.path.insert(0, os.environ.get("DIFFUSERS_SRC", "."))
import diffusers, numpy, torch, transformers
from diffusers import SD3Transformer2DModel, StableDiffusion3PAGPipeline, StableDiffusion3Pipeline
from diffusers.guiders import ClassifierFreeGuidance, ClassifierFreeZeroStarGuidance
from diffusers.models.attention_processor import JointAttnProcessor2_0
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="data/sd3-mini")
parser.add_argument("--lora", default="data/gmc-cat-lora/pytorch_lora_weights.safetensors")
parser.add_argument("--out", default="outputs/same-pictures")
parser.add_argument("--lab", default="dotnet run -c Release --")
parser.add_argument("--cases", help="their names, separated by commas; default all")
flags = parser.parse_args()
PLAIN = os.path.join(flags.out, "plain-model")
PARTS = ("transformer", "scheduler", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "text_encoder_3", "tokenizer_3")


class Masked(JointAttnProcessor2_0):
    """Diffusers' processor, whose last rows, one part of so many, see of the image themselves alone."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, *args, **kwargs):
        of_image, of_text = super().__call__(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        rows, image = hidden_states.shape[0] // self.parts, hidden_states.shape[1]
        length = image + encoder_hidden_states.shape[1]
        mask = torch.zeros(length, length)
        mask[:image, :image] = float("-inf")
        mask[:image, :image].fill_diagonal_(0)
        whole = torch.nn.functional.scaled_dot_product_attention
        torch.nn.functional.scaled_dot_product_attention = lambda q, k, v, **rest: whole(q, k, v, attn_mask=mask, **rest)
        try:
            masked = super().__call__(attn, hidden_states[-rows:], encoder_hidden_states[-rows:], *args, **kwargs)
        finally:
            torch.nn.functional.scaled_dot_product_attention = whole
        return torch.cat([of_image[:-rows], masked[0]]), torch.cat([of_text[:-rows], masked[1]])


def plain_model(pipe):
    """The model's folder with a transformer of random weights that has no norm of queries and keys and no second attention."""
    shutil.rmtree(PLAIN, ignore_errors=True)
    shutil.copytree(flags.model, PLAIN, ignore=shutil.ignore_patterns("transformer", "MANIFEST.json", "*.md", "*.png", "curves"))
    torch.manual_seed(0)
    config = {**pipe.transformer.config, "qk_norm": None, "dual_attention_layers": ()}
    transformer = SD3Transformer2DModel.from_config(config).eval()
    transformer.save_pretrained(os.path.join(PLAIN, "transformer"))
    return transformer


def perturbed(pipe, layer, processors=None, transformer=None, scale=3.0):
    parts = {name: getattr(pipe, name) for name in PARTS} | ({"transformer": transformer} if transformer else {})
    pag = StableDiffusion3PAGPipeline(**parts, pag_applied_layers=layer)
    pag.set_progress_bar_config(disable=True)
    if processors:
        pag.set_pag_applied_layers(layer, processors)
    return lambda **call: pag(**call, pag_scale=scale).images[0]


def guided(pipe, guider):
    """A picture whose two predictions a guider of diffusers puts together."""
    def generate(prompt, generator, num_inference_steps, guidance_scale, height, width, max_sequence_length):
        how = guider(guidance_scale)
        positive, negative, pooled, negative_pooled = pipe.encode_prompt(
            prompt, None, None, do_classifier_free_guidance=True, max_sequence_length=max_sequence_length)
        latents = pipe.prepare_latents(
            1, pipe.transformer.config.in_channels, height, width, positive.dtype, torch.device("cpu"), generator)
        pipe.scheduler.set_timesteps(num_inference_steps)
        for i, t in enumerate(pipe.scheduler.timesteps):
            without, with_prompt = pipe.transformer(
                hidden_states=torch.cat([latents] * 2), timestep=t.expand(2), encoder_hidden_states=torch.cat([negative, positive]),
                pooled_projections=torch.cat([negative_pooled, pooled]), return_dict=False)[0].chunk(2)
            how.set_state(i, num_inference_steps, t)
            latents = pipe.scheduler.step(how.forward(with_prompt, without).pred, t, latents, return_dict=False)[0]
        latents = latents / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
        return pipe.image_processor.postprocess(pipe.vae.decode(latents, return_dict=False)[0])[0]
    return generate


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


def plainly(**call):
    return pipe(**call).images[0]


# name, guidance, the lab's further flags, how diffusers does it; the last entry says with which model
GUIDED = [
    ("skip-layers", 4.0, "--skip_guidance_layers 3,4 --skip_layer_guidance_stop 0.8", lambda: lambda **call: pipe(
        **call, skip_guidance_layers=[3, 4], skip_layer_guidance_stop=0.8).images[0], flags.model),
    ("zero-star", 4.0, "--cfg_zero_star", lambda: guided(pipe, ClassifierFreeZeroStarGuidance), flags.model),
    ("interval", 4.0, "--guidance_start 0.25 --guidance_end 0.75",
        lambda: guided(pipe, lambda scale: ClassifierFreeGuidance(scale, start=0.25, stop=0.75)), flags.model),
    ("rescale", 7.0, "--guidance_rescale 0.7",
        lambda: guided(pipe, lambda scale: ClassifierFreeGuidance(scale, guidance_rescale=0.7)), flags.model),
    ("pag", 4.0, "--perturbed_layers 3", lambda: perturbed(pipe, "blocks.3.attn$", (Masked(3), Masked(2))), flags.model),
    ("pag-alone", 1.0, "--perturbed_layers 3", lambda: perturbed(pipe, "blocks.3.attn$", (Masked(3), Masked(2))), flags.model),
    ("pag-plain", 4.0, "--perturbed_layers 1 --perturbed_scale 12",
        lambda: perturbed(pipe, "blocks.1.attn$", transformer=plain_model(pipe), scale=12.0), PLAIN),
    ("pag-plain-alone", 1.0, "--perturbed_layers 1 --perturbed_scale 12",
        lambda: perturbed(pipe, "blocks.1.attn$", transformer=plain_model(pipe), scale=12.0), PLAIN),
]
rows, worst = [], 0


def compare(name, prompt, seed, guidance, height, width, lora, further="", generate=plainly, model=flags.model):
    global worst
    call = dict(prompt=prompt, num_inference_steps=28, guidance_scale=guidance, height=height, width=width, max_sequence_length=32)
    theirs = generate(**call, generator=torch.Generator("cpu").manual_seed(seed))
    folder = os.path.join(flags.out, name)
    command = shlex.split(flags.lab) + [
        "generate", "--model", model, "--prompt", prompt, "--seed", str(seed), "--num_steps", "28", "--guidance", str(guidance),
        "--height", str(height), "--width", str(width), "--device", "cpu", "--no_page"]
    command += ["--lora", flags.lora] if lora else []

    def lab(folder, further):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(command + ["--output_dir", folder] + further, check=True, stdout=subprocess.DEVNULL)
        pictures = [os.path.join(top, file) for top, _, files in os.walk(folder) for file in files if file.startswith("img_")]
        return Image.open(max(pictures, key=os.path.getmtime)).convert("RGB")

    def apart(one, other):
        return numpy.abs(numpy.asarray(one.convert("RGB")).astype(int) - numpy.asarray(other.convert("RGB")).astype(int))

    ours = lab(folder, further.split())
    theirs.save(os.path.join(flags.out, name + "-diffusers.png"))
    ours.save(os.path.join(flags.out, name + "-lab.png"))
    difference = apart(theirs, ours)
    row = {
        "case": name, "prompt": prompt, "seed": seed, "guidance": guidance, "size": f"{width}x{height}", "flags": further,
        "largest": int(difference.max()), "mean": round(float(difference.mean()), 5)}
    worst = max(worst, row["largest"])
    said = ""
    if further:
        row["effect"] = int(apart(lab(folder + "-without", []), ours).max())
        said = f"; without that guidance {row['effect']}"
        worst = max(worst, 255 if row["effect"] <= 1 else 0)
    rows.append(row)
    print(f"{name:16} largest difference {difference.max()} of 255, mean {difference.mean():.5f}{said}", flush=True)


chosen = flags.cases.split(",") if flags.cases else [case[0] for case in CASES + GUIDED]
for case in [case for case in CASES if case[0] in chosen and not (case[6] and not os.path.exists(flags.lora))]:
    if case[6]:
        pipe.load_lora_weights(os.path.dirname(flags.lora) or ".", weight_name=os.path.basename(flags.lora))
    compare(*case)
    if case[6]:
        pipe.unload_lora_weights()
for i, (name, guidance, further, generate, model) in enumerate(GUIDED):
    if name in chosen:
        compare(name, "a photo of a red fox sitting in the snow", 10 + i, guidance, 128, 128, False, further, generate(), model)

pairs = Image.new("RGB", (136 * len(rows), 272), "white")
for i, row in enumerate(rows):
    for y, who in enumerate(("lab", "diffusers")):
        pairs.paste(Image.open(os.path.join(flags.out, f"{row['case']}-{who}.png")), (136 * i + 4, 136 * y + 4))
pairs.save(os.path.join(flags.out, "pairs.png"))
with open(os.path.join(flags.out, "differences.json"), "w", encoding="utf-8") as file:
    json.dump({"versions": version, "cases": rows}, file, indent=2)
print(version)
sys.exit(1 if worst > 1 else 0)
