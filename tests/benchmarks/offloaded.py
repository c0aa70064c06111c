"""Times diffusers with weights offloaded to the machine's memory: offloaded.py MODEL model|sequential|group"""
import os, sys, time

sys.path.insert(0, os.environ.get("DIFFUSERS_SRC", "."))
import torch
from diffusers import StableDiffusion3Pipeline

model, how = sys.argv[1:]
begun = time.perf_counter()
pipeline = StableDiffusion3Pipeline.from_pretrained(model, torch_dtype=torch.bfloat16)
loaded = time.perf_counter()
if how == "model":
    pipeline.enable_model_cpu_offload()
elif how == "sequential":
    pipeline.enable_sequential_cpu_offload()
else:
    from diffusers.hooks import apply_group_offloading
    for part in ("text_encoder", "text_encoder_2", "text_encoder_3", "transformer"):
        apply_group_offloading(
            getattr(pipeline, part), onload_device=torch.device("cuda"), offload_device=torch.device("cpu"), offload_type="block_level",
            num_blocks_per_group=1, use_stream=True)
    pipeline.vae.to("cuda")
times = []


def step(pipe, index, timestep, tensors):
    torch.cuda.synchronize()
    times.append(time.perf_counter())
    return tensors


steps = 8
pipeline("a photo of a cat", num_inference_steps=steps, guidance_scale=4.5, height=1024, width=1024, callback_on_step_end=step,
         generator=torch.Generator().manual_seed(0))
between = sorted(b - a for a, b in zip(times, times[1:]))
median = between[len(between) // 2]
print(f"RESULT {how}: loaded in {loaded - begun:.1f} s, {median:.2f} s a step, {28 * median:.0f} s for 28, "
      f"allocated at most {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB", flush=True)
