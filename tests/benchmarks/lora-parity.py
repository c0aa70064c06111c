"""Do diffusers and peft compute with a LoRA file what the lab computes?

    for lora in LORAS/*/; do
      dotnet run -c Release -- lora verify $lora --model MODEL --device cpu --keep FILES/$(basename $lora); done
    python3 tests/benchmarks/lora-parity.py --model MODEL --files FILES [--out FILE]

Needs a Python with torch, safetensors, transformers, peft and diffusers (DIFFUSERS_SRC may name a folder that holds the package).
MODEL is the folder of the model that the LoRAs are for. FILES has a folder for each LoRA, as `lora verify --keep` writes it. Every
file is loaded by diffusers' load_lora_weights into the pipeline's transformer, and the folder peft by PeftModel.from_pretrained; the
transformer's output for the same inputs is compared with the lab's, on the CPU in float32. FILE receives the table as JSON too. The
exit code is 1 where a file that loads gives another output.
"""
import argparse, json, os, sys, warnings

sys.path.insert(0, os.environ.get("DIFFUSERS_SRC", "."))
import diffusers, peft, torch
from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline
from safetensors.torch import load_file

TOLERANCE = 1e-4  # of the output's largest value; what is dropped or scaled otherwise is far above it
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--files", required=True)
parser.add_argument("--out")
flags = parser.parse_args()
torch.set_grad_enabled(False)
warnings.simplefilter("ignore")
diffusers.utils.logging.set_verbosity_error()


def transformer():
    return SD3Transformer2DModel.from_pretrained(os.path.join(flags.model, "transformer"), torch_dtype=torch.float32).eval()


def by_diffusers(path):
    model = transformer()
    pipe = StableDiffusion3Pipeline(
        transformer=model, scheduler=None, vae=None, text_encoder=None, text_encoder_2=None, text_encoder_3=None, tokenizer=None,
        tokenizer_2=None, tokenizer_3=None)
    state, metadata = StableDiffusion3Pipeline.lora_state_dict(
        os.path.dirname(path), weight_name=os.path.basename(path), return_lora_metadata=True)
    own = {key: value for key, value in state.items() if not key.startswith("text_encoder")}
    if metadata:
        metadata = {key: value for key, value in metadata.items() if not key.startswith("text_encoder")}
    StableDiffusion3Pipeline.load_lora_into_transformer(
        own, transformer=model, adapter_name="default", _pipeline=pipe, metadata=metadata or None)
    if not getattr(model, "peft_config", None):
        raise ValueError("nothing of it was loaded")
    return model.eval()  # the adapter's layers come in training mode, with their dropout


def by_peft(path):
    return peft.PeftModel.from_pretrained(transformer(), path).eval()


readers = [
    ("diffusers", "diffusers", lambda folder: by_diffusers(os.path.join(folder, "diffusers.safetensors"))),
    ("kohya", "diffusers", lambda folder: by_diffusers(os.path.join(folder, "kohya.safetensors"))),
    ("comfyui", "diffusers", lambda folder: by_diffusers(os.path.join(folder, "comfyui.safetensors"))),
    ("peft", "peft", lambda folder: by_peft(os.path.join(folder, "peft"))),
]
versions = f"diffusers {diffusers.__version__}, peft {peft.__version__}, torch {torch.__version__}"
rows, bad = [], 0
print(f"{'LoRA':24} {'layout':10} {'reader':10} {'difference':>10} {'effect':>8}")
for name in sorted(os.listdir(flags.files)):
    folder = os.path.join(flags.files, name)
    if not os.path.exists(os.path.join(folder, "outputs.safetensors")):
        continue
    kept = load_file(os.path.join(folder, "outputs.safetensors"))
    largest = kept["file"].abs().max().item()
    # How much the LoRA changes the output at all, in the same measure.
    effect = (kept["file"] - kept["without"]).abs().max().item() / largest
    for layout, reader, load in readers:
        if layout not in kept:
            continue
        row = {"lora": name, "layout": layout, "reader": reader, "effect": effect}
        try:
            output = load(folder)(
                hidden_states=kept["hidden_states"], timestep=kept["timestep"],
                encoder_hidden_states=kept["encoder_hidden_states"], pooled_projections=kept["pooled_projections"],
                return_dict=False)[0]
            row["difference"] = (output - kept[layout]).abs().max().item() / largest
            bad += not row["difference"] <= TOLERANCE
        except Exception as error:  # what a program does not read is a result too
            row["refused"] = f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
        rows.append(row)
        figure = f"{row['difference']:10.1e}" if "difference" in row else "   refused"
        print(f"{name:24} {layout:10} {reader:10} {figure} {effect:8.1e} {row.get('refused', '')}", flush=True)
print(f"{versions}; differences above {TOLERANCE}: {bad}")
if flags.out:
    with open(flags.out, "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "rows": rows}, file, indent=2)
sys.exit(1 if bad or not rows else 0)
